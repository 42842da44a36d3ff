"""Which rows may be of a certain address and target: a large table, and a small one where new rows stand first.

Identities are hashes, so those of a list lie all over a table: each transaction would write most of its pages anew,
and did (4.1 GB for a list of a million, 1.2 GB now). What is new goes into a table that stays small, and from there in
slices, each of which lies together in the large one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from typing import Any

SLICES: Final = 32
"""Parts of the range of identities that are moved one by one."""
MOST_NEW: Final = 40_000
"""Rows of the small table beyond which slices are moved, about; it has 250 pages then."""
_FIRST: Final = -(1 << 63)
_SLICE: Final = (1 << 64) // SLICES
_COUNT: Final = "new identities"
_NEXT: Final = "identity slice"

_COLUMNS: Final = "(identity INTEGER NOT NULL, task_id INTEGER NOT NULL, PRIMARY KEY (identity, task_id)) WITHOUT ROWID"
TABLES: Final = (
    f"CREATE TABLE identities {_COLUMNS}",
    f"CREATE TABLE new_identities {_COLUMNS}",
    f"INSERT INTO marks VALUES ('{_COUNT}', 0), ('{_NEXT}', 0)",  # noqa: S608  # fixed words
    "INSERT INTO identities SELECT identity, id FROM tasks ORDER BY identity",
)
"""Makes the tables and takes in what rows there are."""
WITH_IDENTITY: Final = (
    "id IN (SELECT task_id FROM identities WHERE identity IN (SELECT value FROM json_each(:identities)) UNION ALL"
    " SELECT task_id FROM new_identities WHERE identity IN (SELECT value FROM json_each(:identities)))"
)
"""A condition on rows of tasks; takes what `in_json()` returns."""
TWIN: Final = (
    "SELECT id FROM tasks WHERE id IN (SELECT task_id FROM identities WHERE identity = gone.identity UNION ALL"
    " SELECT task_id FROM new_identities WHERE identity = gone.identity)"
    " AND url = gone.url AND dir = gone.dir AND asked = gone.asked"
)
"""Finds the rows of the same address and target as one of `removed AS gone`."""


def in_json(identities: Iterable[int]) -> dict[str, str]:
    """Return the parameter of `WITH_IDENTITY`."""
    return {"identities": json.dumps(list(identities))}


def take_in(connection: sqlite3.Connection, where: str, parameters: Mapping[str, Any]) -> None:
    """Take in the rows of tasks that fulfil a condition; those are new or were left out."""
    # In order: what comes one after the other goes into the same pages.
    added = connection.execute(
        f"INSERT OR IGNORE INTO new_identities SELECT identity, id FROM tasks WHERE {where} ORDER BY identity",  # noqa: S608  # ours
        parameters,
    ).rowcount
    _note(connection, added)


def leave_out(connection: sqlite3.Connection, rows: str, parameters: Mapping[str, Any]) -> None:
    """Forget rows; `rows` is a statement that yields identity and id of each."""
    for table in ("identities", "new_identities"):
        gone = connection.execute(
            f"DELETE FROM {table} WHERE (identity, task_id) IN ({rows})",  # noqa: S608  # ours
            parameters,
        ).rowcount
    _note(connection, -gone)


def move_on(connection: sqlite3.Connection) -> None:
    """Move slices from the small table to the large one until it is small."""
    count, number = (_mark(connection, name) for name in (_COUNT, _NEXT))
    if count <= MOST_NEW:
        return
    for _ in range(SLICES):
        low = _FIRST + number * _SLICE
        bounds = (low, low + _SLICE - 1)
        connection.execute(
            "INSERT OR IGNORE INTO identities SELECT identity, task_id FROM new_identities"
            " WHERE identity BETWEEN ? AND ?",
            bounds,
        )
        count -= connection.execute("DELETE FROM new_identities WHERE identity BETWEEN ? AND ?", bounds).rowcount
        number = (number + 1) % SLICES
        if count <= MOST_NEW:
            break
    connection.executemany("UPDATE marks SET value = ? WHERE name = ?", ((count, _COUNT), (number, _NEXT)))


def _note(connection: sqlite3.Connection, change: int) -> None:
    if change:
        connection.execute("UPDATE marks SET value = value + ? WHERE name = ?", (change, _COUNT))


def _mark(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
    return int(value)
