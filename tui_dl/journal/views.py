"""Views: a `TaskQuery` turned into SQL, and its answer into an array of ids."""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.status import FINISHED, Status
from tui_dl.journal.task_rows import SELECT_TASK, clean, decode
from tui_dl.journal.transitions import words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from tui_dl.core.task import DownloadTask

_MOST_PATTERN_CHARS: Final = 1_000
"""Longer texts go to the slow path: SQLite bounds the length of a pattern."""
_STATUS_RANK: Final = " ".join(f"WHEN '{status.value}' THEN {rank}" for rank, status in enumerate(Status))

_KEYS: Final = {
    SortKey.POSITION: "position",
    SortKey.NAME: "filename COLLATE NOCASE",
    SortKey.SIZE: "coalesce(total_bytes, -1)",
    SortKey.STATUS: f"CASE status {_STATUS_RANK} END",
    SortKey.HOST: "host",
    SortKey.ADDED: "added_at",
}


def prepare(connection: sqlite3.Connection) -> None:
    """Give a connection the function that compares texts beyond ASCII."""
    connection.create_function("folded_contains", 2, _folded_contains, deterministic=True)


def _folded_contains(needle: str, text: str) -> bool:
    return needle in text.casefold()


def condition_of_query(query: TaskQuery) -> tuple[str, dict[str, Any]]:
    """Return the `WHERE` of a query and its parameters.

    Without a batch this is the screen's default view: finished rows of a `get` are hidden.
    """
    terms = []
    parameters: dict[str, Any] = {}
    if query.batch_id is None:
        terms.append(f"(is_get = 0 OR status NOT IN ({words(FINISHED)}))")
    else:
        terms.append("batch_id = :batch")
        parameters["batch"] = query.batch_id
    if query.statuses:
        terms.append(f"status IN ({words(query.statuses)})")
    if query.host:
        terms.append(_contains("host", parameters, "host", clean(query.host)))
    if query.text:
        text = clean(query.text)
        columns = (_contains("filename", parameters, "text", text), _contains("url", parameters, "text", text))
        terms.append(f"({' OR '.join(columns)})")
    return " AND ".join(terms), parameters


def _contains(column: str, parameters: dict[str, Any], name: str, text: str) -> str:
    """Return a case-insensitive test; `LIKE` folds ASCII only, so other letters are folded by Python, for such rows."""
    folded = text.casefold()
    if folded.isascii() and len(folded) <= _MOST_PATTERN_CHARS:
        escaped = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        parameters[name] = f"%{escaped}%"
        return f"{column} LIKE :{name} ESCAPE '\\'"
    parameters[name] = folded
    if folded.isascii():
        return f"folded_contains(:{name}, {column})"
    return f"(length({column}) < length(CAST({column} AS BLOB)) AND folded_contains(:{name}, {column}))"


def order_of_query(query: TaskQuery) -> str:
    """Return the `ORDER BY`; equal rows follow the queue."""
    return f"{_KEYS[query.sort]}{' DESC' if query.is_descending else ''}, position, id"


def ids_of(connection: sqlite3.Connection, query: TaskQuery) -> array[int]:
    """Return the ids of the matching rows in order."""
    where, parameters = condition_of_query(query)
    statement = f"SELECT id FROM tasks WHERE {where} ORDER BY {order_of_query(query)}"  # noqa: S608  # fixed parts
    return array("q", (row[0] for row in connection.execute(statement, parameters)))


def rows_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[DownloadTask]:
    """Return the rows of these ids in this order; those that are gone are left out."""
    statement = f"{SELECT_TASK} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608  # fixed parts
    found = {row[0]: decode(row) for row in connection.execute(statement, (json.dumps(list(ids)),))}
    return [found[task_id] for task_id in ids if task_id in found]


def children_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[DownloadTask]:
    """Return the rows that these brought (the files of Metalinks), in the order of the queue."""
    # The second condition lets the partial index serve.
    statement = (
        f"{SELECT_TASK} WHERE parent_id IN (SELECT value FROM json_each(?)) AND parent_id <> 0 ORDER BY position"  # noqa: S608  # fixed parts
    )
    return [decode(row) for row in connection.execute(statement, (json.dumps(list(ids)),))]


def next_pending(
    connection: sqlite3.Connection, instance: str, limit: int, hosts: Iterable[str], ids: Iterable[int]
) -> list[DownloadTask]:
    """Return our next pending rows in queue order, none of these hosts and ids."""
    # The literal status lets the partial index serve order and exclusions without a sort.
    statement = (
        f"{SELECT_TASK} WHERE status = 'pending' AND owner = (SELECT number FROM owners WHERE instance = ?)"  # noqa: S608  # fixed parts
        " AND host NOT IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY priority DESC, position, id LIMIT ?"
    )
    parameters = (instance, json.dumps(list(hosts)), json.dumps(list(ids)), limit)
    return [decode(row) for row in connection.execute(statement, parameters)]
