"""Speeds neither spike nor lie, limits are exact over time, whatever the clock does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.rate import BURST_S, SpeedMeter, TokenBucket, eta_s

INSTANTS = st.floats(-1e9, 1e9)


@pytest.mark.parametrize("start", [0.0, 0.9, 1234.56, 1e9])
def test_steady_flow_shows_its_speed(start: float) -> None:
    """After a second a steady flow is shown within the share of one step, at any instant."""
    meter = SpeedMeter()
    for step in range(1, 200):
        now = start + step * 0.1
        meter.add(100, now)
        if step > 11:
            assert meter.speed_bps(now) == pytest.approx(1000, rel=0.11)


def test_first_bytes_make_no_spike() -> None:
    """A megabyte in the first millisecond is at most a megabyte a second."""
    meter = SpeedMeter()
    meter.add(1_000_000, 10.999)
    assert meter.speed_bps(11.0) <= 1_000_000
    assert meter.speed_bps(11.001) <= 1_000_000


def test_silence_is_zero() -> None:
    """A flow that stopped is shown as nothing after the window."""
    meter = SpeedMeter()
    meter.add(1000, 0.5)
    assert meter.speed_bps(2.0) > 0
    assert meter.speed_bps(6.0) == 0


def test_speed_after_a_silence_counts_from_its_end() -> None:
    """The first seconds after a pause are not diluted by it."""
    meter = SpeedMeter()
    meter.add(1000, 0.0)
    for step in range(20):
        meter.add(100, 100 + step * 0.1)
    assert meter.speed_bps(102.0) == pytest.approx(1000, rel=0.01)


def test_empty_adds_do_not_start_the_window() -> None:
    """A ticker that adds nothing does not count as flow."""
    meter = SpeedMeter()
    for step in range(100):
        meter.add(0, step * 0.25)
    meter.add(1000, 25.0)
    assert meter.speed_bps(26.0) == pytest.approx(1000)


def test_history_has_whole_seconds() -> None:
    """The graph gets each finished second, oldest first, zeros where nothing came or is known."""
    meter = SpeedMeter(kept_s=10)
    meter.add(5, 100.2)
    meter.add(7, 100.9)
    meter.add(9, 102.5)
    meter.add(1, 103.5)
    assert meter.history(103.6, 4) == [0, 12, 0, 9]
    assert meter.history(103.6, 12) == [0] * 9 + [12, 0, 9]
    assert meter.history(103.6, 0) == []
    assert meter.history(500.0, 3) == [0, 0, 0]


def test_a_clock_that_steps_back_a_little_changes_nothing() -> None:
    """Small steps back are taken for the latest instant."""
    meter = SpeedMeter()
    meter.add(1000, 10.0)
    meter.add(1000, 9.5)
    assert meter.speed_bps(11.0) == 2000


def test_a_clock_that_jumps_back_far_starts_anew() -> None:
    """Speed is shown again soon after a jump of years."""
    meter = SpeedMeter()
    meter.add(1000, 1e9)
    for step in range(30):
        meter.add(100, 50 + step * 0.1)
    assert meter.speed_bps(53.0) == pytest.approx(1000, rel=0.05)


@given(st.lists(st.tuples(st.integers(0, 10**9), INSTANTS), max_size=30))
def test_any_clock_gives_a_sane_speed(adds: list[tuple[int, float]]) -> None:
    """No order of instants makes a speed negative or more than all bytes a second."""
    meter = SpeedMeter(kept_s=8)
    for count_bytes, now in adds:
        meter.add(count_bytes, now)
        assert 0 <= meter.speed_bps(now) <= sum(count for count, _ in adds)
        assert all(count >= 0 for count in meter.history(now, 7))


@pytest.mark.parametrize(
    ("remaining", "speed", "expected"),
    [
        (1000, 100.0, 10.0), (0, 0.0, 0.0), (-5, 10.0, 0.0), (None, 100.0, None), (1000, 0.0, None),
        (1000, -1.0, None), (1000, float("nan"), None), (1000, float("inf"), None), (10**15, 1e-9, None),
    ],
)  # fmt: skip
def test_eta(remaining: int | None, speed: float, expected: float | None) -> None:
    """The time left is known, or None; it is never negative."""
    assert eta_s(remaining, speed) == expected


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=60), st.integers(1_000, 10_000_000))
def test_bucket_keeps_its_rate(chunks: list[int], rate_bps: int) -> None:
    """Whoever waits as told never gets ahead of the rate by more than the credit and one chunk, and never lags."""
    bucket = TokenBucket(rate_bps, 0.0)
    now = 0.0
    taken = 0
    for chunk in chunks:
        wait_s = bucket.take(chunk, now)
        taken += chunk
        assert taken <= rate_bps * (now + BURST_S) + chunk + 1
        now += wait_s
        assert taken >= rate_bps * now - 1


def test_bucket_saves_no_more_than_its_credit() -> None:
    """A long silence earns 150 ms worth, no more."""
    bucket = TokenBucket(1000, 0.0)
    assert bucket.take(150, 3600.0) == 0
    assert bucket.take(100, 3600.0) == pytest.approx(0.1)


def test_what_comes_back_was_never_taken() -> None:
    """Bytes given back shorten the wait by their own worth, and make no credit beyond the burst."""
    bucket = TokenBucket(1000, 0.0)
    bucket.take(500, 0.0)
    bucket.give_back(400, 0.0)
    assert bucket.wait_s(0.0) == pytest.approx(0.1)
    bucket.give_back(10_000, 0.0)
    assert bucket.take(250, 0.0) == pytest.approx(0.1)


def test_takers_pay_for_each_other() -> None:
    """Takers that share a bucket wait one after the other."""
    bucket = TokenBucket(1000, 0.0)
    waits = [bucket.take(250, 0.0) for _ in range(4)]
    assert waits == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_a_higher_rate_shortens_the_wait() -> None:
    """Debt of a slow time is paid at the new speed."""
    bucket = TokenBucket(100, 0.0)
    assert bucket.take(100_000, 0.0) == pytest.approx(1000)
    bucket.set_rate(1_000_000, 0.0)
    assert bucket.wait_s(0.0) == pytest.approx(0.1)


def test_a_lower_rate_does_not_lengthen_a_wait() -> None:
    """Debt of a fast time is not paid at the new slowness."""
    bucket = TokenBucket(1_000_000, 0.0)
    wait_s = bucket.take(750_000, 0.0)
    bucket.set_rate(100, 0.0)
    assert bucket.wait_s(0.0) == pytest.approx(wait_s)


def test_no_rate_is_no_limit() -> None:
    """Zero limits nothing, and a limit set later begins without debt."""
    bucket = TokenBucket(0, 0.0)
    assert bucket.take(10**12, 0.0) == 0
    bucket.set_rate(1000, 1.0)
    assert bucket.take(100, 1.0) == pytest.approx(0.1)
    bucket.set_rate(0, 1.0)
    assert bucket.take(10**9, 1.0) == 0


@given(st.lists(st.tuples(st.integers(0, 10**7), INSTANTS, st.floats(0, 1e9)), max_size=30))
def test_bucket_survives_any_clock(steps: list[tuple[int, float, float]]) -> None:
    """No clock and no change of rate makes a wait negative or endless."""
    bucket = TokenBucket(1000, 0.0)
    for count_bytes, now, rate_bps in steps:
        bucket.set_rate(rate_bps, now)
        wait_s = bucket.take(count_bytes, now)
        assert wait_s >= 0
        assert rate_bps > 0 or wait_s == 0
