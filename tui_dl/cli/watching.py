"""`tui-dl ls --watch`: the table redrawn in place, what changed alone."""

from __future__ import annotations

import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Final

from tui_dl.cli.exits import DONE
from tui_dl.cli.frame import Frame, Span, Style
from tui_dl.cli.listing import row_lines
from tui_dl.cli.live_numbers import live_numbers
from tui_dl.cli.terminal import shown_on, terminal_of
from tui_dl.core.errors import UsageError
from tui_dl.journal.looking import look_at
from tui_dl.ui.format import Units, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.cli.live_numbers import LiveNumbers
    from tui_dl.core.query import TaskQuery
    from tui_dl.disk.locations import Locations

EVERY_S: Final = 1.0
_SHOWN: Final = ("downloading", "pending", "waiting", "paused", "completed", "failed")


def watch(
    locations: Locations, query: TaskQuery, limit: int | None, *, pause: Callable[[float], None] = time.sleep
) -> int:
    """Show the rows until Ctrl+C; raises `UsageError` where nothing can be redrawn."""
    terminal = terminal_of(sys.stdout)
    if terminal is None:
        raise UsageError("--watch redraws a terminal, and this is none; programs follow with --json, or over rpc.sock")
    frame = Frame(has_colour=terminal.has_colour)
    try:
        while True:
            columns, rows = terminal.size()
            lines = _lines(locations, query, min(limit or rows, rows), columns)
            sys.stdout.write(frame.painted(lines, columns, rows))
            sys.stdout.flush()
            pause(EVERY_S)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return DONE


def _lines(locations: Locations, query: TaskQuery, most: int, columns: int) -> list[tuple[Span, ...]]:
    live = live_numbers(locations)
    with look_at(locations.journal_file) as look:
        blocks = iter(()) if look is None else look.rows(query, most)
        table = [*islice(row_lines(blocks, columns, live), most + 1)]
    shown = shown_on(sys.stdout)
    head = (Span(_total(live), Style.STRONG),)
    return [
        head,
        *((Span(shown(line), Style.PLAIN if number else Style.FAINT),) for number, line in enumerate(table)),
    ]


def _total(live: LiveNumbers) -> str:
    if not live.counts:
        return "no session is running"
    parts = [f"{count(live.counts[name])} {name}" for name in _SHOWN if live.counts.get(name)]
    return "   ".join((Units().speed(live.speed_bps) or "0 B/s", *parts))
