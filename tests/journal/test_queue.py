"""The queue: order, exclusions, moves, removal and its undoing, and the counts that go with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.journal.rows import added, wishes, with_statuses
from tui_dl.core.extents import Extent
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import FINISHED, Status, Trigger
from tui_dl.journal.adding import BatchKind
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal
    from tui_dl.journal.journal import Journal


async def test_pending_rows_come_in_queue_order(journal: Journal) -> None:
    """The limit cuts the front of the queue off."""
    tasks = await added(journal, wishes(5))
    assert await journal.next_pending(3) == tasks[:3]


async def test_excluded_hosts_and_ids_are_passed_over(journal: Journal) -> None:
    """What may not start now does not hide what may."""
    tasks = [*await added(journal, wishes(2, "busy.example")), *await added(journal, wishes(2))]
    found = await journal.next_pending(5, excluding_hosts=["busy.example"], excluding_ids=[tasks[2].id])
    assert found == [tasks[3]]


async def test_a_row_with_an_unwritten_state_is_not_pending(journal: Journal) -> None:
    """What was started a moment ago is not handed out again before its record is written."""
    first, second = await added(journal, wishes(2))
    journal.save_soon(replace(first, status=Status.DOWNLOADING))
    assert await journal.next_pending(5) == [second]


async def test_next_pending_needs_no_sort(journal: Journal) -> None:
    """Order comes from the partial index, so a million rows cost what ten do."""
    plan = await journal._ask(
        lambda connection: connection.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM tasks WHERE status = 'pending' AND owner ="
            " (SELECT number FROM owners WHERE instance = 'x') ORDER BY priority DESC, position, id LIMIT 5"
        ).fetchall(),
        Need.READ,
    )
    words = " ".join(row[3] for row in plan)
    assert "tasks_pending" in words
    assert "TEMP B-TREE" not in words


async def test_rows_that_stand_together_move_together(journal: Journal) -> None:
    """A selection keeps its order and stops at the top."""
    ids = [task.id for task in await added(journal, wishes(4))]
    await journal.move(ids[1:3], up=True)
    assert list(await journal.ids(TaskQuery())) == [ids[1], ids[2], ids[0], ids[3]]
    assert await journal.move(ids[1:3], up=True) == 0
    await journal.move(ids[1:3], up=False)
    assert list(await journal.ids(TaskQuery())) == ids


async def test_a_move_passes_finished_rows(journal: Journal) -> None:
    """The neighbour is the next one of the queue, not of the history."""
    tasks = await with_statuses(journal, [Status.PENDING, Status.COMPLETED, Status.PENDING])
    await journal.move([tasks[2].id], up=True)
    assert [task.id for task in await journal.next_pending(5)] == [tasks[2].id, tasks[0].id]


async def test_a_move_survives_the_save_of_a_live_row(journal: Journal) -> None:
    """The engine's copy of a row does not put it back to its old place."""
    first, second = await added(journal, wishes(2))
    await journal.move([second.id], up=True)
    await journal.save(replace(second, downloaded_bytes=5), is_durable=True)
    assert [task.id for task in await journal.next_pending(5)] == [second.id, first.id]


async def test_counts_follow_every_change(journal: Journal) -> None:
    """Counts are those of the rows after add, save, bulk, removal and undo."""
    tasks = await with_statuses(journal, [*Status])
    assert journal.counts() == dict.fromkeys(Status, 1)
    await journal.bulk(Trigger.RETRY, TaskQuery())
    await _assert_counts(journal)
    await journal.remove([task.id for task in tasks[:4]])
    await _assert_counts(journal)
    await journal.undo()
    await _assert_counts(journal)
    await journal.clear_finished()
    await _assert_counts(journal)


async def _assert_counts(journal: Journal) -> None:
    rows = await journal.rows(await journal.ids(TaskQuery()))
    assert journal.counts() == dict.fromkeys(Status, 0) | Counter(row.status for row in rows)


