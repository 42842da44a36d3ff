"""Which pieces of held bytes are compared where nothing else says what they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.ranges import ByteRange, RangeSet
from tui_dl.core.resume import SAMPLE_COUNT, TAIL_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable


def samples_of(held: RangeSet, random: Callable[[], float]) -> RangeSet:
    """Return both ends of the whole and random pieces of it, each byte as likely as any other; of little, all."""
    total_bytes = held.total_bytes
    if total_bytes <= (SAMPLE_COUNT + 2) * TAIL_BYTES:
        return held.copy()
    runs = list(held)
    first, last = runs[0], runs[-1]
    chosen = RangeSet(
        [(first.start, min(first.end, first.start + TAIL_BYTES)), (max(last.start, last.end - TAIL_BYTES), last.end)]
    )
    for _ in range(SAMPLE_COUNT):
        piece = _piece_at(runs, int(random() * total_bytes))
        chosen.add(piece.start, piece.end)
    return chosen


def _piece_at(runs: list[ByteRange], nth: int) -> ByteRange:
    """Return the piece that begins with the nth held byte, or ends where its run does."""
    for run in runs:
        if nth < run.length_bytes:
            end = min(run.start + nth + TAIL_BYTES, run.end)
            return ByteRange(max(run.start, end - TAIL_BYTES), end)
        nth -= run.length_bytes
    return runs[-1]
