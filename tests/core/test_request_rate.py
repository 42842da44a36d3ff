"""Requests per period: how they are written, and that a bucket never lets more through than it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.host_budget import HostBudget
from tui_dl.core.request_rate import RequestBucket, RequestRate, parse_request_rate, request_rate_text


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/s", RequestRate(10, 1)),
        ("30/m", RequestRate(30, 60)),
        ("100/h", RequestRate(100, 3600)),
        ("0.5/s", RequestRate(0.5, 1)),
        ("", None),
        ("off", None),
    ],
)
def test_a_rate_is_so_many_in_a_period(text: str, rate: RequestRate | None) -> None:
    """Seconds, minutes, hours; nothing and `off` are no limit."""
    assert parse_request_rate(text) == rate
    assert request_rate_text(text) == ("" if rate is None else text)


@pytest.mark.parametrize("text", ["10", "10/", "/s", "10/d", "512K", "-1/s", "0/s", "0.0/m", "1e3/s", "10 / s", "٣/s"])
def test_what_is_no_rate_is_refused_with_the_way_to_write_it(text: str) -> None:
    """A bare number could mean bytes."""
    with pytest.raises(UsageError, match="out of bounds" if text.startswith("0") else "10/s"):
        parse_request_rate(text)


def test_a_rate_is_shown_as_it_is_written() -> None:
    """For `config show`."""
    assert [str(parse_request_rate(text)) for text in ("10/s", "30/m", "2.5/h")] == ["10/s", "30/m", "2.5/h"]


@given(
    st.floats(0.01, 500),
    st.floats(1, 20),
    st.lists(st.floats(-1, 5), min_size=1, max_size=60),
)
def test_no_time_sees_more_than_the_credit_and_the_rate(per_second: float, burst: float, steps: list[float]) -> None:
    """Whatever the clock does between, one that steps back included."""
    bucket = RequestBucket(per_second, burst=burst)
    now = high = 100.0
    allowed = burst
    taken = 0
    for step in steps:
        now += step
        allowed += max(0.0, now - high) * per_second if now > high else 0.0
        high = max(high, now)
        while bucket.wait_s(now) <= 0:
            bucket.take(now)
            taken += 1
            if taken > 3000:
                return
        # A clock that steps back and forth again counts the way twice; ours never does so beyond its steps.
        allowed += max(0.0, -min(step, 0.0)) * per_second
    assert taken <= allowed + 1e-6


def test_turns_are_owed_in_order() -> None:
    """Whoever takes a turn beyond the credit is told how long it is away."""
    bucket = RequestBucket(10, burst=1)
    assert [bucket.take(5.0) for _ in range(3)] == pytest.approx([0.0, 0.1, 0.2])


def test_a_turn_given_back_is_the_next_ones() -> None:
    """The credit never grows beyond the burst by it."""
    bucket = RequestBucket(1, burst=1)
    bucket.take(0.0)
    bucket.take(0.0)
    bucket.give_back(0.0)
    assert bucket.wait_s(0.0) == pytest.approx(1.0)
    bucket.give_back(0.0)
    bucket.give_back(0.0)
    assert bucket.is_full
    assert bucket.wait_s(0.0, ahead=1) == pytest.approx(1.0)


def test_a_paced_host_admits_by_its_turns() -> None:
    """A task that was admitted counts until it has asked, and its pause is known to be ours."""
    budget = HostBudget(requests=RequestBucket(2, burst=1))
    assert budget.can_start(10.0)
    budget.admit(10.0)
    assert not budget.can_start(10.0)
    assert budget.start_wait_s(10.0) == pytest.approx(0.5)
    budget.coming -= 1
    budget.opened(10.0)
    budget.answered(1)
    assert budget.wait_s(10.0) == pytest.approx(0.5)
    assert budget.is_own_pause(10.0)
    budget.blocked_until_at = 99.0
    assert not budget.is_own_pause(10.0)
    budget.blocked_until_at = 0.0
    assert budget.can_start(10.6)
