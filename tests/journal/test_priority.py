"""Priorities are kept, change in bulk, decide the order, and are each process's own rows' alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.journal.rows import added, wishes
from tui_dl.core.sharing import PriorityChange
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal
    from tui_dl.journal.journal import Journal


async def test_the_queue_goes_by_priority_then_by_position(journal: Journal) -> None:
    """What was added with a higher one is next, and saving a row's state does not touch it."""
    low, normal, high = (replace(wish, priority=number) for wish, number in zip(wishes(3), (-1, None, 1), strict=True))
    tasks = await added(journal, [low, normal, high])
    assert [task.priority for task in tasks] == [-1, 0, 1]
    await journal.save(replace(tasks[0], priority=1, status=Status.PENDING), is_durable=True)
    assert [task.id for task in await journal.next_pending(9)] == [tasks[2].id, tasks[1].id, tasks[0].id]


async def test_priorities_change_in_steps_and_at_once(journal: Journal) -> None:
    """Steps end at high and low; what changes nothing is not counted; what is shown is asked anew."""
    ids = [task.id for task in await added(journal, [replace(one, priority=1) for one in wishes(2)])]
    before = journal.generation
    assert await journal.change_priority(ids, PriorityChange(1, is_relative=True)) == 0
    assert journal.generation == before
    assert await journal.change_priority(ids[:1], PriorityChange(-5, is_relative=True)) == 1
    assert [task.priority for task in await journal.rows(ids)] == [-1, 1]
    assert await journal.change_priority(ids, PriorityChange(0)) == 2
    assert [task.priority for task in await journal.rows(ids)] == [0, 0]
    assert journal.generation > before


async def test_rows_of_another_living_process_keep_theirs(open_journal: OpenJournal) -> None:
    """Neither a change nor a repeated add reaches them."""
    one, other = await open_journal(), await open_journal()
    wish = NewTask("http://h.example/f", "/downloads", priority=1)
    (task,) = await added(one, [wish])
    assert await other.change_priority([task.id], PriorityChange(-1)) == 0
    assert (await added(other, [replace(wish, priority=-1)]))[0].priority == 1
    assert (await one.rows([task.id]))[0].priority == 1
