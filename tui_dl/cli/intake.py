"""Adding to the queue what may be there already: an earlier attempt goes on, what is done is skipped and said so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.events import Event, EventKind
from tui_dl.core.id_set import IdSet
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.outcomes import AddOutcome

TRIED_AGAIN = frozenset({Status.FAILED, Status.CANCELLED, Status.SKIPPED})
"""What ended without a file is tried again when it is asked for again."""


class IntakeEngine(Protocol):
    """What adding asks of the engine."""

    async def add_checked(
        self, news: Sequence[NewTask], *, batch: str, keeps_first: bool = False
    ) -> Sequence[AddOutcome]:
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
        self._taken_over = IdSet()

    async def add(self, news: Sequence[NewTask]) -> list[int]:
        """Add these tasks, durable when this returns; return the row of each, in order."""
        # A run of `get` asks for each file once: a later line that repeats an earlier one is skipped, whatever it says.
        outcomes = await self._engine.add_checked(list(news), batch=self._batch, keeps_first=True)
        if self._first_new_id is None:
            self._first_new_id = next((outcome.task_id for outcome in outcomes if outcome.is_new), None)
        await self._decide([outcome for outcome in outcomes if not outcome.is_new])
        return [outcome.task_id for outcome in outcomes]

    async def _decide(self, known: Sequence[AddOutcome]) -> None:
        again: list[DownloadTask] = []
        paused: list[DownloadTask] = []
        for outcome in known:
            task = outcome.task
            if task.owner != self._owner:
                self._skip(task, "another tui-dl has it in its queue")
            elif task.status is Status.COMPLETED:
                self._skip(task, "downloaded already")
            elif self._is_of_this_run(task):
                self._skip(task, "asked for twice")
            elif outcome.is_left:
                self._tell(Event(EventKind.SKIPPED, task, self._clock()))
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
