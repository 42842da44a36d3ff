"""The screen as a whole process on a pseudo terminal: it draws, it ends in order, the terminal is as before."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyte
import pytest

import tui_dl
from tui_dl.demo.server import DemoServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(tui_dl.__file__).parent.parent
COLUMNS: Final = 120
LINES: Final = 30
PATIENCE_S: Final = 20.0


class Terminal:
    """A pseudo terminal with a program on it, and what it shows."""

    def __init__(self, folder: Path, args: list[str], *, stdin: int | None = None) -> None:
        self.shown = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.shown)
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (LINES, COLUMNS))
        self._theirs = theirs
        self.settings_before = termios.tcgetattr(theirs)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TUI_DL_HOME": str(folder / "home"),
            "HOME": str(folder),
            "TMPDIR": str(folder),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui_dl", *args],
            stdin=theirs if stdin is None else stdin,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=self._take_terminal,  # noqa: PLW1509  # it opens and closes one descriptor
        )

    def _take_terminal(self) -> None:
        # A list piped in leaves the keyboard to the controlling terminal.
        os.close(os.open(os.ttyname(self._theirs), os.O_RDWR))

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.shown.display)

    def until(self, has_come: Callable[[], bool]) -> None:
        """Show what comes until this holds."""
        ends_at = time.monotonic() + PATIENCE_S
        while not has_come():
            assert time.monotonic() < ends_at, self.text
            if select.select([self._ours], [], [], 0.05)[0]:
                self._stream.feed(os.read(self._ours, 65536))

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size, as a terminal does; what it showed is gone."""
        self.shown.resize(lines, columns)
        self.shown.reset()
        termios.tcsetwinsize(self._theirs, (lines, columns))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def has_ended(self) -> bool:
        """Whether the program has ended and all that it wrote is shown."""
        return self.process.poll() is not None and not select.select([self._ours], [], [], 0)[0]

    @property
    def settings_now(self) -> list[object]:
        """Line settings of the terminal."""
        return termios.tcgetattr(self._theirs)

    def close(self) -> None:
        """End the program and the terminal."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


@contextmanager
def terminal(folder: Path, *args: str, stdin: int | None = None) -> Iterator[Terminal]:
    """Run a command line on a terminal."""
    one = Terminal(folder, list(args), stdin=stdin)
    try:
        yield one
    finally:
        one.close()


def test_the_demonstration_moves_and_leaves_the_own_queue_alone(tmp_path: Path) -> None:
    """Rows of every temper, a file done, an end with the folder named, nothing under the home."""
    with terminal(tmp_path, "demo") as screen:
        screen.until(lambda: "throttled.tar" in screen.text and "not found (404)" in screen.text)
        screen.until(lambda: "Done" in screen.text and "failed" in screen.text)
        screen.press("q")
        screen.until(lambda: "Quit?" in screen.text)
        screen.press("y")
        screen.until(screen.has_ended)
        assert screen.process.returncode == 0
        assert "The files are in" in screen.text
        assert not (tmp_path / "home" / "data").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_restores_the_terminal_in_time(tmp_path: Path, number: signal.Signals) -> None:
    """P8: within 2 s, exit 130, line settings as before, no traceback."""
    with terminal(tmp_path, "--foreground") as screen:
        screen.until(lambda: "tui-dl" in screen.text and "Failed" in screen.text)
        assert screen.settings_now != screen.settings_before
        sent_at = time.monotonic()
        screen.process.send_signal(number)
        screen.until(screen.has_ended)
        assert time.monotonic() - sent_at < 2
        assert screen.process.returncode == 130
        assert screen.settings_now == screen.settings_before
        assert "Traceback" not in screen.text


def test_the_screen_takes_over_the_size_of_its_window(tmp_path: Path) -> None:
    """A terminal that only sends SIGWINCH is filled again, and the table drops columns."""
    with terminal(tmp_path, "--foreground") as screen:
        screen.until(lambda: "Speed" in screen.text)
        screen.resize(60, 20)
        screen.until(lambda: "Name" in screen.text and "Help" in screen.shown.display[19] and "ETA" not in screen.text)


async def test_addresses_piped_in_are_added_and_the_keys_still_work(tmp_path: Path) -> None:
    """The list is read from the pipe, the keyboard from the terminal itself."""
    async with DemoServer() as server:
        reading, writing = os.pipe()
        os.write(writing, f"nonsense\n{server.urls()[6]}\n".encode())
        os.close(writing)

        def use() -> None:
            with terminal(tmp_path, "--foreground", stdin=reading) as screen:
                os.close(reading)
                screen.until(
                    lambda: "not found (404)" in screen.text and "1 failed" in screen.text
                )  # or `q` asks first
                screen.press("q")
                screen.until(screen.has_ended)
                assert screen.process.returncode == 0
                assert "standard input:1: " in screen.text

        await asyncio.to_thread(use)


def test_the_prompt_completes_and_carries_out_a_command(tmp_path: Path) -> None:
    """Tab writes the word out, Enter does it: the header tells of the limit, and keys are the table's again."""
    with terminal(tmp_path, "--foreground") as screen:
        screen.until(lambda: "no limit" in screen.text)
        screen.press(":lim\t")
        screen.until(lambda: any(line.startswith((" :limit", ":limit")) for line in screen.shown.display))
        screen.press("5M\r")
        screen.until(lambda: "5.00 MiB/s" in screen.shown.display[0] and ":limit" not in screen.text)
        screen.press("q")
        screen.until(screen.has_ended)
        assert screen.process.returncode == 0


def test_a_mistake_at_the_prompt_is_said_and_the_line_stays(tmp_path: Path) -> None:
    """It is mended where it is, by keys that come as fast as over a link that stalled, and done."""
    with terminal(tmp_path, "--foreground") as screen:
        screen.until(lambda: "no limit" in screen.text)
        screen.press(":limti 5M\r")
        screen.until(lambda: "limti" in screen.text.replace(":limti 5M", "") and ":limti 5M" in screen.text)
        assert "no limit" in screen.shown.display[0]
        screen.press("\x01" + "\x1b[C" * 3 + "\x1b[3~" * 2 + "it\r")
        screen.until(lambda: "5.00 MiB/s" in screen.shown.display[0] and ":limit" not in screen.text)
