"""The number of connections: doubled while it helps, never beyond the bound, settled once it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.growth import Growth

PLENTY_BYTES = 1 << 40
TICK_S = 0.1


def grown(growth: Growth, rates: list[float], *, seconds: float = 1.0) -> list[int]:
    """Run a controller at these rates, one after the other; return the target after each."""
    now, received = 0.0, 0.0
    targets = []
    for rate in rates:
        for _ in range(round(seconds / TICK_S)):
            now += TICK_S
            received += rate * TICK_S
            growth.step(now, int(received), PLENTY_BYTES, growth.target)
        targets.append(growth.target)
    return targets


def test_it_doubles_while_the_whole_gets_faster() -> None:
    """1, 2, 4, 8."""
    assert grown(Growth(8, 0.0), [1e6, 2e6, 4e6, 8e6, 8e6]) == [2, 4, 8, 8, 8]


def test_it_goes_back_when_twice_as_many_bring_nothing() -> None:
    """What was as fast with fewer stays with fewer."""
    assert grown(Growth(8, 0.0), [1e6, 2e6, 2e6, 2e6, 9e6]) == [2, 4, 2, 2, 2]


def test_one_connection_stays_one_where_nothing_throttles() -> None:
    """The first doubling that brings nothing is taken back."""
    assert grown(Growth(8, 0.0), [1e9, 1e9, 1e9]) == [2, 1, 1]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_it_never_passes_the_bound(most: int) -> None:
    """A bound that is no power of two is reached exactly."""
    assert max(grown(Growth(most, 0.0), [1e6 * 2**step for step in range(6)])) == most


def test_it_waits_until_those_that_were_started_work() -> None:
    """A rate measured while a connection is still opening says nothing."""
    growth = Growth(8, 0.0)
    for tick in range(1, 40):
        growth.step(tick * TICK_S, tick * 100_000, PLENTY_BYTES, 0)
    assert growth.target == 1


def test_little_that_remains_is_not_worth_a_connection() -> None:
    """Less than two seconds' worth is finished as it is."""
    growth = Growth(8, 0.0)
    for tick in range(1, 40):
        growth.step(tick * TICK_S, tick * 100_000, 1_000_000, 1)
    assert growth.target == 1


def test_a_refusal_keeps_what_works() -> None:
    """No further growth after it."""
    growth = Growth(8, 0.0)
    grown(growth, [1e6, 2e6])
    growth.refuse(3)
    assert grown(growth, [8e6, 16e6]) == [3, 3]
    growth.refuse(0)
    assert growth.target == 1


@given(
    most=st.integers(1, 64),
    rates=st.lists(st.floats(0, 1e10), max_size=12),
)
def test_the_target_is_always_legal(most: int, rates: list[float]) -> None:
    """Whatever the rates do, at least one and at most the bound."""
    assert all(1 <= target <= most for target in grown(Growth(most, 0.0), rates))
