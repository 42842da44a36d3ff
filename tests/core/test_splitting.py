"""Which connection fetches which bytes: each byte once, cuts only where they are worth it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.ranges import RangeSet
from tui_dl.core.splitting import ALIGNMENT_BYTES, MIB, MIN_OPEN_SPLIT_BYTES, Segment, SegmentPlan

TOTAL_BYTES = 100 * MIB


def spans(plan: SegmentPlan) -> list[tuple[int, int | None]]:
    """Return the ranges being fetched."""
    return [(one.start, one.end) for one in plan.segments]


def test_nothing_is_complete_without_a_length() -> None:
    """What has no known end cannot be all there."""
    plan = SegmentPlan(None)
    plan.hold(0, 1000)
    assert not plan.is_complete
    plan.total_bytes = 1000
    assert plan.is_complete


def test_an_empty_file_is_complete() -> None:
    """There is nothing to fetch."""
    assert SegmentPlan(0).is_complete


def test_free_is_what_is_neither_held_nor_fetched() -> None:
    """Gaps come in order."""
    plan = SegmentPlan(1000, RangeSet([(100, 200), (500, 600)]))
    plan.begin(600, 1000)
    assert [(gap.start, gap.end) for gap in plan.free()] == [(0, 100), (200, 500)]


def test_a_free_range_goes_before_a_cut() -> None:
    """Nobody's connection is shortened while there is something to take."""
    plan = SegmentPlan(TOTAL_BYTES)
    plan.begin(0, MIB)
    taken = plan.take(0)
    assert taken is not None
    assert (taken.start, taken.end) == (MIB, TOTAL_BYTES)


def test_an_idle_connection_takes_half_of_the_largest_remainder() -> None:
    """Cut in the middle of what is left, on a whole block."""
    plan = SegmentPlan(TOTAL_BYTES)
    plan.begin(0, 20 * MIB)
    large = plan.begin(20 * MIB, TOTAL_BYTES)
    large.position = 40 * MIB
    taken = plan.take(0)
    assert taken is not None
    assert (large.end, taken.start, taken.end) == (70 * MIB, 70 * MIB, TOTAL_BYTES)
    assert taken.start % ALIGNMENT_BYTES == 0


@pytest.mark.parametrize(
    ("remaining_bytes", "rate_bps", "is_open_ended", "is_cut"),
    [
        (2 * MIB, 0, False, True),
        (2 * MIB - 1, 0, False, False),
        (8 * MIB, 16 * MIB, False, True),
        (8 * MIB, 17 * MIB, False, False),
        (MIN_OPEN_SPLIT_BYTES, 0, True, True),
        (MIN_OPEN_SPLIT_BYTES - 1, 0, True, False),
        (40 * MIB, 20 * MIB, True, True),
        (39 * MIB, 20 * MIB, True, False),
        (8 * MIB, MIB, True, True),
        (8 * MIB - 1, MIB, True, False),
        (2 * MIB, MIB // 8, True, True),
        (2 * MIB - 1, MIB // 8, True, False),
    ],
)
def test_a_cut_must_be_worth_it(remaining_bytes: int, rate_bps: int, *, is_open_ended: bool, is_cut: bool) -> None:
    """Both sides keep 1 MiB and 0.25 s' worth; the open-ended first request 16 MiB and two seconds', or eight alone."""
    plan = SegmentPlan(remaining_bytes)
    plan.begin(0, remaining_bytes, is_open_ended=is_open_ended)
    assert plan.can_split(rate_bps) is is_cut
    assert (plan.take(rate_bps) is not None) is is_cut


def test_an_open_ended_request_that_was_cut_is_cut_on_as_any_other() -> None:
    """Its connection is lost at its end already: the rest of it, large for a slow server, is shared to the last."""
    plan = SegmentPlan(20 * MIB)
    first = plan.begin(0, 20 * MIB, is_open_ended=True)
    assert {taken.start // MIB for _ in range(7) if (taken := plan.take(0))} == {2, 5, 7, 10, 12, 15, 17}
    assert first.end == 2 * MIB + MIB // 2


def test_an_unknown_end_is_never_cut() -> None:
    """Without a length there is no half."""
    plan = SegmentPlan(None)
    plan.begin(0, None)
    assert plan.take(0) is None


def test_a_range_given_back_is_free_again_but_for_what_is_held() -> None:
    """What was fetched of it stays."""
    plan = SegmentPlan(1000)
    segment = plan.begin(0, 1000)
    plan.hold(0, 300)
    plan.release(segment)
    plan.release(segment)
    assert [(gap.start, gap.end) for gap in plan.free()] == [(300, 1000)]


def test_a_connection_runs_on_into_the_free_range_behind_it() -> None:
    """As far as its answer goes and the range is free."""
    plan = SegmentPlan(1000, RangeSet([(600, 700)]))
    segment = plan.begin(0, 200)
    assert plan.run_on(segment, 500)
    assert segment.end == 500
    assert plan.run_on(segment, 1000)
    assert segment.end == 600
    assert not plan.run_on(segment, 1000)


def test_a_connection_does_not_run_into_another() -> None:
    """What somebody fetches is not free."""
    plan = SegmentPlan(1000)
    segment = plan.begin(0, 200)
    plan.begin(200, 400)
    assert not plan.run_on(segment, 1000)


def test_another_version_forgets_everything() -> None:
    """Nothing of the old one is held or fetched."""
    plan = SegmentPlan(1000, RangeSet([(0, 100)]))
    plan.begin(100, 1000)
    plan.forget_all()
    assert not plan.held
    assert spans(plan) == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "receive", "cut", "run on"]), st.integers(0, 63), st.integers(1, 3 * MIB)),
    max_size=60,
)


