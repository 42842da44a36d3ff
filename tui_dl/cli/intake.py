"""Adding to the queue what may be there already: an earlier attempt goes on, what is done is skipped and said so."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.events import Event, EventKind
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.adding import AddOutcome

TRIED_AGAIN = frozenset({Status.FAILED, Status.CANCELLED, Status.SKIPPED})
"""What ended without a file is tried again when it is asked for again."""


class IntakeEngine(Protocol):
    """What adding asks of the engine."""

    async def add_checked(self, news: Sequence[NewTask], *, batch: str) -> Sequence[AddOutcome]:
        """Add rows; those that are there already come back as they are, ours if nobody else runs them."""
        ...

    async def execute(self, command: Command) -> CommandOutcome:
        """Do what a person wants."""
        ...


class Intake:
    """Adds tasks and decides about those that were known; `tell` hears of every one that the engine says nothing of."""

    def __init__(
        self, engine: IntakeEngine, tell: Callable[[Event], None], *, batch: str, owner: str, clock: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._tell = tell
        self._batch = batch
        self._owner = owner
        self._clock = clock
        self._first_new_id: int | None = None
        self._taken_over: set[int] = set()

    async def add(self, news: Sequence[NewTask]) -> None:
        """Add these tasks, durable when this returns."""
        wishes = list(news)
        known = await self._add(wishes)
        gone = [task for task in known if task.status is Status.COMPLETED and not await _is_there(task.path)]
        if gone:
            # Its file was removed since: asked for again, it is wanted again.
            gone_keys = {(task.url, task.dir) for task in gone}
            await self._execute(CommandName.CLEAR_FINISHED, gone)
            known = [task for task in known if (task.url, task.dir) not in gone_keys]
            known += await self._add([new for new in wishes if (new.url, new.dir) in gone_keys])
        await self._decide(known)

    async def _add(self, news: Sequence[NewTask]) -> list[DownloadTask]:
        """Return the rows that were there before."""
        outcomes = await self._engine.add_checked(news, batch=self._batch)
        if self._first_new_id is None:
            self._first_new_id = next((outcome.task.id for outcome in outcomes if outcome.is_new), None)
        return [outcome.task for outcome in outcomes if not outcome.is_new]

    async def _decide(self, known: Sequence[DownloadTask]) -> None:
        again: list[DownloadTask] = []
        paused: list[DownloadTask] = []
        for task in known:
            if task.owner != self._owner:
                self._skip(task, "another tui-dl has it in its queue")
            elif task.status is Status.COMPLETED:
                self._skip(task, "downloaded already")
            elif self._is_of_this_run(task):
                self._skip(task, "asked for twice")
            else:
                self._taken_over.add(task.id)
                self._tell(Event(EventKind.ADDED, task, self._clock()))
                if task.status in TRIED_AGAIN:
                    again.append(task)
                elif task.status is Status.PAUSED:
                    paused.append(task)
        if again:
            await self._execute(CommandName.RETRY, again)
        if paused:
            await self._execute(CommandName.RESUME, paused)

    def _is_of_this_run(self, task: DownloadTask) -> bool:
        # Ids only grow: what has one beyond our first was added since by us, or is nobody's business of ours.
        is_new = self._first_new_id is not None and task.id >= self._first_new_id
        return is_new or task.id in self._taken_over

    def _skip(self, task: DownloadTask, why: str) -> None:
        skipped = replace(task, status=Status.SKIPPED, reason=None, reason_text=why)
        self._tell(Event(EventKind.SKIPPED, skipped, self._clock()))

    async def _execute(self, name: CommandName, tasks: Sequence[DownloadTask]) -> None:
        await self._engine.execute(Command(name, ids=tuple(task.id for task in tasks)))


async def _is_there(path: str) -> bool:
    return await asyncio.to_thread(os.path.lexists, path)
