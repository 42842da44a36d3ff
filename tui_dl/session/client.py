"""The thin client: lends its terminal to the session, forwards signals, and has it back whatever happens."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.session.protocol import PROTOCOL, Word, terminal_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.core.ports_terminal import TerminalGrant
    from tui_dl.session.reaching import Line

LEAVE_S: Final = 1.5
"""How long the session may take to give the terminal back when a signal ends us."""
UNSTOPPED_S: Final = 0.05
"""A process that was stopped knows of it as soon as it runs again."""
RESTORING_S: Final = 0.1
"""How long a terminal that does not read may keep us from leaving."""
INTERRUPTED: Final = 130
LOST: Final = 3
_FORWARDED: Final = ("SIGWINCH", "SIGCONT", "SIGTSTP", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")
_ENDING: Final = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT})


class AttachedTerminal:
    """One terminal in the session's hands, from the welcome to the end."""

    def __init__(self, line: Line, grant: TerminalGrant, restore: str, settings: list[Any] | None) -> None:
        """Take what is lent; `settings` are the line's from before the hello, which the session may change at once."""
        self._line = line
        self._grant = grant
        self._restore = restore
        self._settings = settings
        self._give_up_at: float | None = None
        self._outcome: int | None = None
        self.lines: list[str] = []
        """What is to be said when the terminal is ours again."""

    def run(self) -> int:
        """Wait until the screen is left; return the exit code, the terminal as it was before."""
        with _signals() as wakened:
            for message in self._line.rest():
                self._heed(message, wakened)
            while self._outcome is None:
                self._turn(wakened)
        return self._outcome

    def _turn(self, wakened: int) -> None:
        """Wait for the next thing that happens, and act on it."""
        left_s = None if self._give_up_at is None else max(self._give_up_at - time.monotonic(), 0)
        line = self._line.fileno()
        ready = select.select([line, wakened], [], [], left_s)[0]
        if not ready and left_s is not None:
            self._end_by_ourselves(INTERRUPTED)
        if wakened in ready:
            for number in sorted(set(os.read(wakened, 4096))):  # what ends us comes first
                self._on_signal(signal.Signals(number))
        if line not in ready or self._outcome is not None:
            return
        messages = self._line.read()
        if messages is None:
            self.lines.append("The session ended unexpectedly; `tui-dl` goes on where it was.")
            self._end_by_ourselves(INTERRUPTED if self._give_up_at is not None else LOST)
        for message in messages or ():
            self._heed(message, wakened)

    def _heed(self, message: dict[str, Any], wakened: int) -> None:
        word = message.get("word")
        if word == Word.ASIDE:
            self._stop_here(wakened)
        elif word == Word.LEFT:
            self.lines += [str(one) for one in message.get("lines", ())]
            self._outcome = INTERRUPTED if self._give_up_at is not None else int(message.get("code", 0))
            put_back(self._grant, self._settings, "")

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGWINCH:
            self._tell(Word.SIZE)
        elif number == signal.SIGTSTP:
            self._tell(Word.ASIDE)
        elif number == signal.SIGCONT and self._give_up_at is None:  # some send it behind SIGTERM
            self._come_back()
        elif number in _ENDING and self._give_up_at is None:
            self._give_up_at = time.monotonic() + LEAVE_S
            self._tell(Word.LEAVE)

    def _stop_here(self, wakened: int) -> None:
        """Stop, as the shell expects of a job, with the terminal as it was; go on where it continues us."""
        put_back(self._grant, self._settings, "")
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
        if not select.select([wakened], [], [], UNSTOPPED_S)[0]:
            self._come_back()  # nobody here controls jobs, so we were never stopped

    def _come_back(self) -> None:
        """Lend the terminal again; in the background it is the shell's, and we stop until it is ours."""
        with suppress(OSError):
            if os.tcgetpgrp(self._grant.in_fd) != os.getpgrp():
                os.kill(os.getpid(), signal.SIGSTOP)
                return
        self._tell(Word.BACK)

    def _tell(self, word: Word) -> None:
        with suppress(OSError):  # its end is noticed where messages are read
            self._line.say({"word": word.value})

    def _end_by_ourselves(self, code: int) -> None:
        put_back(self._grant, self._settings, self._restore)
        self._outcome = code


def hello_message(
    grant: TerminalGrant, *, version: str, folder: str, options: dict[str, Any], proxies: dict[str, str] | None
) -> dict[str, Any]:
    """Return what an attach says first."""
    return {
        "want": "attach",
        "protocol": PROTOCOL,
        "version": version,
        "folder": folder,
        "size": [grant.columns, grant.rows],
        "environment": terminal_environment(grant.environment),
        "options": options,
        "proxies": proxies,
    }


def line_settings(descriptor: int) -> list[Any] | None:
    """Return a terminal's line settings, None where it has none."""
    with suppress(termios.error):
        return termios.tcgetattr(descriptor)
    return None


def put_back(grant: TerminalGrant, settings: list[Any] | None, restore: str) -> None:
    """Give the terminal the line settings that it had, and write what undoes the modes of a screen."""
    if settings is not None:
        with suppress(termios.error):
            termios.tcsetattr(grant.in_fd, termios.TCSANOW, settings)
    if restore and select.select([], [grant.out_fd], [], RESTORING_S)[1]:
        with suppress(OSError):
            os.write(grant.out_fd, restore.encode())


@contextmanager
def _signals() -> Iterator[int]:
    """Yield a descriptor on which the number of each signal arrives; as before on leaving."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if sys.platform == "linux" else _pipe()
    before_fd = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {}
    for name in _FORWARDED:
        number = signal.Signals[name]
        # Whoever started us with a signal ignored (nohup) means it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, lambda _number, _frame: None)
    try:
        yield reading
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        os.close(reading)
        os.close(writing)


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    for one in (reading, writing):
        os.set_blocking(one, False)
    return reading, writing
