"""A file as a strip of cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.ports import SegmentView
from tui_dl.core.ranges import ByteRange
from tui_dl.ui.glyphs import UNICODE
from tui_dl.ui.segment_map import CellState, runs, segment_cells


def test_a_map_shows_held_flight_and_missing() -> None:
    """Each cell stands for its share of the file."""
    cells = segment_cells(100, [ByteRange(0, 25)], [SegmentView(ByteRange(40, 80), 1.0)], 10)
    assert "".join(text for _state, text in runs(cells, UNICODE)) == "██▒░▓▓░░░░"


@given(st.integers(1, 10**13), st.integers(1, 200))
def test_a_whole_file_is_held_everywhere(total_bytes: int, width: int) -> None:
    """No rounding leaves a hole in a file that is whole."""
    assert set(segment_cells(total_bytes, [ByteRange(0, total_bytes)], (), width)) == {CellState.HELD}


def test_a_missing_byte_shows() -> None:
    """A cell that lacks one byte is not drawn as held."""
    assert segment_cells(1000, [ByteRange(0, 999)], (), 10)[-1] is CellState.PARTLY


def test_segments_beyond_the_end_do_no_harm() -> None:
    """A connection that reads to an unknown end stays within the map."""
    assert len(segment_cells(10, (), [SegmentView(ByteRange(5, 10**15), 0.0)], 4)) == 4
