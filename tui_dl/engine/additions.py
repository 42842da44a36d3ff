"""Rows on their way into the queue: what is there already is left out, what is gone or refuted is wanted anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.events import EventKind
from tui_dl.core.media import Kind
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists, TargetState
from tui_dl.engine.archived import sift_archived
from tui_dl.engine.asking_again import refuted, take_digests
from tui_dl.journal.archive import kept_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.task import NewTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger
    from tui_dl.engine.scheduler import Scheduler
    from tui_dl.journal.adding import BatchKind
    from tui_dl.journal.outcomes import AddOutcome


class Additions:
    """Adds checked rows and tells of the new ones."""

    def __init__(self, context: EngineContext, ledger: Ledger, scheduler: Scheduler) -> None:
        self._context, self._ledger, self._scheduler = context, ledger, scheduler

    async def add(
        self, news: Sequence[NewTask], *, batch: str, kind: BatchKind, keeps_first: bool = False
    ) -> list[AddOutcome]:
        """Return one outcome for each wish in order, durable.

        A completed row whose file is gone, or has not the digest that is asked for now, is replaced by a new one; its
        file, where there is one, stays.
        """
        context, journal = self._context, self._context.journal
        at = context.wall_clock()
        if context.settings.sequential:
            news = [replace(new, options=replace(new.options, is_ordered=True)) for new in news]
        if context.settings.archive:
            news = await sift_archived(news, journal.remembered)
        news = await context.existing.sift(news, name=batch, kind=kind, at=at)
        outcomes = await journal.add(news, batch=batch, at=at, kind=kind, keeps_first=keeps_first)
        if all(outcome.is_new and not outcome.is_left for outcome in outcomes):
            self._ledger.tell_added(outcomes)
            return outcomes
        stale = _to_ask_again(context, news, outcomes)
        if stale:
            files = (kept_of(outcomes[index].task) for index in stale)
            await journal.remembered.keep([one for one in files if one is not None])
        gone = await context.existing.gone(outcomes, name=batch, kind=kind)
        gone = [index for index in gone if news[index].target is not TargetState.ARCHIVED]
        if again := sorted({*gone, *stale, *await refuted(news, outcomes, journal.instance_id)}):
            await journal.remove([outcomes[index].task_id for index in again])
            renewed = await journal.add([news[index] for index in again], batch=batch, at=at, kind=kind)
            for index, outcome in zip(again, renewed, strict=True):
                outcomes[index] = outcome
        await self._read_again(outcomes)
        take_digests(news, outcomes, self._scheduler.live_of, journal)
        for outcome in outcomes:
            if outcome.is_left and outcome.is_new:
                self._ledger.pass_on(EventKind.ADDED, outcome.task)
                self._ledger.tell(EventKind.SKIPPED, outcome.task)
            elif outcome.is_new:
                self._ledger.tell(EventKind.ADDED, outcome.task)
        return outcomes

    async def _read_again(self, outcomes: Sequence[AddOutcome]) -> None:
        """Read playlists once more that are asked for again."""
        playlists = self._context.playlists
        if playlists.are_there:
            owners = ("", self._context.journal.instance_id)
            known = (one.task for one in outcomes if not one.is_new)
            await playlists.read_again([task for task in known if task.kind is Kind.PLAYLIST and task.owner in owners])


def _to_ask_again(context: EngineContext, news: Sequence[NewTask], outcomes: Sequence[AddOutcome]) -> list[int]:
    """Return which completed rows of ours are asked for again, whether their files changed."""
    return [
        index
        for index, (new, outcome) in enumerate(zip(news, outcomes, strict=True))
        if not outcome.is_new and outcome.task.status is Status.COMPLETED
        if outcome.task.owner == context.journal.instance_id
        if context.policy_of(new) is OnExists.IF_MODIFIED
    ]
