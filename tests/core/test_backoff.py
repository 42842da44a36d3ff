"""Retries wait longer and longer, spread out, and never less than a server asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.backoff import Backoff, count_attempt

BELOW_ONE = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(("attempt", "longest_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (10_000, 60.0)])
def test_delays_double_up_to_the_cap(attempt: int, longest_s: float) -> None:
    """The longest delay doubles with each attempt and ends at the cap."""
    assert Backoff().delay_s(attempt, random=0.5) == longest_s / 2


@given(st.integers(-5, 10**9), BELOW_ONE, st.one_of(st.none(), st.floats(0, 86_400)))
def test_delay_is_bounded_and_obeys_the_server(attempt: int, random: float, retry_after_s: float | None) -> None:
    """A delay is never negative, never above the cap unless asked for, never below what was asked for."""
    delay_s = Backoff(base_s=2.0, cap_s=30.0).delay_s(attempt, random=random, retry_after_s=retry_after_s)
    assert 0 <= delay_s <= max(30.0, retry_after_s or 0.0)
    assert delay_s >= (retry_after_s or 0.0)


def test_jitter_is_full() -> None:
    """The delay may be anything from nothing to the longest."""
    assert Backoff().delay_s(3, random=0.0) == 0.0
    assert Backoff().delay_s(3, random=0.999) == pytest.approx(3.996)


def test_progress_resets_the_count() -> None:
    """Only attempts without progress count."""
    assert count_attempt(2, has_progressed=False) == 3
    assert count_attempt(2, has_progressed=True) == 0
