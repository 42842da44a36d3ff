"""Commands on more rows than are held in memory: swept through the journal, what is in hand stopped by itself."""

from __future__ import annotations

import asyncio
import logging
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName, CommandOutcome
from tui_dl.core.ports import WorkView
from tui_dl.core.query import without_statuses
from tui_dl.core.sharing import PriorityChange, priority_word
from tui_dl.core.status import Trigger
from tui_dl.engine.meant import Everything
from tui_dl.journal import sweeping
from tui_dl.journal.sweeping import Sweep
from tui_dl.journal.views import A_PART, a_part_since

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tui_dl.core.errors import Reason
    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.meant import Meant
    from tui_dl.engine.scheduler import Scheduler
    from tui_dl.journal.sweeping import Step

logger = logging.getLogger(__name__)

MOST_ROWS: Final = 1000
"""Rows up to which a command looks at each by itself, and tells an event for it."""
BARRED_S: Final = 1.0
"""How long nothing starts while some rows are stopped; what starts later is stopped at the end. Nothing starts at all
while all rows are stopped."""
CLOSING_S: Final = 15.0
"""How long closing waits for what a person ordered; a million rows take about half of it."""


@dataclass(slots=True)
class _Work:
    """One sweep under way."""

    name: CommandName
    done: int = 0
    total: int = 0


