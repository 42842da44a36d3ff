"""What a host allows: learned from its refusals, forgotten slowly, obeyed by all tasks."""

from __future__ import annotations

import pytest

from tui_dl.core.host_budget import MIN_GAP_AFTER_REFUSAL_S, REGROW_AFTER_S, HostBudget


def with_open(count: int) -> HostBudget:
    """Return a budget with so many connections at work since 0."""
    budget = HostBudget()
    for _ in range(count):
        budget.opened(0.0)
    return budget


def test_a_fresh_host_allows_what_the_setting_says() -> None:
    """Only further connections of split tasks are bounded by `--per-host`."""
    budget = with_open(8)
    assert budget.can_start(0.0)
    assert not budget.can_grow(0.0, 8)
    assert budget.can_grow(0.0, 9)


def test_connections_that_are_coming_count() -> None:
    """What was decided in this tick is not decided again."""
    budget = with_open(2)
    assert budget.can_grow(0.0, 4, coming=1)
    assert not budget.can_grow(0.0, 4, coming=2)


def test_a_refusal_teaches_one_less_than_there_were() -> None:
    """The refused one is still counted when it is noted."""
    budget = with_open(5)
    budget.refused(0.0, pause_s=None)
    assert budget.learned_connections == 4
    assert not budget.can_start(0.0)
    budget.closed()
    budget.closed()
    assert budget.can_start(0.0)


def test_a_later_refusal_never_raises_what_is_borne() -> None:
    """More open connections at the second refusal are no proof that they work."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    for _ in range(5):
        budget.opened(0.0)
    budget.refused(0.0, pause_s=None)
    assert budget.learned_connections == 2


def test_at_least_one_connection_is_borne() -> None:
    """A host that refuses everything is asked by one at a time."""
    budget = with_open(1)
    budget.refused(0.0, pause_s=None)
    assert budget.learned_connections == 1


def test_it_grows_again_slowly() -> None:
    """One more after a minute without a refusal, and one more after the next."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    assert not budget.can_start(REGROW_AFTER_S - 1)
    assert budget.can_start(REGROW_AFTER_S) is False
    assert budget.learned_connections == 3
    assert budget.can_start(2 * REGROW_AFTER_S)
    assert budget.learned_connections == 4


@pytest.mark.parametrize("per_host", [1, 4, 8])
def test_what_was_learned_bounds_the_setting_and_the_setting_what_was_learned(per_host: int) -> None:
    """The smaller one counts."""
    budget = with_open(5)
    assert budget.allowed(per_host) == per_host
    budget.refused(0.0, pause_s=None)
    assert budget.allowed(per_host) == min(per_host, 4)


def test_a_pause_holds_every_request() -> None:
    """Until its end nobody may start or grow; a shorter one does not shorten it."""
    budget = HostBudget()
    budget.pause(100.0, 30.0)
    budget.pause(101.0, 1.0)
    assert budget.wait_s(110.0) == 20.0
    assert not budget.can_start(110.0)
    assert not budget.can_grow(110.0, 8)
    assert budget.can_start(130.0)


def test_on_probation_requests_keep_their_distance() -> None:
    """At most one a second until one is answered well."""
    budget = HostBudget()
    budget.pause(100.0, 0.0)
    budget.opened(100.0)
    assert budget.wait_s(100.0) == MIN_GAP_AFTER_REFUSAL_S
    assert budget.wait_s(100.0 + MIN_GAP_AFTER_REFUSAL_S) == 0.0
    budget.answered_well()
    assert budget.wait_s(100.0) == 0.0


def test_opening_and_closing_balance() -> None:
    """The count is what is at work."""
    budget = with_open(3)
    for _ in range(3):
        budget.closed()
    assert budget.open_connections == 0
