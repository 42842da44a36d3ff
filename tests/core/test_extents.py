"""Extents: what they cover, and which go when a range is doubted."""

from __future__ import annotations

from tui_dl.core.extents import Extent, dropped, range_set
from tui_dl.core.ranges import RangeSet

EXTENTS = [Extent(0, 10, 1), Extent(10, 20, 2), Extent(30, 40, 3)]


def test_range_set_joins_what_touches() -> None:
    """Neighbouring extents become one range, a hole stays a hole."""
    assert range_set(EXTENTS) == RangeSet([(0, 20), (30, 40)])


def test_dropped_takes_whole_extents() -> None:
    """An extent that a doubted range touches by one byte goes as a whole, its neighbours stay."""
    assert dropped(EXTENTS, 19, 30) == [EXTENTS[0], EXTENTS[2]]


def test_length_is_end_minus_start() -> None:
    """The end of an extent is exclusive."""
    assert Extent(30, 40, 3).length_bytes == 10
