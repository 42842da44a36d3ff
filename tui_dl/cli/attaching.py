"""This terminal lent to the session, one started where there is none: the whole way of `tui-dl` without the engine."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl._version import __version__
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.session.client import AttachedTerminal, hello_message, line_settings
from tui_dl.session.protocol import Word
from tui_dl.session.reaching import reach, reach_or_start, start
from tui_dl.session.stopping import stop_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui_dl.core.ports_terminal import TerminalGrant
    from tui_dl.session.reaching import Line, StartWish

TRIES: Final = 3
"""How often a session that ends just now is followed by the next."""


class Refusal(Exception):  # noqa: N818  # no fault: the session said no
    """The session will not have us."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code
        """Exit code that fits."""


def attach(
    lock_file: Path,
    grant: TerminalGrant,
    wish: StartWish,
    *,
    proxies: dict[str, str] | None = None,
    on_attached: Callable[[], None] = lambda: None,
) -> tuple[int, list[str]]:
    """Show the screen of the session on this terminal; return the exit code and what is to be said afterwards.

    `proxies` are those of the environment where something is to be added, `on_attached` is called once the session
    has the terminal. Raises `TuiDlError`, `Refusal`, `ForegroundWantedError`.
    """
    for _ in range(TRIES):
        line = _of_this_version(reach_or_start(lock_file, wish), lock_file, grant, wish)
        hello = hello_message(
            grant, version=__version__, folder=wish.folder, options=dict(wish.options), proxies=proxies
        )
        settings = line_settings(grant.in_fd)
        with suppress(OSError):  # whether it heard us shows in what it answers
            line.say(hello, (grant.in_fd, grant.out_fd))
        welcome = line.answer()
        if welcome is None:
            line.close()
            continue  # it was about to end
        if welcome.get("word") == Word.REFUSED:
            raise Refusal(str(welcome.get("text", "")), int(welcome.get("code", 3)))
        on_attached()
        terminal = AttachedTerminal(line, grant, str(welcome.get("restore", "")), settings)
        code = terminal.run()
        line.close()
        return code, terminal.lines
    raise NetworkError(Reason.SESSION_FAILED, "the session ends as soon as it is reached")


def _of_this_version(line: Line, lock_file: Path, grant: TerminalGrant, wish: StartWish) -> Line:
    """Return a connection to a session of this program's version; an older one is restarted if the person agrees."""
    from tui_dl.session.lock import Card, held_by  # noqa: PLC0415  # beside what it is for

    card = held_by(lock_file)
    if not isinstance(card, Card) or card.version == __version__ or not _agrees(card.version, grant):
        return line
    stop_session(line, lock_file, version=__version__)
    start(wish)
    return reach(lock_file) or reach_or_start(lock_file, wish)


def _agrees(version: str, grant: TerminalGrant) -> bool:
    """Ask whether the running session may be restarted."""
    print(  # noqa: T201  # before there is a screen
        f"The session that runs is of tui-dl {version}, this is {__version__}."
        " Restart it? What has arrived is kept, and downloads go on. [Y/n] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    with open(grant.in_fd, closefd=False) as keyboard:  # a descriptor
        return not keyboard.readline().strip().lower().startswith("n")


def told(lines: list[str], say: Callable[[str], Any]) -> None:
    """Say what the session left to be said, made safe."""
    from tui_dl.core.display_text import display_text  # noqa: PLC0415  # only now

    for line in lines:
        say(line[: len(line) - len(line.lstrip())] + display_text(line.lstrip()))
