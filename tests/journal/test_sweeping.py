"""Bulk steps over thousands of rows, window by window."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes, with_statuses
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.query import TaskQuery
from tui_dl.core.query_text import parse_query
from tui_dl.core.sharing import PriorityChange
from tui_dl.core.status import Status, Trigger, advance, can_advance
from tui_dl.core.task import TaskOptions
from tui_dl.journal.conditions import prepare
from tui_dl.journal.journal import Journal
from tui_dl.journal.queue_steps import Selection, neighbour_statement
from tui_dl.journal.schema import migrate
from tui_dl.journal.sweeping import (
    FIRST_WINDOW,
    Step,
    Sweep,
    connecting,
    prioritising,
    removing,
    retrying,
    shifting,
    stepping,
    toggling,
    wishing,
)

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal

MANY = 2 * FIRST_WINDOW + 500
ALL = TaskQuery()


@pytest.mark.parametrize("trigger", [Trigger.PAUSE, Trigger.RESUME, Trigger.CANCEL, Trigger.RETRY])
async def test_a_sweep_agrees_with_advance(trigger: Trigger) -> None:
    """It changes exactly the rows for which the step is legal, to exactly what follows."""
    async with await Journal.open(None) as journal:
        tasks = await with_statuses(journal, [*Status])
        step = retrying(1.0, restarts=False, starts_over=()) if trigger is Trigger.RETRY else stepping(trigger, 1.0)
        changed = await journal.sweep(Sweep(step, ALL))
        rows = await journal.rows([task.id for task in tasks])
    expected = [advance(status, trigger) if can_advance(status, trigger) else status for status in Status]
    assert [row.status for row in rows] == expected
    assert changed == sum(can_advance(status, trigger) for status in Status)


async def test_a_sweep_goes_window_by_window_over_all_rows_that_match(journal: Journal) -> None:
    """Thousands of rows are several transactions whose progress is told; others stay as they are."""
    await added(journal, wishes(MANY))
    told: list[tuple[int, int]] = []
    changed = await journal.sweep(
        Sweep(stepping(Trigger.PAUSE, 1.0), parse_query("name:*7.bin")), on_progress=lambda *state: told.append(state)
    )
    assert changed == MANY // 10
    assert journal.counts()[Status.PAUSED] == changed
    assert len(told) > 1
    assert told[-1] == (MANY, MANY)


async def test_rows_in_hand_and_rows_let_go_are_left_alone(journal: Journal) -> None:
    """What runs is its engine's own, asked anew for each window; what was deselected is not meant."""
    first, second, third = await added(journal, wishes(3))
    sweep = Sweep(stepping(Trigger.PAUSE, 1.0), ALL, excluding_ids=(second.id,))
    assert await journal.sweep(sweep, in_hand=lambda: (first.id,)) == 1
    assert [task.status for task in await journal.rows([first.id, second.id, third.id])] == [
        Status.PENDING,
        Status.PENDING,
        Status.PAUSED,
    ]


async def test_rows_of_another_living_process_stay(open_journal: OpenJournal) -> None:
    """Hands off what somebody else runs."""
    mine, other = await open_journal(), await open_journal()
    await added(other, wishes(3))
    steps: list[Step] = [stepping(Trigger.PAUSE, 1.0), toggling(1.0), removing(), shifting(5)]
    steps += [prioritising(PriorityChange(1)), retrying(1.0, restarts=True, starts_over=())]
    steps += [wishing({"limit_rate_bps": 1}), connecting(1, None, 1, 8)]
    assert [await mine.sweep(Sweep(step, ALL)) for step in steps] == [0] * len(steps)


async def test_toggling_turns_each_row_by_itself(journal: Journal) -> None:
    """Paused rows go on, the others pause, none twice."""
    tasks = await with_statuses(journal, [Status.PAUSED, Status.PENDING, Status.COMPLETED])
    assert await journal.sweep(Sweep(toggling(1.0), ALL)) == 2
    rows = await journal.rows([task.id for task in tasks])
    assert [row.status for row in rows] == [Status.PENDING, Status.PAUSED, Status.COMPLETED]


async def test_removed_rows_come_back_all_together(journal: Journal) -> None:
    """One `undo()` brings back every window of the last removal, and nothing of the one before."""
    tasks = await added(journal, wishes(MANY))
    await journal.remove([tasks[0].id])
    removed = await journal.sweep(Sweep(removing(), parse_query("name:*.bin -name:=1.bin")))
    left = sum(journal.counts().values())
    assert (removed, left, await journal.undo(), sum(journal.counts().values())) == (MANY - 2, 1, MANY - 2, MANY - 1)


async def test_rows_are_given_a_priority(journal: Journal) -> None:
    """Those that match alone, and within the bounds of priorities."""
    tasks = await added(journal, wishes(3))
    sweep = Sweep(prioritising(PriorityChange(1, is_relative=True)), parse_query("-name:1.bin"))
    assert [await journal.sweep(sweep), await journal.sweep(sweep)] == [2, 0]
    assert [task.priority for task in await journal.rows([task.id for task in tasks])] == [1, 0, 1]


@pytest.mark.parametrize(("is_front", "order"), [(True, [1, 3, 0, 2, 4]), (False, [0, 2, 4, 1, 3])])
async def test_rows_move_to_an_end_of_the_queue_in_their_order(
    journal: Journal, is_front: bool, order: list[int]
) -> None:
    """Before, or behind, all others."""
    tasks = await added(journal, wishes(5))
    query = parse_query("name:1.bin name:3.bin")
    by = await journal.way_to_end(query, is_front=is_front)
    assert await journal.sweep(Sweep(shifting(by), query)) == 2
    assert list(await journal.ids(ALL)) == [tasks[index].id for index in order]


