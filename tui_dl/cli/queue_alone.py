"""Commands on a queue that no session runs: done to its journal without an engine, so that nothing begins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.cli.compose import run_loop
from tui_dl.core.commands import CommandName, CommandOutcome
from tui_dl.core.places import Base, Place
from tui_dl.core.query import TaskQuery
from tui_dl.core.sharing import PriorityChange, priority_number
from tui_dl.core.status import Trigger

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.core.commands import Command
    from tui_dl.core.status import Status
    from tui_dl.core.target_words import Targets
    from tui_dl.journal.journal import Journal

_TRIGGERS: Final = {CommandName.PAUSE: Trigger.PAUSE, CommandName.CANCEL: Trigger.CANCEL}


def carry_out_alone(journal_file: Path, command: Command) -> tuple[list[Status], CommandOutcome]:
    """Return how the rows stood that ids name, and what came of it. Raises `UsageError` and `FileSystemError`.

    Rows that another process runs (a screen in the foreground, `get`) stay as they are.
    """
    if not journal_file.exists():
        from tui_dl.cli.control import check_ids  # noqa: PLC0415  # which imports this

        check_ids(command.ids, {})
        return [], CommandOutcome()
    return run_loop(_carry_out(journal_file, command))


def ended_alone(journal_file: Path, targets: Targets) -> list[Status] | None:
    """Return how downloads ended that want nothing more; None where one of them does. Raises `UsageError`.

    Those that ids name are looked at; of a question's rows it is enough to know that none is under way or queued.
    """
    from tui_dl.cli.control import check_ids  # noqa: PLC0415  # which imports this
    from tui_dl.core.query import allowed_statuses  # noqa: PLC0415  # as above
    from tui_dl.core.status import FINISHED, UNFINISHED, Status  # noqa: PLC0415  # as above
    from tui_dl.journal.looking import look_at  # noqa: PLC0415  # the usual way has a session

    with look_at(journal_file) as look:
        if targets.query is None:
            found = {} if look is None else look.statuses(targets.ids)
            check_ids(targets.ids, found)
            return [*found.values()] if FINISHED.issuperset(found.values()) else None
        statuses = allowed_statuses(targets.query) & (UNFINISHED - {Status.PAUSED})
        if look is None or not statuses:
            return []
        return None if any(look.rows(replace(targets.query, statuses=statuses), 1)) else []


async def _carry_out(journal_file: Path, command: Command) -> tuple[list[Status], CommandOutcome]:
    from tui_dl.cli.control import check_ids  # noqa: PLC0415  # as above
    from tui_dl.journal.instances import live_others  # noqa: PLC0415  # the usual way has a session
    from tui_dl.journal.journal import Journal  # noqa: PLC0415  # as above

    async with await Journal.open(journal_file) as journal:
        rows = {task.id: task for task in await journal.rows(command.ids)}
        check_ids(command.ids, rows)
        changed = await _change(journal, command)
        living = await asyncio.to_thread(live_others, journal_file.parent / "instances", journal.instance_id)
        has_foreign = any(one.owner in living for one in rows.values())
        message = "what another tui-dl runs stays as it is" if has_foreign and not changed else ""
        return [task.status for task in rows.values()], CommandOutcome(changed, command.ids, message)


async def _change(journal: Journal, command: Command) -> int:
    if command.name in _TRIGGERS:
        return await journal.bulk(_TRIGGERS[command.name], command.query, command.ids or None)
    ids = command.ids or tuple(await journal.ids(command.query or TaskQuery()))
    if command.name is CommandName.SET_PRIORITY:
        return await journal.change_priority(ids, PriorityChange(priority_number(command.arguments["value"])))
    if command.name is CommandName.MOVE_TO:
        return (await journal.place(ids, _place(command))).moved
    return await journal.move(ids, up=command.name is CommandName.MOVE_UP)


def _place(command: Command) -> Place:
    return Place(command.arguments["position"], Base(command.arguments["how"]))
