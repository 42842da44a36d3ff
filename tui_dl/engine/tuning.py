"""Commands on speed limits and priorities: what a person changes while everything runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.commands import CommandOutcome
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import SETTINGS, coerce
from tui_dl.core.sharing import PriorityChange, priority_number, priority_word
from tui_dl.core.timetable import parse_limit
from tui_dl.engine.wishes import checked_options, options_from

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadTask, TaskOptions
    from tui_dl.engine.bulk_work import BulkWorks
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.limits import PlannedThrottle
    from tui_dl.engine.scheduler import Scheduler

    SetOptions = Callable[[Sequence[int], Callable[[DownloadTask], TaskOptions]], Awaitable[list[int]]]

MOST_IDS: Final = 1000
"""Rows named in an outcome; of more the number is told."""


class Tuning:
    """Carries them out for the engine's orders."""

    def __init__(self, context: EngineContext, scheduler: Scheduler, set_options: SetOptions) -> None:
        self._context, self._scheduler, self._set_options = context, scheduler, set_options

    # -- limits --------------------------------------------------------------------------------------------------------

    async def set_limit(self, command: Command, ids: Sequence[int] | None) -> CommandOutcome:
        """Set the limit of tasks, of a host, or of everything where neither is named."""
        limit = _limit_of(command)
        host = str(command.arguments.get("host") or "").strip().lower()
        if ids is not None and host:
            raise UsageError("a limit is for downloads or for a host; name one of them")
        if ids is not None:
            return await self._limit_tasks(ids, limit)
        is_for_good = bool(command.arguments.get("for_good"))
        if host:
            return self._limit_plan(self._context.limits.keep_host(host), limit, is_for_good=is_for_good)
        outcome = self._limit_plan(self._context.limits.whole, limit, is_for_good=is_for_good)
        if self._context.limits.whole.plan.rule.text == str(limit):
            self._context.settings = replace(self._context.settings, limit_rate=limit)
        return outcome

    def _limit_plan(self, planned: PlannedThrottle, limit: int | str, *, is_for_good: bool) -> CommandOutcome:
        local = self._context.limits.local()
        if isinstance(limit, str) or is_for_good:
            planned.plan.follow(parse_limit(limit))
        else:
            planned.plan.override(limit, local)
        now = planned.refresh(local)
        text = "limit set" if now.bps else "no limit"
        if now.until is None:
            return CommandOutcome(message=text)
        then = "then by the timetable" if not isinstance(limit, str) else "by the timetable"
        return CommandOutcome(message=f"{text} until {now.until:%a %H:%M}, {then}")

    async def _limit_tasks(self, ids: Sequence[int], limit: int | str) -> CommandOutcome:
        if isinstance(limit, str):
            raise UsageError("a timetable is for all downloads or for a host; a single one takes a plain limit")

        def options_of(task: DownloadTask) -> TaskOptions:
            self._context.limits.set_task_rate(task.id, limit)
            return replace(task.options, limit_rate_bps=limit or None)

        changed = await self._set_options(ids, options_of)
        return CommandOutcome(len(changed), tuple(changed))

    # -- wishes --------------------------------------------------------------------------------------------------------

    async def set_wishes(self, command: Command, ids: Sequence[int]) -> CommandOutcome:
        """Change what was asked for tasks; what runs takes limit and connections at once, the rest at its next try."""
        given = command.arguments.get("options") or {}
        wanted = checked_options(options_from(given))
        values = {name: getattr(wanted, name) for name in given}

        def options_of(task: DownloadTask) -> TaskOptions:
            if "limit_rate_bps" in values:
                self._context.limits.set_task_rate(task.id, values["limit_rate_bps"] or 0)
            slot = self._scheduler.running.get(task.id)
            if slot is not None and values.get("connections"):
                slot.transfer.whole.set_connections(values["connections"])
            return replace(task.options, **values)

        changed = await self._set_options(ids, options_of)
        return CommandOutcome(len(changed), tuple(changed[:MOST_IDS]))

    # -- priority ------------------------------------------------------------------------------------------------------

    async def set_priority(self, command: Command, ids: Sequence[int]) -> CommandOutcome:
        """Change the priority of tasks, running or not."""
        change = _priority_change(command)
        with self._scheduler.barring(frozenset(ids)):
            changed = await self._context.journal.change_priority(ids, change)
            self._change_live(change, ids)
        message = "" if change.is_relative else f"{priority_word(change.number)} priority"
        if change.is_relative and len(ids) == 1:
            message = " ".join(
                f"{priority_word(task.priority)} priority" for task in await self._context.journal.rows(ids)
            )
        return CommandOutcome(changed, tuple(ids[:MOST_IDS]), message)

    async def set_priority_of(self, works: BulkWorks, command: Command, query: TaskQuery) -> CommandOutcome:
        """Change the priority of all rows of a query that finds very many."""
        change = _priority_change(command)
        return await works.prioritise(query, command.excluding_ids, change, partial(self._change_live, change))

    def _change_live(self, change: PriorityChange, ids: Collection[int]) -> None:
        for live in filter(None, map(self._scheduler.live_of, ids)):
            priority = change.of(live.task.priority)
            live.stored = replace(live.stored, priority=priority)
            live.change(priority=priority)
            self._scheduler.sort_in(live.task.id)
            self._context.limits.set_priority(live.task.id, priority)


def _limit_of(command: Command) -> int | str:
    value: Any = command.arguments.get("limit", command.arguments.get("bps"))
    limit: int | str = coerce(SETTINGS["limit_rate"], value or 0)
    return limit


def _priority_change(command: Command) -> PriorityChange:
    value, delta = command.arguments.get("value"), command.arguments.get("delta")
    if isinstance(value, str):
        return PriorityChange(priority_number(value))
    if isinstance(delta, int):
        return PriorityChange(delta, is_relative=True)
    raise UsageError(f"{command.name} wants `value` (high, normal, low) or `delta` as a whole number")
