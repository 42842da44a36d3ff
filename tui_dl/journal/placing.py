"""Rows put at a place of the queue that is counted: the seventh, two before where it is, the last but one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.places import Base
from tui_dl.core.status import Status
from tui_dl.journal.queue_steps import note_order
from tui_dl.journal.schema import POSITION_GAP
from tui_dl.journal.transitions import words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui_dl.core.places import Place

STANDING: Final = frozenset({Status.PENDING, Status.WAITING, Status.PAUSED})
"""Statuses of rows that have a place: what runs is ahead of all of them."""
_OTHERS: Final = f"WHERE status IN ({words(STANDING)}) AND id NOT IN (SELECT value FROM json_each(:ids))"  # noqa: S608  # fixed words
"""All standing rows but those that are moved."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of it."""

    moved: int
    """Rows that stand there now."""
    index: int
    """Place of the first of them, counted from 0."""


def place(connection: sqlite3.Connection, ids: Sequence[int], wanted: Place) -> Placed:
    """Put the standing rows of these ids, in the order given, at a place counted among all standing rows."""
    found = dict(
        connection.execute(
            f"SELECT id, position FROM tasks WHERE status IN ({words(STANDING)})"  # noqa: S608  # fixed words
            " AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        ).fetchall()
    )
    moving = [task_id for task_id in dict.fromkeys(ids) if task_id in found]
    if not moving:
        return Placed(0, 0)
    parameters: dict[str, Any] = {"ids": json.dumps(moving)}
    (others,) = connection.execute(f"SELECT count(*) FROM tasks {_OTHERS}", parameters).fetchone()  # noqa: S608  # fixed
    first_key = {"position": found[moving[0]], "id": moving[0]}
    before_first = 0
    if wanted.base is Base.CURRENT:
        (before_first,) = connection.execute(
            f"SELECT count(*) FROM tasks {_OTHERS} AND (position, id) < (:position, :id)",  # noqa: S608  # fixed
            parameters | first_key,
        ).fetchone()
    index = wanted.index(before_first, others)
    _put(connection, moving, parameters, index, others)
    note_order(connection)
    return Placed(len(moving), index)


def _put(
    connection: sqlite3.Connection, moving: Sequence[int], parameters: dict[str, Any], index: int, others: int
) -> None:
    """Give the rows positions between the others before and after an index; make room where there is none."""
    before = _key_at(connection, parameters, index - 1, others) if index > 0 else None
    after = _key_at(connection, parameters, index, others) if index < others else None
    if before is None and after is None:
        # Nobody else stands there: only their own order counts.
        before = (0, 0)
    if before is None:
        assert after is not None
        low, step = after[0] - POSITION_GAP * len(moving), POSITION_GAP
        start = low
    elif after is None:
        start, step = before[0] + POSITION_GAP, POSITION_GAP
    else:
        step = (after[0] - before[0]) // (len(moving) + 1)
        if step < 1:
            step = POSITION_GAP
            connection.execute(
                "UPDATE tasks SET position = position + :by WHERE (position, id) > (:position, :id)",
                {"by": POSITION_GAP * (len(moving) + 1), "position": before[0], "id": before[1]},
            )
        start = before[0] + step
    connection.executemany(
        "UPDATE tasks SET position = ? WHERE id = ?",
        [(start + step * number, task_id) for number, task_id in enumerate(moving)],
    )


def _key_at(connection: sqlite3.Connection, parameters: dict[str, Any], index: int, others: int) -> tuple[int, int]:
    """Return position and id of the row at a place, counted from the nearer end."""
    is_near_end = index > others // 2
    direction = " DESC" if is_near_end else ""
    # Left to itself SQLite gathers all rows of these states and sorts them: a second for a million.
    found: tuple[int, int] = connection.execute(
        f"SELECT position, id FROM tasks INDEXED BY tasks_position {_OTHERS}"  # noqa: S608  # fixed parts
        f" ORDER BY position{direction}, id{direction} LIMIT 1 OFFSET :index",
        parameters | {"index": others - 1 - index if is_near_end else index},
    ).fetchone()
    return found
