"""Views: a `TaskQuery` turned into SQL, and its answer into an array of ids."""

from __future__ import annotations

import json
from array import array
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import SortKey
from tui_dl.core.status import Status
from tui_dl.journal.conditions import condition_of_query
from tui_dl.journal.task_rows import SELECT_TASK, decode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.queue_steps import Selection

_STATUS_RANK: Final = " ".join(f"WHEN '{status.value}' THEN {rank}" for rank, status in enumerate(Status))

_KEYS: Final = {
    SortKey.POSITION: "position",
    SortKey.NAME: "filename COLLATE NOCASE",
    SortKey.SIZE: "coalesce(total_bytes, -1)",
    SortKey.STATUS: f"CASE status {_STATUS_RANK} END",
    SortKey.HOST: "host",
    SortKey.ADDED: "added_at",
}


def order_of_query(query: TaskQuery) -> str:
    """Return the `ORDER BY`; equal rows follow the queue."""
    return f"{_KEYS[query.sort]}{' DESC' if query.is_descending else ''}, position, id"


def ids_of(connection: sqlite3.Connection, query: TaskQuery, limit: int = -1) -> array[int]:
    """Return the ids of the matching rows in order, at most `limit`; -1 for all."""
    where, parameters = condition_of_query(query)
    statement = f"SELECT id FROM tasks WHERE {where} ORDER BY {order_of_query(query)}"  # noqa: S608  # fixed parts
    if limit >= 0:
        # Bound, not always there: without one SQLite sorts all at once, which is quicker for all of them.
        statement += f" LIMIT {limit:d}"
    return array("q", map(itemgetter(0), connection.execute(statement, parameters)))


def ids_selected(connection: sqlite3.Connection, selection: Selection) -> array[int]:
    """Return the ids of a selection's rows, in no order."""
    where, parameters = selection.condition()
    statement = f"SELECT id FROM tasks WHERE {where}"  # noqa: S608  # fixed parts
    return array("q", map(itemgetter(0), connection.execute(statement, parameters)))


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