@given(total_mib=st.integers(1, 64), steps=STEPS)
def test_any_schedule_fetches_each_byte_once(total_mib: int, steps: list[tuple[str, int, int]]) -> None:
    """However ranges are taken, cut, given back and run on, no byte has two owners and none is forgotten."""
    total = total_mib * MIB - 12_345
    plan = SegmentPlan(total)
    plan.begin(0, total, is_open_ended=True)
    for name, which, count in steps:
        if name == "take":
            plan.take(0)
        elif plan.segments:
            _act(plan, plan.segments[which % len(plan.segments)], name, count)
        _require_disjoint(plan, total)
    while not plan.is_complete:
        segment = plan.segments[0] if plan.segments else plan.take(0)
        assert segment is not None
        _act(plan, segment, "receive", total)
        plan.release(segment)


def _act(plan: SegmentPlan, segment: Segment, name: str, count: int) -> None:
    assert segment.end is not None
    if name == "receive":
        stop = min(segment.end, segment.position + count)
        plan.hold(segment.position, stop)
        segment.position = stop
    elif name == "cut":
        plan.release(segment)
    else:
        if segment.position < segment.end:
            return
        plan.run_on(segment, None)


def _require_disjoint(plan: SegmentPlan, total: int) -> None:
    owned = [(one.position, one.end) for one in plan.segments if one.end is not None and one.position < one.end]
    owned += [(gap.start, gap.end) for gap in plan.free()]
    owned += [(one.start, one.end) for one in plan.held]
    assert sum(end - start for start, end in owned) == total
    for (_, before), (after, _) in zip(sorted(owned), sorted(owned)[1:], strict=False):
        assert before <= after


def test_a_large_open_ended_remainder_spares_no_smaller_one() -> None:
    """What may not be cut yet does not keep the next largest from being cut."""
    plan = SegmentPlan(24 * MIB)
    plan.begin(0, 14 * MIB, is_open_ended=True)
    plan.begin(14 * MIB, 24 * MIB)
    taken = plan.take(0)
    assert taken is not None
    assert (taken.start, taken.end) == (19 * MIB, 24 * MIB)


def test_cuts_fall_between_pieces() -> None:
    """Where pieces have digests, one connection brings a whole piece, so that a liar can be told."""
    plan = SegmentPlan(TOTAL_BYTES)
    plan.alignment_bytes = 7 * MIB
    plan.begin(0, TOTAL_BYTES)
    taken = plan.take(0)
    assert taken is not None
    assert taken.start == 49 * MIB


def test_pieces_too_long_for_what_is_left_are_cut() -> None:
    """A remainder within one piece is still shared."""
    plan = SegmentPlan(TOTAL_BYTES)
    plan.alignment_bytes = 64 * MIB
    plan.begin(0, 10 * MIB)
    plan.hold(10 * MIB, TOTAL_BYTES)
    taken = plan.take(0)
    assert taken is not None
    assert taken.start == 5 * MIB


def test_dropped_bytes_are_fetched_again() -> None:
    """What turned out wrong is free at once, and counted only where it was held."""
    plan = SegmentPlan(1000, RangeSet([(0, 600)]))
    assert plan.drop(500, 900) == 100
    assert [(gap.start, gap.end) for gap in plan.free()] == [(500, 1000)]
