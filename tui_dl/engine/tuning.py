"""Commands on speed limits and priorities: what a person changes while everything runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tui_dl.core.commands import CommandOutcome
from tui_dl.core.errors import UsageError
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import SETTINGS
from tui_dl.core.sharing import PriorityChange, priority_number, priority_word
from tui_dl.core.timetable import parse_limit
from tui_dl.engine.meant import meant_by
from tui_dl.engine.wishes import checked_options, options_from
from tui_dl.journal.sweeping import connecting, wishing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.task import DownloadTask, TaskOptions
    from tui_dl.engine.bulk_work import BulkWorks
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.limits import PlannedThrottle
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.scheduler import Scheduler
    from tui_dl.journal.sweeping import Step


class Tuning:
    """Carries them out for the engine's orders."""

    def __init__(self, context: EngineContext, scheduler: Scheduler) -> None:
        self._context, self._scheduler = context, scheduler

    # -- limits --------------------------------------------------------------------------------------------------------

    def set_limit(self, command: Command) -> CommandOutcome:
        """Set the limit of a host, or of everything where none is named."""
        limit = _limit_of(command)
        host = _host_of(command)
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

    async def limit_tasks(self, works: BulkWorks, command: Command, ids: Sequence[int] | None) -> CommandOutcome:
        """Set the limit of tasks."""
        limit = _limit_of(command)
        if _host_of(command):
            raise UsageError("a limit is for downloads or for a host; name one of them")
        if isinstance(limit, str):
            raise UsageError("a timetable is for all downloads or for a host; a single one takes a plain limit")

        def options_of(task: DownloadTask) -> TaskOptions:
            self._context.limits.set_task_rate(task.id, limit)
            return replace(task.options, limit_rate_bps=limit or None)

        return await self._change(works, command, ids, options_of, wishing({"limit_rate_bps": limit or None}))

    # -- wishes --------------------------------------------------------------------------------------------------------

    async def set_connections(self, works: BulkWorks, command: Command, ids: Sequence[int] | None) -> CommandOutcome:
        """Set the most connections of tasks, or change it."""
        facts, usual = SETTINGS["connections"], self._context.settings.connections
        least, most = int(facts.low or 1), int(facts.high or 1)
        shown = ""

        def options_of(task: DownloadTask) -> TaskOptions:
            nonlocal shown
            slot = self._scheduler.running.get(task.id)
            now = slot.transfer.whole.wanted_connections if slot is not None else task.options.connections or usual
            value = max(least, min(number_of(command, now), most))
            if slot is not None:
                slot.transfer.whole.set_connections(value)
            shown = f"at most {value} connection{'' if value == 1 else 's'}"
            return replace(task.options, connections=value)

        is_relative = not isinstance(command.arguments.get("value"), int)
        step = connecting(number_of(command, 0), usual if is_relative else None, least, most)
        outcome = await self._change(works, command, ids, options_of, step)
        return replace(outcome, message=shown)

    async def set_wishes(self, works: BulkWorks, command: Command, ids: Sequence[int] | None) -> CommandOutcome:
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

        return await self._change(works, command, ids, options_of, wishing(values))

    async def _change(
        self,
        works: BulkWorks,
        command: Command,
        ids: Sequence[int] | None,
        options_of: Callable[[DownloadTask], TaskOptions],
        step: Step,
    ) -> CommandOutcome:
        """Change the options of tasks, by a step in the journal where they are too many to be looked at one by one."""
        if ids is not None:
            changed = await self._set_options(ids, options_of)
            return CommandOutcome(len(changed), tuple(changed))

        def change_live(live_ids: Collection[int]) -> None:
            for live in filter(None, map(self._scheduler.live_of, live_ids)):
                change_options(self._context, live, options_of)

        return await works.set_options(command.name, meant_by(command), step, change_live)

    async def _set_options(self, ids: Sequence[int], options_of: Callable[[DownloadTask], TaskOptions]) -> list[int]:
        """Change the options of tasks, in hand or not; return the ids of those that there are."""
        with self._scheduler.barring(frozenset(ids)):
            rows = await self._context.journal.rows(ids)
            at_rest = []
            for task in rows:
                live = self._scheduler.live_of(task.id)
                if live is None:
                    at_rest.append(replace(task, options=options_of(task)))
                else:
                    change_options(self._context, live, options_of)
            if at_rest:
                # Durable at once: a row that waits to be saved is not looked at when the next one is started.
                await self._context.journal.save_many(at_rest)
        return [task.id for task in rows]

    # -- priority ------------------------------------------------------------------------------------------------------

    async def set_priority(self, works: BulkWorks, command: Command, ids: Sequence[int] | None) -> CommandOutcome:
        """Change the priority of tasks, running or not."""
        change = _priority_change(command)
        if ids is None:
            return await works.prioritise(meant_by(command), change, partial(self._change_live, change))
        with self._scheduler.barring(frozenset(ids)):
            changed = await self._context.journal.change_priority(ids, change)
            self._change_live(change, ids)
        message = "" if change.is_relative else f"{priority_word(change.number)} priority"
        if change.is_relative and len(ids) == 1:
            message = " ".join(
                f"{priority_word(task.priority)} priority" for task in await self._context.journal.rows(ids)
            )
        return CommandOutcome(changed, tuple(ids), message)

    def _change_live(self, change: PriorityChange, ids: Collection[int]) -> None:
        for live in filter(None, map(self._scheduler.live_of, ids)):
            priority = change.of(live.task.priority)
            live.stored = replace(live.stored, priority=priority)
            live.change(priority=priority)
            self._scheduler.sort_in(live.task.id)
            self._context.limits.set_priority(live.task.id, priority)


def change_options(context: EngineContext, live: LiveTask, options_of: Callable[[DownloadTask], TaskOptions]) -> None:
    """Change the options of a task in hand."""
    live.stored = live.change(options=options_of(live.task))
    context.journal.save_soon(live.task)


def number_of(command: Command, now: int) -> int:
    """Return the whole number that a command wants, which may be so many more or less than now."""
    value, delta = command.arguments.get("value"), command.arguments.get("delta")
    if isinstance(value, int):
        return value
    if isinstance(delta, int):
        return now + delta
    raise UsageError(f"{command.name} wants `value` or `delta` as a whole number")


def _host_of(command: Command) -> str:
    return str(command.arguments.get("host") or "").strip().lower()


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
