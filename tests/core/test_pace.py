"""Which connection lags behind, by bytes and instants that are passed in."""

from __future__ import annotations

import pytest

from tui_dl.core.pace import MOST_FUTILE, SPACING_S, WINDOW_S, Pace, Replacing


def _paced(rate_bps: float, seconds: float, step_s: float = 0.5) -> Pace:
    pace = Pace(0.0, 0)
    for tick in range(1, int(seconds / step_s) + 1):
        pace.mark(tick * step_s, int(tick * step_s * rate_bps))
    return pace


def test_a_young_connection_has_no_rate() -> None:
    """Nobody is judged before five seconds."""
    assert _paced(1000, WINDOW_S - 0.5).rate_bps is None


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """What it did before the window does not excuse it."""
    pace = _paced(1000, 10)
    for tick in range(1, 11):
        pace.mark(10 + tick * 0.5, 10_000)
    assert pace.rate_bps == 0


def test_a_wait_of_our_own_starts_the_judgement_anew() -> None:
    """A connection that stood still for us is watched for another window."""
    pace = _paced(1000, 10)
    pace.restart(10.0, 10_000)
    pace.mark(12.0, 10_000)
    assert pace.rate_bps is None


@pytest.mark.parametrize(("rate_bps", "is_slow"), [(29.0, True), (31.0, False), (None, False)])
def test_below_three_tenths_of_the_mean_lags(rate_bps: float | None, is_slow: bool) -> None:
    """The bound is the design's."""
    replacing = Replacing()
    replacing.observe([100.0, 100.0, None])
    assert replacing.is_laggard(rate_bps, 0.0) is is_slow


def test_the_last_one_is_measured_by_the_mean_that_was() -> None:
    """When all others are done, the one that is left is still known to be slow."""
    replacing = Replacing()
    replacing.observe([100.0, 120.0, 10.0])
    replacing.observe([10.0])
    assert replacing.is_laggard(10.0, 0.0)


def test_a_single_connection_is_never_slow() -> None:
    """There is nothing to compare it with."""
    replacing = Replacing()
    replacing.observe([10.0])
    assert not replacing.is_laggard(1.0, 0.0)


def test_replacements_keep_a_distance() -> None:
    """A host is not showered with requests."""
    replacing = Replacing()
    replacing.observe([100.0, 100.0])
    replacing.replaced(0.0)
    assert not replacing.is_laggard(0.0, SPACING_S / 2)
    assert replacing.is_laggard(0.0, SPACING_S)


def test_replacing_in_vain_comes_to_an_end() -> None:
    """A host that is slow on purpose keeps what it wants to give."""
    replacing = Replacing()
    replacing.observe([100.0, 100.0])
    for turn in range(MOST_FUTILE):
        assert replacing.is_laggard(1.0, turn * 10.0)
        replacing.replaced(turn * 10.0)
        replacing.judged(1.0, 1.5)
    assert not replacing.is_laggard(1.0, 1000.0)


def test_a_replacement_that_helped_allows_further_ones() -> None:
    """The count is of those in a row."""
    replacing = Replacing()
    replacing.observe([100.0, 100.0])
    for turn in range(2 * MOST_FUTILE):
        assert replacing.is_laggard(1.0, turn * 10.0)
        replacing.replaced(turn * 10.0)
        replacing.judged(1.0, 90.0)
