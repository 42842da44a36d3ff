"""A RangeSet is a set of offsets: compared with a model that is one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.ranges import ByteRange, RangeSet, range_header

TOP = 40
BOUNDS = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(lambda pair: (min(pair), max(pair)))
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), BOUNDS), max_size=25)


def built(steps: list[tuple[str, tuple[int, int]]]) -> tuple[RangeSet, set[int]]:
    """Run the same steps on a RangeSet and on a set of ints."""
    ranges, model = RangeSet(), set[int]()
    for name, (start, end) in steps:
        if name == "add":
            ranges.add(start, end)
            model |= set(range(start, end))
        else:
            ranges.remove(start, end)
            model -= set(range(start, end))
    return ranges, model


def offsets(ranges: RangeSet) -> set[int]:
    """Return every offset that is held."""
    return {offset for start, end in ranges for offset in range(start, end)}


@given(STEPS)
def test_adding_and_removing_are_those_of_a_set(steps: list[tuple[str, tuple[int, int]]]) -> None:
    """Any order of steps holds exactly the model's offsets."""
    ranges, model = built(steps)
    assert offsets(ranges) == model
    assert ranges.total_bytes == len(model)
    assert ranges.end == max(model, default=-1) + 1
    assert bool(ranges) == bool(model)
    assert ranges.prefix_bytes == next(offset for offset in range(TOP + 1) if offset not in model)


@given(STEPS)
def test_ranges_are_sorted_disjoint_and_apart(steps: list[tuple[str, tuple[int, int]]]) -> None:
    """The same offsets always have the same, shortest form."""
    ranges, model = built(steps)
    listed = list(ranges)
    assert all(start < end for start, end in listed)
    assert all(one.end < other.start for one, other in pairwise(listed))
    assert len(ranges) == len(listed)
    assert ranges == RangeSet((offset, offset + 1) for offset in sorted(model, reverse=True))


@given(STEPS, BOUNDS)
def test_questions_are_answered_as_by_a_set(steps: list[tuple[str, tuple[int, int]]], bounds: tuple[int, int]) -> None:
    """Covers, overlaps and gaps agree with the model for any stretch."""
    ranges, model = built(steps)
    start, end = bounds
    asked = set(range(start, end))
    assert ranges.covers(start, end) == (asked <= model)
    assert ranges.overlaps(start, end) == bool(asked & model)
    gaps = list(ranges.gaps(end, start))
    assert {offset for gap in gaps for offset in range(*gap)} == asked - model
    assert all(gap.length_bytes > 0 for gap in gaps)
    assert all(one.end < other.start for one, other in pairwise(gaps))


@given(STEPS, STEPS)
def test_update_joins_and_a_copy_is_independent(
    one: list[tuple[str, tuple[int, int]]], other: list[tuple[str, tuple[int, int]]]
) -> None:
    """Joining holds both; what happens to a copy does not happen to the original."""
    ranges, model = built(one)
    added, added_model = built(other)
    twin = ranges.copy()
    twin.update(added)
    assert offsets(twin) == model | added_model
    assert offsets(ranges) == model


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4)])
def test_a_negative_range_is_refused(start: int, end: int) -> None:
    """A range that cannot be is a programming error, not an empty one."""
    with pytest.raises(ValueError, match="not a byte range"):
        RangeSet().add(start, end)


def test_the_header_is_inclusive() -> None:
    """Only the Range header names the last byte itself."""
    assert range_header(0, None) == "bytes=0-"
    assert range_header(10, 20) == "bytes=10-19"
    assert ByteRange(10, 20).length_bytes == 10
