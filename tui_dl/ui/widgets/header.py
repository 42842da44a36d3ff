"""The first line: total speed with its graph, counts, limits and free space."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui_dl.core.status import Status, Tab
from tui_dl.ui.format import change_time, count
from tui_dl.ui.view_state import tab_counts
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of

if TYPE_CHECKING:
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.ui.format import Units
    from tui_dl.ui.glyphs import Glyphs

GRAPH_CELLS = 14
SHORT_GRAPH_CELLS = 7
MARGIN_CELLS = 1


class HeaderLine(Line):
    """Says how the engine does; says less where there is less room."""

    def show_snapshot(self, snapshot: EngineSnapshot, glyphs: Glyphs, units: Units) -> None:
        """Show a snapshot."""
        speed = units.speed(snapshot.speed_bps) or f"0 {units.size(0)[2:]}/s"
        graph = glyphs.graph(snapshot.speed_history, GRAPH_CELLS)
        brand = Piece("tui-dl  ", Tone.STRONG)
        speed_piece = Piece(f"{glyphs.down} {speed} ", Tone.ACCENT if snapshot.speed_bps >= 1 else Tone.QUIET)
        graph_piece = Piece(f"{graph}  " if graph else " ", Tone.ACCENT)
        short = glyphs.graph(snapshot.speed_history, SHORT_GRAPH_CELLS)
        short_piece = Piece(f"{short}  " if short else " ", Tone.ACCENT)
        counts = _counts(snapshot, glyphs)
        limits = _limits(snapshot, glyphs, units)
        # Free space is worth more than to be told that there is no limit.
        brief = limits if snapshot.limit_rate_bps or snapshot.limit_until_at is not None else limits[:1] + limits[2:]
        variants = (
            ((brand, speed_piece, graph_piece, *counts), limits),
            ((brand, speed_piece, graph_piece, *counts), brief),
            ((brand, speed_piece, short_piece, *counts), brief),
            ((brand, speed_piece, graph_piece, *counts), limits[:2]),
            ((brand, speed_piece, graph_piece, *counts), limits[:1]),
            ((brand, speed_piece, Piece(" "), *counts), limits[:1]),
            ((speed_piece, Piece(" "), *counts), limits[:1]),
            ((speed_piece, Piece(" "), *counts), ()),
        )
        room = self.size.width - MARGIN_CELLS
        left, right = next(
            ((one, other) for one, other in variants if cells_of(one) + cells_of(other) <= room), variants[-1]
        )
        self.say(left, right)


def _counts(snapshot: EngineSnapshot, glyphs: Glyphs) -> tuple[Piece, ...]:
    tabs = tab_counts(snapshot.counts)
    words = ((Tab.ACTIVE, "active", Tone.PLAIN), (Tab.QUEUED, "queued", Tone.QUIET), (Tab.DONE, "done", Tone.QUIET))
    pieces = [Piece(f"{count(tabs[tab])} {word}", tone) for tab, word, tone in words if tabs[tab]]
    if failed := snapshot.counts.get(Status.FAILED, 0):
        pieces.append(Piece(f"{count(failed)} failed", Tone.BAD))
    spaced: list[Piece] = []
    for piece in pieces:
        spaced += [Piece(f" {glyphs.dot} ", Tone.QUIET), piece]
    return tuple(spaced[1:])


def limit_words(snapshot: EngineSnapshot, units: Units) -> str:
    """Return `30.0 MiB/s at most until 23:00`: the limit in force, and until when a timetable has it."""
    words = units.limit(snapshot.limit_rate_bps)
    if snapshot.limit_until_at is None:
        return words
    return f"{words} until {change_time(snapshot.limit_until_at, time.time())}"


def _limits(snapshot: EngineSnapshot, glyphs: Glyphs, units: Units) -> tuple[Piece, ...]:
    """Return the limits, the one that is looked at most first."""
    texts = [f"{snapshot.concurrent_downloads} at once", limit_words(snapshot, units)]
    if snapshot.free_bytes is not None:
        texts.append(f"{units.size(snapshot.free_bytes)} free")
    return tuple(Piece(f" {glyphs.dot} {text}" if index else text, Tone.QUIET) for index, text in enumerate(texts))
