"""The status of a task: one enum, one transition table, one `advance()`.

Everything that decides what may follow what lives here. The same table renders the
`WHERE status IN (...)` of bulk actions on rows that are not live, and what the footer offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    RESOLVING = "resolving"
    DOWNLOADING = "downloading"
    WAITING = "waiting"
    PAUSED = "paused"
    VERIFYING = "verifying"
    PROCESSING = "processing"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(StrEnum):
    """What happens to a task. `PAUSE`, `RESUME`, `CANCEL`, `RETRY`, `DESELECT` and `OFFER` come from a person only."""

    RESOLVE = "resolve"
    START = "start"
    WAIT = "wait"
    REQUEUE = "requeue"
    """Back to the queue without blame: a due time came, the process ended, an orphan was adopted."""
    VERIFY = "verify"
    PROCESS = "process"
    COMPLETE = "complete"
    SKIP = "skip"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    DESELECT = "deselect"
    """An entry of a playlist is not wanted."""
    OFFER = "offer"
    """It may be chosen again, and waits for the word to begin."""
    REOPEN = "reopen"
    """A playlist that was done has entries again that are wanted; files are never reopened."""


class Tab(StrEnum):
    """The filter tabs of the main screen; every status belongs to exactly one besides `ALL`."""

    ALL = "all"
    ACTIVE = "active"
    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class IllegalTransition(Exception):  # noqa: N818  # named for what happened, as in a state machine's table
    """`advance()` was asked for a step that the table does not hold; a programming error."""

    def __init__(self, status: Status, trigger: Trigger) -> None:
        super().__init__(f"a task that is {status} cannot {trigger}")
        self.status = status
        self.trigger = trigger


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What is said and asked of one status."""

    label: str
    """The word on the screen."""
    names: tuple[str, ...]
    """What a person may type after `status:` in a query, besides the status itself."""
    tab: Tab
    """The filter tab that counts it."""


FACTS: Final[dict[Status, StatusFacts]] = {
    Status.PENDING: StatusFacts("queued", ("queued",), Tab.QUEUED),
    Status.RESOLVING: StatusFacts("resolving", ("active",), Tab.ACTIVE),
    Status.DOWNLOADING: StatusFacts("downloading", ("active", "running"), Tab.ACTIVE),
    Status.WAITING: StatusFacts("waits", ("active",), Tab.ACTIVE),
    Status.PAUSED: StatusFacts("paused", ("stopped",), Tab.QUEUED),
    Status.VERIFYING: StatusFacts("verifying", ("active",), Tab.ACTIVE),
    Status.PROCESSING: StatusFacts("processing", ("active",), Tab.ACTIVE),
    Status.COMPLETED: StatusFacts("done", ("done", "finished"), Tab.DONE),
    Status.SKIPPED: StatusFacts("skipped", ("finished",), Tab.DONE),
    Status.FAILED: StatusFacts("failed", ("error",), Tab.FAILED),
    Status.CANCELLED: StatusFacts("cancelled", ("canceled",), Tab.FAILED),
}

_LIVE: Final = (Status.RESOLVING, Status.DOWNLOADING, Status.VERIFYING, Status.PROCESSING)
_OPEN: Final = (Status.PENDING, *_LIVE, Status.WAITING)


def _all_to(target: Status, *sources: Status) -> dict[Status, Status]:
    return dict.fromkeys(sources, target)


TRANSITIONS: Final[dict[Trigger, dict[Status, Status]]] = {
    Trigger.RESOLVE: _all_to(Status.RESOLVING, Status.PENDING),
    Trigger.START: _all_to(Status.DOWNLOADING, Status.PENDING, Status.RESOLVING, Status.WAITING, Status.VERIFYING),
    Trigger.WAIT: _all_to(Status.WAITING, Status.PENDING, *_LIVE),
    Trigger.REQUEUE: _all_to(Status.PENDING, *_LIVE, Status.WAITING),
    Trigger.VERIFY: _all_to(Status.VERIFYING, Status.DOWNLOADING),
    Trigger.PROCESS: _all_to(Status.PROCESSING, Status.DOWNLOADING, Status.VERIFYING),
    Trigger.COMPLETE: _all_to(Status.COMPLETED, Status.DOWNLOADING, Status.VERIFYING, Status.PROCESSING),
    Trigger.SKIP: _all_to(Status.SKIPPED, Status.PENDING, Status.RESOLVING, Status.DOWNLOADING),
    Trigger.FAIL: _all_to(Status.FAILED, *_OPEN),
    Trigger.PAUSE: _all_to(Status.PAUSED, *_OPEN),
    Trigger.RESUME: _all_to(Status.PENDING, Status.PAUSED),
    Trigger.CANCEL: _all_to(Status.CANCELLED, *_OPEN, Status.PAUSED),
    Trigger.RETRY: _all_to(Status.PENDING, Status.WAITING, Status.FAILED, Status.CANCELLED, Status.SKIPPED),
    Trigger.DESELECT: _all_to(Status.SKIPPED, *_OPEN, Status.PAUSED, Status.FAILED, Status.CANCELLED),
    Trigger.OFFER: _all_to(Status.WAITING, Status.SKIPPED),
    Trigger.REOPEN: _all_to(Status.PENDING, Status.COMPLETED),
}

LIVE: Final = frozenset(_LIVE)
"""Statuses of a task that holds a slot of the engine right now."""
UNFINISHED: Final = frozenset((*_OPEN, Status.PAUSED))
"""Statuses of a task that still wants something."""
READDRESSABLE: Final = UNFINISHED | {Status.FAILED, Status.CANCELLED}
"""Statuses of a task whose address may be changed: the others have their file, or left it alone."""
FINISHED: Final = frozenset(Status) - UNFINISHED
"""Statuses that `clear finished` and `wait` mean."""


def advance(status: Status, trigger: Trigger) -> Status:
    """Return the status that follows; raise `IllegalTransition` where the table holds none."""
    try:
        return TRANSITIONS[trigger][status]
    except KeyError:
        raise IllegalTransition(status, trigger) from None


def can_advance(status: Status, trigger: Trigger) -> bool:
    """Whether `advance()` would succeed."""
    return status in TRANSITIONS[trigger]


def way_to(status: Status, target: Status) -> tuple[Trigger, ...]:
    """Return the steps by which a playlist gets to the status that its entries give it; the fewest there are."""
    ways: dict[Status, tuple[Trigger, ...]] = {status: ()}
    for here in (queue := [status]):
        if here is target:
            break
        for trigger, steps in TRANSITIONS.items():
            there = steps.get(here)
            if there is not None and there not in ways:
                ways[there] = (*ways[here], trigger)
                queue.append(there)
    return ways[target]


def sources_of(trigger: Trigger) -> tuple[Status, ...]:
    """Return the statuses from which a trigger is legal, in the order of the enum (for SQL's `IN`)."""
    return tuple(status for status in Status if status in TRANSITIONS[trigger])


def statuses_of_tab(tab: Tab) -> frozenset[Status]:
    """Return the statuses that a filter tab shows."""
    if tab is Tab.ALL:
        return frozenset(Status)
    return frozenset(status for status in Status if FACTS[status].tab is tab)


def statuses_named(word: str) -> frozenset[Status]:
    """Return what a person means by `status:WORD`; empty if the word names nothing."""
    word = word.casefold()
    return frozenset(status for status in Status if word in (status.value, FACTS[status].label, *FACTS[status].names))
