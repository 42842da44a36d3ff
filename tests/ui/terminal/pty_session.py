"""One sample app on a pseudo terminal, with a terminal emulator that reads it when the test says so."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 20.0
APP = Path(__file__).with_name("sample_app.py")
ROOT = APP.parents[3]
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][\d;]*u|\x1b\[\?\d+\$p")


class PtySession:
    """The near side of a terminal: reads what the app writes, types, resizes, hangs up."""

    def __init__(self, columns: int = 80, rows: int = 24, *, mode: str = "foreground") -> None:
        self.master_fd, self.slave_fd = os.openpty()
        self.columns, self.rows = columns, rows
        self.set_size(columns, rows)
        self.attrs_before = termios.tcgetattr(self.slave_fd)
        self.control, theirs = socket.socketpair()
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(APP), str(self.slave_fd), str(theirs.fileno()), mode],
            pass_fds=(self.slave_fd, theirs.fileno()),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        self.raw = b""
        """Everything read from the terminal so far."""
        self._fed = 0
        self._told: list[dict[str, Any]] = []
        self._line = b""
        self._marks = 0
        self.emulator = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.emulator)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.control.close()
        for fd in (self.master_fd, self.slave_fd):
            with contextlib.suppress(OSError):
                os.close(fd)

    def set_size(self, columns: int, rows: int) -> None:
        """Change the terminal's size, without a signal: the app's terminal is not its controlling one."""
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.slave_fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        """Change the size as a terminal does: size, picture, signal."""
        self.read_until_mark()
        self.set_size(columns, rows)
        self.emulator.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def wait_for(
        self, condition: Callable[[], object], *, is_reading: bool = True, within_s: float = DEADLINE_S
    ) -> None:
        """Read the app's messages, and the terminal if wanted, until `condition` holds; fail after the deadline."""
        deadline_at = time.monotonic() + within_s
        while not condition():
            left_s = deadline_at - time.monotonic()
            assert left_s > 0, f"waited {within_s} s in vain; {self.complaint()}"
            fds = [self.control.fileno(), *([self.master_fd] if is_reading else [])]
            ready, _, _ = select.select(fds, [], [], min(left_s, 0.05))
            if self.master_fd in ready:
                with contextlib.suppress(OSError):
                    self.raw += os.read(self.master_fd, 65536)
            if self.control.fileno() in ready:
                self._listen()

    def complaint(self) -> str:
        """Give what the process said before it ended, if it has."""
        if self.process.poll() is None or self.process.stderr is None:
            return "the app runs"
        return f"the app ended: {self.process.stderr.read().decode()[-2000:]}"

    def _listen(self) -> None:
        with contextlib.suppress(ConnectionError):
            *lines, self._line = (self._line + self.control.recv(65536)).split(b"\n")
            self._told.extend(map(json.loads, lines))

    def last(self, key: str) -> dict[str, Any] | None:
        """Give the app's newest message that has `key`."""
        return next((message for message in reversed(self._told) if key in message), None)

    def command(self, do: str, **arguments: Any) -> None:
        """Tell the app to do something."""
        self.control.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")

    def read_until_mark(self) -> list[str]:
        """Let the app settle, read all it wrote, and give the lines that its compositor holds."""
        self._marks += 1
        mark = f"mark-{self._marks}"
        title = f"\x1b]2;{mark}\x07".encode()
        self.command("show", mark=mark)
        self.wait_for(lambda: title in self.raw and (told := self.last("mark")) and told["mark"] == mark)
        end = self.raw.index(title)
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", self.raw[self._fed : end]))
        self._fed = end + len(title)
        told = self.last("mark")
        assert told is not None
        return [unicodedata.normalize("NFC", line).rstrip() for line in told["lines"]]  # pyte composes marks, too

    @property
    def fed(self) -> int:
        """How many bytes of `raw` the emulator has seen, marks included."""
        return self._fed

    def shown(self) -> list[str]:
        """Give the lines that the emulator shows."""
        return [line.rstrip() for line in self.emulator.display]

    def cells(self) -> list[list[Any]]:
        """Give every cell of the emulator with its colours and attributes."""
        return [[self.emulator.buffer[y][x] for x in range(self.columns)] for y in range(self.rows)]
