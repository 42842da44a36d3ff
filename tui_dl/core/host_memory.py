"""What is kept of a host between two runs: facts without instants, which age while nobody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.host_budget import MEMORY_S, MOST_GAP_S, MOST_REGROW_S, REGROW_DOUBTED_S, Crowds, HostBudget

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CONNECTIONS: Final = 100_000
"""More than any host was ever seen to bear: a larger number was not written by us."""


def facts_of(budget: HostBudget, now: float) -> dict[str, Any]:
    """Return what is worth keeping, as JSON values: spans of time up to `now`, never instants of this run's clock."""
    lesson_s = 0.0 if budget.changed_at is None else now - budget.changed_at
    return {
        "connections": budget.learned_connections,
        "is_doubtful": budget.is_doubtful,
        "crowds": budget.crowds.value,
        "refuses_ranges": budget.refuses_ranges,
        "blocked_s": max(0.0, budget.blocked_until_at - now),
        "gap_s": budget.gap_s,
        "least_gap_s": budget.least_gap_s,
        "regrow_s": budget.regrow_s,
        "refused_s": min(MEMORY_S, now - budget.last_refusal_at),
        "lesson_s": lesson_s,
    }


def recall(budget: HostBudget, facts: Mapping[str, Any], *, age_s: float, now: float, most_pause_s: float) -> bool:
    """Give a budget what was kept `age_s` seconds ago; return False where that is too old or not understood.

    A clock that was set back makes the age negative, which counts as none; a pause never lasts longer than
    `most_pause_s`, whatever the clocks say.
    """
    age_s = max(0.0, age_s)
    lesson_s = _number(facts, "lesson_s", MEMORY_S) + age_s
    if not facts or lesson_s >= MEMORY_S:
        return False
    budget.learned_connections = _connections(facts.get("connections"))
    budget.is_doubtful = facts.get("is_doubtful") is True
    budget.crowds = _crowds(facts.get("crowds"))
    budget.refuses_ranges = facts.get("refuses_ranges") is True
    budget.blocked_until_at = now + max(0.0, _number(facts, "blocked_s", most_pause_s) - age_s)
    budget.least_gap_s = _number(facts, "least_gap_s", MOST_GAP_S)
    budget.gap_s = max(budget.least_gap_s, _number(facts, "gap_s", MOST_GAP_S))
    budget.regrow_s = max(REGROW_DOUBTED_S, _number(facts, "regrow_s", MOST_REGROW_S))
    budget.last_refusal_at = now - _number(facts, "refused_s", MEMORY_S) - age_s
    budget.changed_at = now - lesson_s
    budget.regrow(now)
    return True


def _number(facts: Mapping[str, Any], name: str, most: float) -> float:
    value = facts.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124  # NaN
        return 0.0
    return min(most, max(0.0, float(value)))


def _connections(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return min(MOST_CONNECTIONS, max(1, value))


def _crowds(value: Any) -> Crowds:
    try:
        return Crowds(value)
    except ValueError:
        return Crowds.UNKNOWN
