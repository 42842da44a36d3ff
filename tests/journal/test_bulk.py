"""Bulk actions agree with `advance()` on every status, and keep their hands off others' rows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal.rows import added, wishes, with_statuses
from tui_dl.core.errors import Reason
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status, Trigger, advance, can_advance
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal


@pytest.mark.parametrize("trigger", Trigger)
async def test_bulk_agrees_with_advance(trigger: Trigger) -> None:
    """A bulk step changes exactly the rows for which the step is legal, to exactly what follows."""
    async with await Journal.open(None) as journal:
        tasks = await with_statuses(journal, [*Status])
        changed = await journal.bulk(trigger, TaskQuery())
        rows = await journal.rows([task.id for task in tasks])
    expected = [advance(status, trigger) if can_advance(status, trigger) else status for status in Status]
    assert [row.status for row in rows] == expected
    assert changed == sum(can_advance(status, trigger) for status in Status)


@settings(max_examples=40)
@given(
    statuses=st.lists(st.sampled_from(Status), min_size=1, max_size=12),
    steps=st.lists(
        st.tuples(
            st.sampled_from(Trigger),
            st.sets(st.integers(0, 11)),
            st.sets(st.integers(0, 11)),
            st.frozensets(st.sampled_from(Status)),
        ),
        max_size=5,
    ),
)
def test_any_order_of_bulk_steps_agrees_with_advance(
    statuses: list[Status], steps: list[tuple[Trigger, set[int], set[int], frozenset[Status]]]
) -> None:
    """Selections by ids, exclusions and statuses leave what the table leaves, and counts that agree."""

    async def scenario() -> None:
        async with await Journal.open(None) as journal:
            tasks = await with_statuses(journal, statuses)
            model = list(statuses)
            for trigger, chosen, excluded, wanted in steps:
                ids = [tasks[index].id for index in chosen if index < len(tasks)]
                not_ids = [tasks[index].id for index in excluded if index < len(tasks)]
                await journal.bulk(trigger, TaskQuery(statuses=wanted), ids, excluding_ids=not_ids)
                for index in chosen - excluded:
                    is_meant = index < len(model) and (not wanted or model[index] in wanted)
                    if is_meant and can_advance(model[index], trigger):
                        model[index] = advance(model[index], trigger)
            rows = await journal.rows([task.id for task in tasks])
            assert [row.status for row in rows] == model
            assert all(journal.counts()[status] == model.count(status) for status in Status)

    asyncio.run(scenario())


async def test_a_retried_row_begins_without_blame(journal: Journal) -> None:
    """Reason, due time, end and attempts of the last time are gone."""
    (task,) = await with_statuses(journal, [Status.FAILED])
    blamed = replace(task, reason=Reason.STALLED, reason_text="x", due_at=5.0, finished_at=6.0, retry_count=3)
    await journal.save(blamed, is_durable=True)
    await journal.bulk(Trigger.RETRY, ids=[task.id])
    assert await journal.rows([task.id]) == [replace(task, status=Status.PENDING)]


async def test_a_cancelled_row_ends_now(journal: Journal) -> None:
    """History begins for it at the instant of the step."""
    (task,) = await with_statuses(journal, [Status.PAUSED])
    await journal.bulk(Trigger.CANCEL, ids=[task.id])
    assert await journal.rows([task.id]) == [replace(task, status=Status.CANCELLED, finished_at=1000.0)]


async def test_bulk_leaves_the_rows_of_living_processes_alone(open_journal: OpenJournal) -> None:
    """A screen that pauses all does not pause the rows of a running `get`."""
    screen, get = await open_journal(), await open_journal()
    (mine,) = await added(screen, wishes(1, "mine.example"))
    (theirs,) = await added(get, wishes(1, "theirs.example"))
    assert await screen.bulk(Trigger.PAUSE, TaskQuery()) == 1
    rows = await screen.rows([mine.id, theirs.id])
    assert [row.status for row in rows] == [Status.PAUSED, Status.PENDING]


async def test_a_retried_row_of_a_dead_process_becomes_ours(open_journal: OpenJournal) -> None:
    """What a bulk step queues is run by whoever queued it."""
    first = await open_journal()
    (task,) = await with_statuses(first, [Status.FAILED])
    await first.aclose()
    second = await open_journal()
    await second.bulk(Trigger.RETRY, TaskQuery())
    assert [row.id for row in await second.next_pending(5)] == [task.id]
