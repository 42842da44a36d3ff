"""Heads of playlists: where one stands follows from its entries, and what is meant of it is meant of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import host_of
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.media import MediaChoice, MediaFacts


@dataclass(frozen=True, slots=True)
class EntryCount:
    """Entries of one head that stand alike."""

    status: Status
    """Where they stand."""
    reason: Reason | None
    """Why."""
    count: int
    """How many there are."""
    due_at: float | None = None
    """When the first of them goes on."""
    text: str = ""
    """The reason of one of them in words."""

    @property
    def is_chosen(self) -> bool:
        """Whether they are wanted."""
        return not (self.status is Status.SKIPPED and self.reason is Reason.NOT_CHOSEN)

    @property
    def is_asking(self) -> bool:
        """Whether they wait for a person's word."""
        return self.status is Status.WAITING and self.reason is Reason.CHOICE


@dataclass(frozen=True, slots=True)
class HeadState:
    """What a head's row is to say."""

    status: Status
    """Where it stands."""
    reason: Reason | None = None
    """Why."""
    text: str = ""
    """The same in words."""
    due_at: float | None = None
    """When it goes on."""


FAILED: Final = frozenset({Status.FAILED, Status.CANCELLED})
_DONE: Final = frozenset({Status.COMPLETED, Status.SKIPPED})


def facts_of_head(facts: MediaFacts, counts: Sequence[EntryCount]) -> MediaFacts:
    """Return what is known of a playlist, its entries counted."""
    chosen = [one for one in counts if one.is_chosen]
    return replace(
        facts,
        entry_count=sum(one.count for one in counts),
        chosen_count=sum(one.count for one in chosen),
        done_count=sum(one.count for one in chosen if one.status in _DONE),
        failed_count=sum(one.count for one in chosen if one.status in FAILED),
    )


def state_of_head(counts: Sequence[EntryCount], running: int) -> HeadState:
    """Return where a head stands that is read to its end; `running` of its entries are in hand."""
    chosen = [one for one in counts if one.is_chosen]
    if running:
        return HeadState(Status.DOWNLOADING)
    if any(one.is_asking for one in chosen):
        return HeadState(Status.WAITING, Reason.CHOICE, f"{sum(one.count for one in chosen)} chosen; D downloads them")
    if any(one.status is Status.PENDING for one in chosen):
        return HeadState(Status.PENDING)
    waiting = sorted((one for one in chosen if one.status is Status.WAITING), key=_due)
    if waiting:
        return HeadState(Status.WAITING, waiting[0].reason, waiting[0].text, waiting[0].due_at)
    if any(one.status is Status.PAUSED for one in chosen):
        return HeadState(Status.PAUSED)
    if not chosen:
        return HeadState(Status.SKIPPED, Reason.NOT_CHOSEN, "nothing of it is chosen")
    return _ended(chosen)


def _ended(chosen: Sequence[EntryCount]) -> HeadState:
    total = sum(one.count for one in chosen)
    failed = [one for one in chosen if one.status is Status.FAILED]
    cancelled = sum(one.count for one in chosen if one.status is Status.CANCELLED)
    if failed:
        number = sum(one.count for one in failed)
        most = max(failed, key=lambda one: one.count)
        of_all = "" if number == total else f" of {total:,}"
        return HeadState(Status.FAILED, most.reason, f"{number:,}{of_all} failed: {most.text}".removesuffix(": "))
    if cancelled == total:
        return HeadState(Status.CANCELLED)
    return HeadState(Status.COMPLETED)


def _due(one: EntryCount) -> float:
    return float("inf") if one.due_at is None else one.due_at


def site_of(url: str) -> str:
    """Return the name under which a choice is remembered for the site of an address."""
    return host_of(url).removeprefix("www.")


def chosen_form(held: MediaChoice, remembered: MediaChoice | None) -> MediaChoice:
    """Return the form that is wanted: what was chosen for it, else what is remembered of its site."""
    return held if remembered is None or not held.is_empty else remembered