class BulkWorks:
    """Carries out bulk commands and shows how far each is."""

    def __init__(self, context: EngineContext, scheduler: Scheduler) -> None:
        self._context, self._scheduler = context, scheduler
        self._journal = context.journal
        self._under_way: list[_Work] = []
        self._tasks: set[asyncio.Task[CommandOutcome]] = set()

    @property
    def views(self) -> tuple[WorkView, ...]:
        """What goes on, oldest first."""
        return tuple(WorkView(work.name, work.done, work.total) for work in self._under_way)

    async def aclose(self) -> None:
        """Wait for what goes on: a pause of all that is half done would let the other half run at the next start."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSING_S)
            for task in late:
                task.cancel()

    async def few(self, query: TaskQuery, excluding_ids: Collection[int]) -> list[int] | None:
        """Return the ids of a query's rows, None where there are more than `MOST_ROWS`."""
        excluded = frozenset(excluding_ids)
        found = await self._journal.ids(query, limit=MOST_ROWS + 1 + len(excluded))
        left = [task_id for task_id in found if task_id not in excluded]
        return left if len(left) <= MOST_ROWS else None

    async def step(self, name: CommandName, trigger: Trigger, meant: Meant) -> CommandOutcome:
        """Step all rows that are meant: pause, resume or cancel them."""
        step = sweeping.stepping(trigger, self._context.wall_clock())
        return await self._carry_out(name, step, meant, trigger)

    async def retry(self, meant: Meant, *, restarts: bool, starts_over: Collection[Reason]) -> CommandOutcome:
        """Put all rows that are meant and ended without a file back in the queue."""
        step = sweeping.retrying(self._context.wall_clock(), restarts=restarts, starts_over=starts_over)
        return await self._carry_out(CommandName.RETRY, step, meant, Trigger.RETRY)

    async def toggle(self, meant: Meant) -> CommandOutcome:
        """Pause what runs or is queued of these rows, resume what is paused."""
        step = sweeping.toggling(self._context.wall_clock())
        return await self._carry_out(CommandName.TOGGLE_PAUSE, step, meant, Trigger.PAUSE)

    async def remove(self, meant: Meant) -> CommandOutcome:
        """Take rows, none of them in hand, out of the queue."""
        return await self._carry_out(CommandName.CLEAR_FINISHED, sweeping.removing(), meant, None)

    async def move(self, name: CommandName, meant: Meant) -> CommandOutcome:
        """Move the unfinished ones of these rows to an end of the queue: step by step they would go nowhere."""
        is_front = name is CommandName.MOVE_UP
        by = await self._journal.way_to_end(meant.query, meant.ids, is_front=is_front)
        outcome = await self._carry_out(name, sweeping.shifting(by), meant, None)
        where = "front" if is_front else "end"
        return replace(outcome, message=f"{outcome.changed:,} moved to the {where} of the queue")

    async def prioritise(
        self, meant: Meant, change: PriorityChange, change_live: Callable[[Collection[int]], None]
    ) -> CommandOutcome:
        """Change the priority of rows, those in hand included."""
        live = await self._live_ids(meant)
        step = sweeping.prioritising(change)
        outcome = await self._carry_out(CommandName.SET_PRIORITY, step, meant, None, leaves_live=False)
        change_live(live)
        message = "" if change.is_relative else f"{priority_word(change.number)} priority"
        return replace(outcome, message=message)

    async def set_options(
        self, name: CommandName, meant: Meant, step: Step, change_live: Callable[[Collection[int]], None]
    ) -> CommandOutcome:
        """Change what was asked for rows; `change_live` does so for those in hand. Nothing starts meanwhile."""
        with self._scheduler.barring(Everything()):
            live = await self._live_ids(meant)
            change_live(live)
            others = replace(meant, excluding_ids=frozenset((*meant.excluding_ids, *live)))
            outcome = await self._carry_out(name, step, others, None)
        return CommandOutcome(outcome.changed + len(live))

    async def cancel_parts(self, meant: Meant) -> tuple[CommandOutcome, Sequence[int]]:
        """Cancel rows; return what came of it, and which of them may have a part file, however many were meant."""
        began_at = self._context.wall_clock()
        live = await self._live_ids(meant)
        held = await self._journal.ids_having(meant.query, A_PART)
        outcome = await self.step(CommandName.DELETE_PART, Trigger.CANCEL, meant)
        await self._journal.flush()
        # What began in the meantime has one, too.
        late = await self._journal.ids_having(without_statuses(meant.query), a_part_since(began_at))
        found = array("q", (one for one in dict.fromkeys((*held, *live, *late)) if meant.has(one)))
        return outcome, found

    # -- within --------------------------------------------------------------------------------------------------------

    async def _carry_out(
        self, name: CommandName, step: Step, meant: Meant, trigger: Trigger | None, *, leaves_live: bool = True
    ) -> CommandOutcome:
        """Sweep in a task of its own: whoever asked may leave, what was asked for is done."""
        task = asyncio.ensure_future(self._sweep(name, step, meant, trigger, leaves_live=leaves_live))
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    def _end(self, task: asyncio.Task[CommandOutcome]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("a bulk action stopped half way: %s", error)

    async def _sweep(
        self, name: CommandName, step: Step, meant: Meant, trigger: Trigger | None, *, leaves_live: bool
    ) -> CommandOutcome:
        work = _Work(name)
        stops = trigger in (Trigger.PAUSE, Trigger.CANCEL)
        sweep = Sweep(step, meant.query, meant.excluding_ids, meant.ids)
        self._under_way.append(work)
        try:
            with ExitStack() as barring:
                if stops:
                    barring.enter_context(self._scheduler.barring(Everything()))
                free_at = float("inf") if meant.is_all else self._context.clock() + BARRED_S
                stopped = await self._stop_live(meant, trigger)
                touched = {task.id for task in stopped}
                await self._journal.flush()

                def note(done: int, total: int) -> None:
                    work.done, work.total = done, total
                    if self._context.clock() >= free_at:
                        barring.close()

                def in_hand() -> Collection[int]:
                    return (*touched, *self._scheduler.running, *self._scheduler.waiting) if leaves_live else ()

                changed = await self._journal.sweep(sweep, in_hand=in_hand, on_progress=note)
                if stops and name is not CommandName.TOGGLE_PAUSE:  # what that one resumed may run by now
                    # Rows fetched before their turn came may stand by to start.
                    with self._scheduler.barring(Everything()):
                        late = replace(meant, excluding_ids=frozenset((*meant.excluding_ids, *touched)))
                        stopped += await self._stop_live(late, trigger)
        finally:
            self._under_way.remove(work)
            self._scheduler.look_again()
        return CommandOutcome(changed + len(stopped))

    async def _stop_live(self, meant: Meant, trigger: Trigger | None) -> list[DownloadTask]:
        if trigger is None or trigger is Trigger.RESUME:
            return []
        ids = await self._live_ids(meant)
        if trigger is Trigger.RETRY:
            return await self._scheduler.retry_waiting(ids)
        return await self._scheduler.stop(ids, trigger)

    async def _live_ids(self, meant: Meant) -> frozenset[int]:
        """Return the tasks in hand that are meant; the journal may not know yet what they do."""
        ids = []
        for task_id in [*self._scheduler.running, *self._scheduler.waiting]:
            live = self._scheduler.live_of(task_id)
            if live is not None and meant.has(task_id, live.task.status):
                ids.append(task_id)
        return frozenset(await self._journal.ids_among(ids, without_statuses(meant.query))) if ids else frozenset()
