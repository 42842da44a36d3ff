"""What is kept of a host ages while nobody looks, and no clock makes it worse than it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.host_budget import MEMORY_S, REGROW_AFTER_S, Crowds, HostBudget
from tui_dl.core.host_memory import facts_of, recall

PAUSE_S = 600.0
MOST_PAUSE_S = 900.0
NOW = 5_000.0
"""Another run's clock."""


def taught() -> HostBudget:
    """Return a budget that learned all there is, at 100."""
    budget = HostBudget()
    for _ in range(5):
        budget.opened(100.0)
    budget.refused(100.0, pause_s=PAUSE_S)
    budget.learn_crowds(100.0, Crowds.REFUSED)
    budget.learn_no_ranges(100.0)
    return budget


def recalled(facts: dict[str, Any], age_s: float) -> HostBudget:
    """Return a budget that was given these facts."""
    budget = HostBudget()
    recall(budget, json.loads(json.dumps(facts)), age_s=age_s, now=NOW, most_pause_s=MOST_PAUSE_S)
    return budget


def test_a_restart_at_once_forgets_nothing() -> None:
    """The next run goes on where this one was."""
    budget = recalled(facts_of(taught(), 101.0), 0.0)
    assert budget.learned_connections == 4
    assert budget.wait_s(NOW) == PAUSE_S - 1
    assert budget.crowds is Crowds.REFUSED
    assert budget.refuses_ranges
    assert budget.open_connections == 0


def test_a_pause_ends_while_nobody_looks() -> None:
    """What is left of it is what the clock on the wall says."""
    assert recalled(facts_of(taught(), 100.0), 400.0).wait_s(NOW) == PAUSE_S - 400
    assert recalled(facts_of(taught(), 100.0), 700.0).blocked_until_at <= NOW


def test_it_regrows_with_its_age() -> None:
    """One connection more for each minute, as if it had been watched."""
    budget = recalled(facts_of(taught(), 100.0), 3.5 * REGROW_AFTER_S)
    assert budget.learned_connections == 7


def test_after_an_hour_it_is_forgotten() -> None:
    """What is older says nothing."""
    budget = recalled(facts_of(taught(), 100.0), MEMORY_S)
    assert budget == HostBudget()
    assert not recall(HostBudget(), facts_of(taught(), 100.0), age_s=MEMORY_S, now=NOW, most_pause_s=1.0)


def test_a_lesson_does_not_get_younger_by_being_saved() -> None:
    """Its age goes with it."""
    facts = facts_of(recalled(facts_of(taught(), 100.0), MEMORY_S - 100), NOW)
    assert recalled(facts, 101.0) == HostBudget()


@pytest.mark.parametrize("age_s", [-1e9, -1.0, 0.0])
def test_a_clock_set_back_blocks_nobody_for_years(age_s: float) -> None:
    """The pause is at most what was left of it when it was written down."""
    assert recalled(facts_of(taught(), 100.0), age_s).wait_s(NOW) == PAUSE_S


def test_a_pause_never_exceeds_the_setting() -> None:
    """Whatever the file says."""
    assert recalled({**facts_of(taught(), 100.0), "blocked_s": 1e12}, 0.0).wait_s(NOW) == MOST_PAUSE_S


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(
    facts=st.dictionaries(st.sampled_from(sorted(facts_of(HostBudget(), 0.0))), JUNK),
    age_s=st.floats(allow_nan=False),
)
def test_nothing_that_may_stand_in_a_damaged_journal_does_harm(facts: dict[str, Any], age_s: float) -> None:
    """A budget is sane afterwards: it blocks for a bounded time and bears at least one connection."""
    budget = HostBudget()
    recall(budget, facts, age_s=age_s, now=NOW, most_pause_s=MOST_PAUSE_S)
    assert 0 <= budget.wait_s(NOW) <= MOST_PAUSE_S
    assert budget.learned_connections is None or budget.learned_connections >= 1
    assert budget.can_start(NOW + MOST_PAUSE_S + MEMORY_S)
