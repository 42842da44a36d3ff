"""The number of connections: doubled while it helps, never beyond the bound, settled once it does not."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.growth import Growth

if TYPE_CHECKING:
    from collections.abc import Callable

PLENTY_BYTES = 1 << 40
SOME_BYTES = 6_000_000
"""Six seconds' worth of the first connection, in the tests below."""
TICK_S = 0.03


def grown(
    growth: Growth, rate_of: Callable[[int], float], *, seconds: float = 10.0, left_bytes: int = SOME_BYTES
) -> list[int]:
    """Run a controller on a server that gives so much to so many connections; return the targets in their order."""
    now, received = 0.0, 0.0
    targets = [growth.target]
    for _ in range(round(seconds / TICK_S)):
        now += TICK_S
        received += rate_of(growth.target) * TICK_S
        target = growth.step(now, int(received), left_bytes, growth.target)
        if target != targets[-1]:
            targets.append(target)
    return targets


def test_it_doubles_while_the_whole_gets_faster() -> None:
    """1, 2, 4, 8, where each step brings half as much again."""
    assert grown(Growth(8), lambda count: 1e6 * 1.6 ** (count - 1).bit_length()) == [1, 2, 4, 8]


def test_full_gains_are_taken_at_once() -> None:
    """A server that paces each connection gives all sixteen within half a second: each look takes two glances."""
    assert grown(Growth(8), lambda count: count * 1e6, seconds=0.5) == [1, 2, 8]


def test_where_much_is_left_four_follow_the_first() -> None:
    """Each step less is a tenth of a second of all sixteen."""
    assert grown(Growth(16), lambda count: count * 1e6, seconds=0.3, left_bytes=PLENTY_BYTES) == [1, 4, 16]


def test_four_that_bring_no_more_are_taken_back_at_once() -> None:
    """However much is left."""
    assert grown(Growth(16), lambda _count: 1e6, left_bytes=PLENTY_BYTES) == [1, 4, 1]


def test_of_four_more_is_asked_than_of_two() -> None:
    """Where they bring twice as much they are kept, and eight are tried, not sixteen."""
    assert grown(Growth(16), lambda count: 1e6 * min(count, 2), left_bytes=PLENTY_BYTES) == [1, 4, 8, 4]


def test_it_goes_back_when_twice_as_many_bring_nothing() -> None:
    """What was as fast with fewer stays with fewer."""
    growth = Growth(8)
    assert grown(growth, lambda count: min(count, 2) * 1e6) == [1, 2, 8, 2]
    assert growth.is_settled


def test_a_no_takes_patience() -> None:
    """Windows that open slowly are not taken for a server that gives no more."""
    assert grown(Growth(8), lambda count: min(count, 1) * 1e6, seconds=0.8) == [1, 2]


def test_a_rate_that_still_climbs_is_not_judged_soon() -> None:
    """While windows open, time alone makes it faster: that is no gain of the connections."""
    growth = Growth(8)
    received = 0.0
    for tick in range(1, 10):
        received += 1e5 * 2**tick * TICK_S
        growth.step(tick * TICK_S, int(received), PLENTY_BYTES, 1)
    assert growth.target == 1


def test_a_small_gain_is_worth_it_after_a_while() -> None:
    """A fifth more is no clear gain, but one."""
    assert grown(Growth(4), lambda count: 1e6 * 1.2 ** (count - 1).bit_length()) == [1, 2, 4]


def test_one_connection_stays_one_where_nothing_throttles() -> None:
    """The first doubling that brings nothing is taken back."""
    assert grown(Growth(8), lambda _count: 1e9, left_bytes=6_000_000_000) == [1, 2, 1]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_it_never_passes_the_bound(most: int) -> None:
    """A bound that is no power of two is reached exactly."""
    assert max(grown(Growth(most), lambda count: count * 1e6)) == most


def test_it_waits_until_those_that_were_started_work() -> None:
    """A rate measured while a connection is still opening says nothing."""
    growth = Growth(8)
    for tick in range(1, 40):
        growth.step(tick * TICK_S, tick * 100_000, PLENTY_BYTES, 0)
    assert growth.target == 1


def test_little_that_remains_is_not_worth_a_connection() -> None:
    """Less than two seconds' worth is finished as it is."""
    growth = Growth(8)
    for tick in range(1, 40):
        growth.step(tick * TICK_S, tick * 100_000, 1_000_000, 1)
    assert growth.target == 1


def test_a_refusal_keeps_what_works() -> None:
    """No further growth after it."""
    growth = Growth(8)
    grown(growth, lambda count: count * 1e6, seconds=0.5)
    growth.refuse(3)
    assert grown(growth, lambda count: count * 1e6) == [3]
    growth.refuse(0)
    assert growth.target == 1


@given(most=st.integers(1, 64), rates=st.lists(st.floats(0, 1e10), min_size=1, max_size=64))
def test_the_target_is_always_legal(most: int, rates: list[float]) -> None:
    """Whatever the rates do, at least one and at most the bound."""
    left = cycle(rates)
    assert all(1 <= target <= most for target in grown(Growth(most), lambda _count: next(left)))
