"""Rows are found by address and target through two tables that hold exactly the rows there are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_dl.core.plain_address import plain_parts
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask, TargetState
from tui_dl.journal import adding, conditions, identities, queue_steps, schema
from tui_dl.journal.owners import Owner
from tui_dl.journal.queue_steps import Selection
from tui_dl.journal.readdressing import AddressChange, readdress
from tui_dl.journal.task_rows import SELECT_TASK, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.task import DownloadTask

OWNER = Owner("me", None)
BATCH = adding.Batch("b", adding.BatchKind.SCREEN, 1.0)
URLS = [
    *(f"http://h.test/{number}.bin" for number in range(12)),
    *("http://h.test:43567/a", "https://H.test/A.png", "http://h.test/", "http://h.test/%41%2f", "http://[::1]/x"),
    *("http://u@h.test/x", "http://h.test/caf\udce9", "http://h.test/a\0b", "http://h.test/é.bin", "nonsense"),
]
WISHES = st.builds(
    NewTask,
    url=st.sampled_from(URLS),
    dir=st.sampled_from(["/d", "/e\udce9"]),
    name=st.sampled_from(["", "n", "1.bin"]),
    priority=st.sampled_from([None, -1, 1]),
    line=st.integers(0, 9),
    extra=st.sampled_from(["", '{"a": "é"}']),
    target=st.sampled_from([*TargetState, TargetState.FREE, TargetState.FREE]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(WISHES, max_size=12)),
        st.tuples(st.sampled_from(["remove", "undo", "expire", "bury"]), st.lists(st.integers(1, 30), max_size=8)),
        st.tuples(st.just("readdress"), st.tuples(st.integers(1, 30), st.sampled_from(URLS))),
    ),
    max_size=8,
)


def _opened() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection)
    conditions.prepare(connection)
    return connection


def _remove(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    queue_steps.remove(connection, OWNER, Selection(ids=ids))


def _expire(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    connection.executemany("UPDATE tasks SET status = 'completed', finished_at = 1.0 WHERE id = ?", zip(ids))
    queue_steps.expire(connection, OWNER, 1.0, 1e9)


def _readdress(connection: sqlite3.Connection, wanted: tuple[int, str]) -> None:
    readdress(connection, OWNER, AddressChange(*wanted, options_of=lambda task: task.options, takes_over=True))


DOINGS: dict[str, Callable[[sqlite3.Connection, list[int]], object]] = {
    "remove": _remove,
    "expire": _expire,
    "undo": lambda connection, _: queue_steps.undo(connection, OWNER, most=3),
    "bury": lambda connection, _: queue_steps.bury(connection, OWNER.instance),
}


def _rows(connection: sqlite3.Connection) -> list[DownloadTask]:
    return [decode(row) for row in connection.execute(f"{SELECT_TASK} ORDER BY id")]


def _check(connection: sqlite3.Connection) -> None:
    """Every row is in one of the two tables, and counted by its status."""
    held = connection.execute(
        "SELECT identity, task_id FROM identities UNION ALL SELECT identity, task_id FROM new_identities"
    ).fetchall()
    assert sorted(held) == connection.execute("SELECT identity, id FROM tasks ORDER BY identity, id").fetchall()
    (new,) = connection.execute("SELECT count(*) FROM new_identities").fetchone()
    assert connection.execute("SELECT value FROM marks WHERE name = 'new identities'").fetchone() == (new,)
    assert new <= identities.MOST_NEW
    counted = connection.execute("SELECT status, sum(tasks) FROM counts GROUP BY status HAVING sum(tasks) <> 0")
    there = connection.execute("SELECT status, count(*) FROM tasks GROUP BY status")
    assert sorted(counted) == sorted(there)


@settings(max_examples=40)
@given(STEPS, st.sampled_from([0, 3, 1000]))
def test_the_tables_follow_every_step(steps: list[tuple[str, list[NewTask] | list[int]]], most_new: int) -> None:
    """Whatever is added, taken out, brought back, forgotten or given another address, and whenever slices move."""
    with pytest.MonkeyPatch.context() as patch, closing(_opened()) as connection:
        patch.setattr(identities, "MOST_NEW", most_new)
        for name, what in steps:
            connection.execute("BEGIN")
            if name == "add":
                adding.add(connection, OWNER, what, BATCH)  # type: ignore[arg-type]  # as drawn
            elif name == "readdress":
                _readdress(connection, what)  # type: ignore[arg-type]  # as drawn
            else:
                DOINGS[name](connection, what)  # type: ignore[arg-type]  # as drawn
            connection.execute("COMMIT")
            _check(connection)


@settings(max_examples=40)
@given(st.lists(WISHES, max_size=30), st.sampled_from([0, 5, 1000]))
def test_a_list_becomes_the_rows_that_its_lines_become_one_by_one(wishes: list[NewTask], most_new: int) -> None:
    """Many at once, with host and name read off before, and slices moving: the same rows and outcomes."""
    with pytest.MonkeyPatch.context() as patch, closing(_opened()) as one, closing(_opened()) as many:
        slowly = [outcome for wish in wishes for outcome in adding.add(one, OWNER, [wish], BATCH)]
        patch.setattr(identities, "MOST_NEW", most_new)
        read = [
            NewTask(**{name: getattr(wish, name) for name in NewTask.__slots__} | {"parts": plain_parts(wish.url)})
            for wish in wishes
        ]
        at_once = adding.add(many, OWNER, read, adding.Batch("b", adding.BatchKind.SCREEN, 1.0))
        assert [(one.task_id, one.is_new) for one in at_once] == [(one.task_id, one.is_new) for one in slowly]
        # Of one add the first wish decides, of several the last one: what they say of the rest differs by intent.
        firsts = {one.task_id: one for one in at_once if one.is_new}
        for row in _rows(many):
            assert firsts[row.id].task == row or row.status is Status.SKIPPED
        said = [(row.url, row.dir, row.filename, row.host, row.line, row.position) for row in _rows(many)]
        assert said == [(row.url, row.dir, row.filename, row.host, row.line, row.position) for row in _rows(one)]


def test_rows_of_the_version_before_are_found() -> None:
    """The step takes in what is there, and counts go on from where they were."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection, schema.MIGRATIONS[:4])
        connection.executemany(
            "INSERT INTO tasks (url, dir, filename, status, position, identity, added_at)"
            " VALUES (?, '/d', 'x', 'pending', 1, ?, 0.0)",
            [(f"http://h.test/{number}", (number - 5) << 60) for number in range(12)],
        )
        schema.migrate(connection)
        conditions.prepare(connection)
        _check(connection)
        wishes = [NewTask("http://h.test/new", "/d")]
        assert [one.task_id for one in adding.add(connection, OWNER, wishes, BATCH)] == [13]
        _check(connection)