async def test_a_sweep_of_ids_steps_these_alone(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many, window by window; those of a question that names none of them are not read."""
    monkeypatch.setattr("tui_dl.journal.sweeping._MOST_IDS", 100)
    tasks = await added(journal, wishes(1200))
    ids = [task.id for task in tasks[100:1100]]
    told: list[tuple[int, int]] = []
    sweep = Sweep(stepping(Trigger.PAUSE, 1.0), ALL, {ids[0]}, ids)
    assert await journal.sweep(sweep, on_progress=lambda *state: told.append(state)) == len(ids) - 1
    rows = await journal.rows([task.id for task in tasks])
    assert {row.id for row in rows if row.status is Status.PAUSED} == {*ids[1:]}
    assert len(told) >= len(ids) // 100
    assert told[-1][0] == told[-1][1]


async def test_ids_move_to_an_end_of_the_queue(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Piece by piece looked at, moved by one distance."""
    monkeypatch.setattr("tui_dl.journal.sweeping._MOST_IDS", 2)
    tasks = await added(journal, wishes(7))
    ids = [tasks[index].id for index in (1, 2, 5)]
    by = await journal.way_to_end(ALL, ids, is_front=True)
    await journal.sweep(Sweep(shifting(by), ALL, ids=ids))
    assert list(await journal.ids(ALL)) == [tasks[index].id for index in (1, 2, 5, 0, 3, 4, 6)]


async def test_what_was_asked_for_is_changed_and_the_rest_stays(journal: Journal) -> None:
    """Limits and connections of all rows, as the same change of each by itself gives them."""
    tasks = await added(journal, wishes(3))
    asked = (
        TaskOptions(),
        TaskOptions(connections=7, limit_rate_bps=5, gid="0123456789abcdef"),
        TaskOptions(connections=2, headers=(("X", "y"),)),
    )
    await journal.save_many([replace(task, options=own) for task, own in zip(tasks, asked, strict=True)])
    for step in (connecting(2, 5, 1, 8), wishing({"limit_rate_bps": None})):
        assert await journal.sweep(Sweep(step, ALL)) == len(tasks)
    rows = await journal.rows([task.id for task in tasks])
    assert [row.options for row in rows] == [
        TaskOptions(connections=7),
        TaskOptions(connections=8, gid="0123456789abcdef"),
        TaskOptions(connections=4, headers=(("X", "y"),)),
    ]
    assert await journal.ids_named("0123456789abcdef") == [tasks[1].id]
    for step in (connecting(3, None, 1, 8), wishing({"limit_rate_bps": 9})):
        await journal.sweep(Sweep(step, ALL))
    rows = await journal.rows([task.id for task in tasks])
    assert [(row.options.connections, row.options.limit_rate_bps) for row in rows] == [(3, 9)] * len(tasks)


async def test_moves_end_before_the_numbers_do(journal: Journal) -> None:
    """Positions have an end; it is named with another way before it is reached."""
    await added(journal, wishes(2))
    query = parse_query("name:0.bin")
    await journal.sweep(Sweep(shifting(1 << 61), query))
    with pytest.raises(UsageError, match="priority"):
        await journal.way_to_end(parse_query("name:1.bin"), is_front=False)


async def test_a_retry_starts_over_what_must(journal: Journal) -> None:
    """Bytes of a wrong digest are dropped, unless digests of pieces tell which of them are right."""
    tasks = await added(journal, wishes(3))
    changes = (
        {"reason": Reason.DIGEST_MISMATCH},
        {"reason": Reason.DIGEST_MISMATCH, "options": TaskOptions(pieces="sha-256;1;aa", connections=2)},
        {"reason": Reason.NOT_FOUND, "options": TaskOptions(connections=3)},
    )
    failed = [
        replace(task, status=Status.FAILED, **change)  # type: ignore[arg-type]  # the fields of each differ
        for task, change in zip(tasks, changes, strict=True)
    ]
    await journal.save_many(failed)
    await journal.sweep(Sweep(retrying(1.0, restarts=False, starts_over=[Reason.DIGEST_MISMATCH]), ALL))
    rows = await journal.rows([task.id for task in tasks])
    assert [row.options.restarts for row in rows] == [True, False, False]
    assert [row.options.connections for row in rows] == [None, 2, 3]
    assert {row.status for row in rows} == {Status.PENDING}


@pytest.mark.parametrize("selection", [Selection(above_id=5, up_to_id=9), Selection(ids=(5, 9))])
def test_a_window_is_looked_up_by_id(selection: Selection) -> None:
    """However many rows have the status, a step looks at those of its window alone."""
    connection = sqlite3.connect(":memory:")
    migrate(connection)
    prepare(connection)
    where, parameters = selection.condition()
    plan = connection.execute(
        f"EXPLAIN QUERY PLAN UPDATE {selection.table} SET owner = 1 WHERE status IN ('paused') AND {where}",  # ours
        parameters,
    ).fetchall()
    connection.close()
    assert "INTEGER PRIMARY KEY" in plan[0][-1]


@pytest.mark.parametrize("is_up", [True, False])
def test_a_neighbour_is_looked_up_by_position(is_up: bool) -> None:
    """Each row that moves asks for one: to sort a million rows for it takes a tenth of a second."""
    connection = sqlite3.connect(":memory:")
    migrate(connection)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {neighbour_statement(is_up=is_up)}", (1, 1, 0)).fetchall()
    connection.close()
    assert [step[-1].partition(" (")[0] for step in plan] == ["SEARCH tasks USING INDEX tasks_position"]
