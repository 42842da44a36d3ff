"""Render the transition table as SQL, so that bulk actions and `advance()` cannot disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.status import FINISHED, TRANSITIONS, Trigger, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.status import Status

_NOTHING_WRONG: Final = ", reason = NULL, reason_text = '', due_at = NULL"

_EFFECTS: Final = {
    Trigger.REQUEUE: _NOTHING_WRONG,
    Trigger.PAUSE: _NOTHING_WRONG,
    Trigger.RESUME: _NOTHING_WRONG,
    Trigger.CANCEL: _NOTHING_WRONG,
    Trigger.RETRY: _NOTHING_WRONG + ", retry_count = 0",
}


def words(statuses: Iterable[Status]) -> str:
    """Return statuses as a list for SQL's `IN`."""
    return ", ".join(f"'{status.value}'" for status in sorted(statuses))


def status_case(trigger: Trigger) -> tuple[str, str]:
    """Return the expression of the status that follows, and the list of statuses from which the step is legal."""
    arms = " ".join(f"WHEN '{old.value}' THEN '{new.value}'" for old, new in TRANSITIONS[trigger].items())
    return f"CASE status {arms} ELSE status END", words(sources_of(trigger))


def assignments(trigger: Trigger) -> str:
    """Return what a bulk step sets besides the owner; takes `:at`, the present Unix time."""
    case, _ = status_case(trigger)
    is_end = all(status in FINISHED for status in TRANSITIONS[trigger].values())
    return f"status = {case}, finished_at = {':at' if is_end else 'NULL'}{_EFFECTS.get(trigger, '')}"
