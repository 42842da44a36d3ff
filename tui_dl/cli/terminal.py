"""What the stream that people read can show: whether it redraws, colours, and how wide it is."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from tui_dl.cli.streams import is_terminal
from tui_dl.core.display_text import ascii_text, display_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DUMB: Final = frozenset({"dumb", "unknown", ""})
_USUAL_SIZE: Final = (80, 24)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that can redraw."""

    size: Callable[[], tuple[int, int]]
    """Columns and rows now."""
    has_colour: bool
    """Whether colours are wanted."""
    has_utf8: bool
    """Whether it shows more than ASCII."""


def terminal_of(stream: TextIO) -> Terminal | None:
    """Return what is known of the terminal behind a stream; None where there is none that redraws."""
    kind = os.environ.get("TERM", "")
    if not is_terminal(stream) or kind in _DUMB:
        return None
    return Terminal(
        size=lambda: _size_of(stream),
        has_colour=not os.environ.get("NO_COLOR"),
        has_utf8=has_utf8(stream),
    )


@contextmanager
def on_return(resumed: Callable[[], None]) -> Iterator[None]:
    """Call `resumed` on the loop whenever the process goes on after a stop (Ctrl+Z and `fg`)."""
    number = getattr(signal, "SIGCONT", None)
    loop = asyncio.get_running_loop()
    if number is None:  # no such thing as a stop on this platform
        yield
        return
    loop.add_signal_handler(number, resumed)
    try:
        yield
    finally:
        loop.remove_signal_handler(number)


def has_utf8(stream: TextIO) -> bool:
    """Whether a stream takes every character."""
    return (stream.encoding or "ascii").lower().replace("-", "") == "utf8"


def shown_on(stream: TextIO) -> Callable[[str], str]:
    """Return what makes text harmless on this stream: ASCII alone where it is not UTF-8."""
    return display_text if has_utf8(stream) else ascii_text


def _size_of(stream: TextIO) -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return _USUAL_SIZE
    # A terminal that was never told its size says 0.
    return columns or _USUAL_SIZE[0], rows or _USUAL_SIZE[1]
