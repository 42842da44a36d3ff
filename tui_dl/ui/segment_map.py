"""A file as a strip of cells: what is held, what is on its way, what is missing."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.ports import SegmentView
    from tui_dl.core.ranges import ByteRange
    from tui_dl.ui.glyphs import Glyphs

IN_FLIGHT_PART = 0.25
"""How much of what a connection has left is drawn as on its way: its near end."""


class CellState(IntEnum):
    """What a cell of the map stands for."""

    MISSING = 0
    PARTLY = 1
    FLIGHT = 2
    HELD = 3


def segment_cells(
    total_bytes: int, held: Sequence[ByteRange], segments: Sequence[SegmentView], width: int
) -> list[CellState]:
    """Divide a file of `total_bytes` into `width` cells; `held` is sorted and disjoint."""
    if total_bytes <= 0 or width <= 0:
        return []
    held_bytes = [0.0] * width
    cell_bytes = total_bytes / width
    for part in held:
        first = min(width - 1, int(part.start / cell_bytes))
        last = min(width - 1, int((part.end - 1) / cell_bytes))
        for cell in range(first, last + 1):
            overlap = min(part.end, (cell + 1) * cell_bytes) - max(part.start, cell * cell_bytes)
            held_bytes[cell] += max(0.0, overlap)
    cells = [_state(amount, cell_bytes) for amount in held_bytes]
    for segment in segments:
        start, end = segment.range.start, segment.range.end
        near_end = start + (end - start) * IN_FLIGHT_PART
        for cell in range(int(start / cell_bytes), int(near_end / cell_bytes) + 1):
            if cell < width and cells[cell] is not CellState.HELD:
                cells[cell] = CellState.FLIGHT
    return cells


def _state(amount: float, cell_bytes: float) -> CellState:
    if amount >= cell_bytes - 0.5:
        return CellState.HELD
    return CellState.PARTLY if amount > 0 else CellState.MISSING


def runs(cells: Sequence[CellState], glyphs: Glyphs) -> list[tuple[CellState, str]]:
    """Return the cells as pieces of equal state."""
    drawn = {
        CellState.MISSING: glyphs.missing,
        CellState.PARTLY: glyphs.partly,
        CellState.FLIGHT: glyphs.flight,
        CellState.HELD: glyphs.held,
    }
    pieces: list[tuple[CellState, str]] = []
    for cell in cells:
        if pieces and pieces[-1][0] is cell:
            pieces[-1] = (cell, pieces[-1][1] + drawn[cell])
        else:
            pieces.append((cell, drawn[cell]))
    return pieces
