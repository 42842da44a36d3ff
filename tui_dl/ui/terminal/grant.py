"""The terminal in front of the person who typed the command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError
from tui_dl.core.ports_terminal import TerminalGrant

if TYPE_CHECKING:
    from collections.abc import Mapping

FALLBACK_SIZE: Final = (80, 24)
PLAIN_HINT: Final = "Use `tui-dl get URL ...` to download without the screen."


def foreground_grant(
    environment: Mapping[str, str] | None = None, *, can_suspend: bool = True, tty_path: str = "/dev/tty"
) -> TerminalGrant:
    """Find the terminal: the standard streams where they are one, else the controlling terminal at `tty_path`.

    Keys come from standard input, the screen goes to standard error or standard output. A list of URLs piped in
    must have been read before. A descriptor opened here stays open until the process ends: the shell is told of a
    lost terminal by the kernel, not by us. UsageError says why there is no screen.
    """
    environment = os.environ if environment is None else environment
    if environment.get("TERM") == "dumb":
        raise UsageError(f"TERM=dumb names a terminal that cannot show a screen. {PLAIN_HINT}")
    in_fd = _first_terminal((sys.__stdin__,))
    out_fd = _first_terminal((sys.__stderr__, sys.__stdout__))
    if in_fd is None or out_fd is None:
        tty_fd = _open_terminal(tty_path)
        in_fd = tty_fd if in_fd is None else in_fd
        out_fd = tty_fd if out_fd is None else out_fd
    columns, rows = terminal_size(out_fd)
    return TerminalGrant(
        in_fd=in_fd,
        out_fd=out_fd,
        columns=columns,
        rows=rows,
        environment=dict(environment),
        can_suspend=can_suspend,
    )


def terminal_size(fd: int) -> tuple[int, int]:
    """Columns and rows of the terminal behind `fd`; 80 by 24 where it does not know itself."""
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        return FALLBACK_SIZE
    return columns or FALLBACK_SIZE[0], rows or FALLBACK_SIZE[1]


def _first_terminal(streams: tuple[object, ...]) -> int | None:
    """Find the first stream that is a terminal; a closed or missing stream is none."""
    for stream in streams:
        try:
            fd: int = stream.fileno()  # type: ignore[attr-defined]
        except (AttributeError, OSError, ValueError):
            continue
        if os.isatty(fd):
            return fd
    return None


def _open_terminal(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"There is no terminal to show the screen on. {PLAIN_HINT}") from error