async def test_the_generation_grows_when_a_view_may_differ(journal: Journal) -> None:
    """Add, status, move, removal and undo are told; bytes alone are not."""
    first, second = await added(journal, wishes(2))
    seen = [journal.generation]
    await journal.save(replace(first, status=Status.PAUSED), is_durable=True)
    seen.append(journal.generation)
    await journal.move([second.id], up=True)
    seen.append(journal.generation)
    await journal.remove([first.id])
    seen.append(journal.generation)
    await journal.undo()
    seen.append(journal.generation)
    assert seen == sorted(set(seen))
    await journal.save(replace(second, downloaded_bytes=9), is_durable=True)
    assert journal.generation == seen[-1]


async def test_two_rows_that_swap_statuses_are_noticed(journal: Journal) -> None:
    """Equal counts do not hide a change."""
    one, two = await with_statuses(journal, [Status.PAUSED, Status.PENDING])
    before = journal.generation
    await journal.save_many([replace(one, status=Status.PENDING), replace(two, status=Status.PAUSED)])
    assert journal.generation > before


async def test_undo_brings_rows_back_as_they_were(journal: Journal) -> None:
    """Place, state and checkpoint of a removed row come back."""
    tasks = await with_statuses(journal, [Status.PENDING, Status.FAILED, Status.PENDING])
    journal.record_written(tasks[1].id, [Extent(0, 10, 1)])
    before = await journal.rows(await journal.ids(TaskQuery()))
    assert await journal.remove([tasks[0].id, tasks[1].id]) == 2
    assert await journal.undo() == 2
    assert await journal.rows(await journal.ids(TaskQuery())) == before
    assert (await journal.load_checkpoint(tasks[1].id)).extents == [Extent(0, 10, 1)]
    assert await journal.undo() == 0


async def test_only_the_last_removal_can_be_undone(journal: Journal) -> None:
    """An earlier one is gone for good, with its sums."""
    first, second = await added(journal, wishes(2))
    journal.record_written(first.id, [Extent(0, 10, 1)])
    await journal.remove([first.id])
    await journal.remove([second.id])
    assert await journal.undo() == 1
    assert list(await journal.ids(TaskQuery())) == [second.id]
    assert (await journal.load_checkpoint(first.id)).extents == []


async def test_undo_does_not_double_what_was_added_again(journal: Journal) -> None:
    """The same wish stays one row."""
    (first,) = await added(journal, wishes(1))
    await journal.remove([first.id])
    (again,) = await added(journal, wishes(1))
    assert await journal.undo() == 0
    assert list(await journal.ids(TaskQuery())) == [again.id]


async def test_clear_finished_takes_the_finished_rows_only(journal: Journal) -> None:
    """What still wants something stays."""
    tasks = await with_statuses(journal, [*Status])
    assert await journal.clear_finished() == len(FINISHED)
    left = await journal.rows([task.id for task in tasks])
    assert {task.status for task in left} == set(Status) - FINISHED


async def test_finished_rows_of_a_get_are_hidden_from_the_default_view(journal: Journal) -> None:
    """They are seen while they run, by their batch afterwards, and never counted."""
    (outcome,) = await journal.add(wishes(1), batch="get", kind=BatchKind.GET, at=1.0)
    assert list(await journal.ids(TaskQuery())) == [outcome.task.id]
    await journal.save(replace(outcome.task, status=Status.COMPLETED), is_durable=True)
    assert list(await journal.ids(TaskQuery())) == []
    assert list(await journal.ids(TaskQuery(batch_id=outcome.task.batch_id))) == [outcome.task.id]
    assert journal.counts()[Status.COMPLETED] == 0


async def test_history_expires_by_its_end(journal: Journal) -> None:
    """Only rows that ended long ago go; what is unfinished stays however old."""
    old, young, failed = await with_statuses(journal, [Status.COMPLETED, Status.COMPLETED, Status.PENDING])
    day = 86400.0
    await journal.save_many([replace(old, finished_at=1 * day), replace(young, finished_at=20 * day)])
    assert await journal.expire_history(30, now=40 * day) == 1
    assert list(await journal.ids(TaskQuery())) == [young.id, failed.id]


async def test_a_removal_is_final_once_its_process_ended(open_journal: OpenJournal) -> None:
    """The next process has nothing to undo."""
    first = await open_journal()
    (task,) = await added(first, wishes(1))
    await first.remove([task.id])
    await first.aclose()
    assert await (await open_journal()).undo() == 0
