"""A person's machine: a home with its one session, and pseudo terminals with programs that show it."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pyte

import tui_dl
from tui_dl.session.lock import Card, held_by
from tui_dl.session.paths import lock_file_in

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(tui_dl.__file__).parent.parent
COLUMNS: Final = 100
LINES: Final = 24
SWITCH: Final = re.compile(rb"(\x1b\[\?1049[hl])")
UNKNOWN_TO_PYTE: Final = re.compile(rb"\x1b\[[<>=][\d;]*u|\x1b\[\?\d+\$p")
PATIENCE_S: Final = 40.0


class Terminal:
    """A pseudo terminal, controlled by the one program on it, and what it shows."""

    def __init__(self, home: Home, args: list[str], *, command: list[str] | None = None, **variables: str) -> None:
        self._main, self._other = pyte.Screen(COLUMNS, LINES), pyte.Screen(COLUMNS, LINES)
        self.shown = self._main
        self.raw = b""
        """All that came so far."""
        self._stream = pyte.ByteStream(self._main)
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (LINES, COLUMNS))
        self.path = os.ttyname(theirs)
        self._theirs = theirs
        self.settings_before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "tui_dl", *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=home.folder,
            env=home.environment | variables,
            start_new_session=True,
            preexec_fn=self._take,  # noqa: PLW1509  # it opens and closes one descriptor
        )

    def _take(self) -> None:
        os.close(os.open(self.path, os.O_RDWR))

    @property
    def has_no_screen(self) -> bool:
        """Whether it shows what a shell writes, and no program's whole screen."""
        return self.shown is self._main

    @property
    def text(self) -> str:
        """What it shows."""
        return "\n".join(line.rstrip() for line in self.shown.display)

    def until(self, has_come: Callable[[], object]) -> None:
        """Show what comes until this holds."""
        ends_at = time.monotonic() + PATIENCE_S
        while not has_come():
            assert time.monotonic() < ends_at, self.text
            if select.select([self._ours], [], [], 0.05)[0]:
                self._feed(os.read(self._ours, 65536))

    def _feed(self, octets: bytes) -> None:
        """Show what came; the emulator knows nothing of a second screen, so there are two of it."""
        self.raw += octets
        for part in SWITCH.split(UNKNOWN_TO_PYTE.sub(b"", octets)):
            if SWITCH.fullmatch(part):
                self.shown = self._other if part.endswith(b"h") else self._main
                self._other.reset()
                self._stream = pyte.ByteStream(self.shown)
            else:
                self._stream.feed(part)

    def until_shown(self, *texts: str) -> None:
        """Show what comes until all of these can be read."""
        self.until(lambda: all(text in self.text for text in texts))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size."""
        for one in (self._main, self._other):
            one.resize(lines, columns)
            one.reset()
        termios.tcsetwinsize(self._theirs, (lines, columns))

    def ends(self) -> int:
        """Show what comes until the program has ended; return its exit code."""
        self.until(lambda: self.process.poll() is not None and not select.select([self._ours], [], [], 0)[0])
        return self.process.returncode

    @property
    def is_as_before(self) -> bool:
        """Whether the line settings are those from before the program."""
        return termios.tcgetattr(self._theirs) == self.settings_before

    def hang_up(self) -> None:
        """Let the terminal vanish, as a closed window does."""
        for one in (self._theirs, self._ours):
            os.close(one)
        self._ours = self._theirs = -1

    def close(self) -> None:
        """End the program and the terminal."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._ours >= 0:
            self.hang_up()


class Home:
    """A home folder; its session ends with it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        # A socket's path is short, which that of a test's folder is not.
        self._runtime = tempfile.TemporaryDirectory(prefix="tui-dl-test-")
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TUI_DL_HOME": f"{self._runtime.name}/h",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            **settings,
        }
        self._terminals: list[Terminal] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._terminals:
            one.close()
        if (pid := self.session_pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.until(lambda: self.session_pid is None)
        self._runtime.cleanup()

    @property
    def lock_file(self) -> Path:
        """The session's lock."""
        return lock_file_in(Path(self.environment["TUI_DL_HOME"]) / "data")

    @property
    def session(self) -> Card | None:
        """Where the session is; None where none lives."""
        held = held_by(self.lock_file)
        return held if isinstance(held, Card) else None

    @property
    def session_pid(self) -> int | None:
        """Process of the session that lives."""
        session = self.session
        return session.pid if session is not None else None

    @property
    def log(self) -> str:
        """What the session logged."""
        return (Path(self.environment["TUI_DL_HOME"]) / "state" / "session.log").read_text()

    def open(self, *args: str, command: list[str] | None = None, **variables: str) -> Terminal:
        """Run a command line on a terminal of its own, with more in its environment."""
        terminal = Terminal(self, list(args), command=command, **variables)
        self._terminals.append(terminal)
        return terminal

    def run(self, *args: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command line without a terminal to its end."""
        words = [sys.executable, "-m", "tui_dl", *args]
        facts: dict[str, Any] = {"cwd": self.folder, "env": self.environment} | more
        return subprocess.run(words, capture_output=True, text=True, check=False, **facts)

    @staticmethod
    def words() -> str:
        """Return how a shell calls the program."""
        return f"{sys.executable} -m tui_dl"

    @staticmethod
    def client_pid(shell: Terminal) -> int:
        """Return the process that a shell on a terminal runs."""
        children = Path(f"/proc/{shell.process.pid}/task/{shell.process.pid}/children").read_text().split()
        return int(children[0])

    @staticmethod
    def until(holds: Callable[[], object]) -> None:
        """Wait for a condition of the machine."""
        ends_at = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < ends_at
            select.select([], [], [], 0.02)
