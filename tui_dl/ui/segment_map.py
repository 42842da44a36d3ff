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
    """Divide a file of `total_bytes` into `width` cells; `held` is sorted and disjoint.

    Positions are counted in bytes times `width`, so that each cell is `total_bytes` long and nothing is rounded.
    """
    if total_bytes <= 0 or width <= 0:
        return []
    amounts = [0] * width
    for part in held:
        start, end = part.start * width, part.end * width
        for cell in range(start // total_bytes, min(width - 1, (end - 1) // total_bytes) + 1):
            amounts[cell] += min(end, (cell + 1) * total_bytes) - max(start, cell * total_bytes)
    cells = [_state(amount, total_bytes) for amount in amounts]
    for segment in segments:
        start, end = segment.range.start, segment.range.end
        near_end = start + int((end - start) * IN_FLIGHT_PART)
        for cell in range(start * width // total_bytes, min(width - 1, near_end * width // total_bytes) + 1):
            if cells[cell] is not CellState.HELD:
                cells[cell] = CellState.FLIGHT
    return cells


def _state(amount: int, whole: int) -> CellState:
    if amount >= whole:
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
