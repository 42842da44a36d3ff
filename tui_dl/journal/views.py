"""Views: a `TaskQuery` turned into SQL, and its answer into an array of ids."""

from __future__ import annotations

import json
from array import array
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui_dl.core.query import SortKey, allowed_statuses
from tui_dl.core.status import Status
from tui_dl.journal.conditions import condition_of_query
from tui_dl.journal.task_rows import SELECT_TASK, clean, decode
from tui_dl.journal.transitions import words
from tui_dl.journal.trees import has_entries, tree_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.queue_steps import Selection

MANY_ROWS: Final = 20_000
"""Rows of a status from which on those wanted first are looked for in the order of the queue."""
_PIECE_CHARS: Final = 32 * 1024
"""Numbers that are read at once, written down: others get the interpreter in between."""
_STATUS_RANK: Final = " ".join(f"WHEN '{status.value}' THEN {rank}" for rank, status in enumerate(Status))

_KEYS: Final = {
    SortKey.POSITION: "position",
    SortKey.NAME: "filename COLLATE NOCASE",
    SortKey.SIZE: "coalesce(total_bytes, -1)",
    SortKey.STATUS: f"CASE status {_STATUS_RANK} END",
    SortKey.HOST: "host",
    SortKey.ADDED: "added_at",
    SortKey.FINISHED: "finished_at",
}


class Having(NamedTuple):
    """What no query can ask for, and few rows of very many have."""

    condition: str
    """Part of a `WHERE`."""
    values: Mapping[str, Any] = {}
    """Its parameters."""


A_PART: Final = Having("part_path <> ''")
"""Rows that name a part file."""
MAYBE_MEDIA: Final = Having(
    "(kind <> '' OR (options LIKE '%\"as_kind\"%' AND json_extract(options, '$.as_kind') IN ('media', 'found')))"
)
"""Rows that are media, or may turn out to be."""


def a_part_since(at: float) -> Having:
    """Rows that name a part file and ended at this Unix time or later."""
    return Having(f"{A_PART.condition} AND finished_at >= :since", {"since": at})


def order_of_query(query: TaskQuery) -> str:
    """Return the `ORDER BY`; equal rows follow the queue."""
    return f"{_KEYS[query.sort]}{' DESC' if query.is_descending else ''}, position, id"


def ids_of(connection: sqlite3.Connection, query: TaskQuery, limit: int = -1) -> array[int]:
    """Return the ids of the matching rows in order, at most `limit`; -1 for all."""
    if query.is_tree and has_entries(connection):
        return tree_of(connection, query, partial(_ids_where, connection, query), limit)
    return _ids_where(connection, query, *condition_of_query(query), limit)


def _ids_where(
    connection: sqlite3.Connection, query: TaskQuery, where: str, parameters: Mapping[str, Any], limit: int
) -> array[int]:
    order = order_of_query(query)
    if limit >= 0:
        table = "tasks INDEXED BY tasks_position" if _is_walked(connection, query) else "tasks"
        # Bound, not always there: without one SQLite sorts all at once, which is quicker for all of them.
        statement = f"SELECT id FROM {table} WHERE {where} ORDER BY {order} LIMIT {limit:d}"  # noqa: S608  # fixed parts
        return array("q", map(itemgetter(0), connection.execute(statement, parameters)))
    if query.is_filtered and query.sort is SortKey.POSITION:
        # Rows are read as they lie and sorted: the index would be quicker for nearly all of them, and slow for few.
        order = f"+{order}"
    statement = f"SELECT group_concat(id) FROM (SELECT id FROM tasks WHERE {where} ORDER BY {order})"  # noqa: S608  # as above
    (text,) = connection.execute(statement, parameters).fetchone()
    return _numbers(text or "")


def _is_walked(connection: sqlite3.Connection, query: TaskQuery) -> bool:
    """Whether the first rows of a query are found at the head of the queue: those of a status that many rows have.

    Left to itself SQLite takes all of that status and sorts them.
    """
    statuses = allowed_statuses(query)
    if query.sort is not SortKey.POSITION or query.batch_id is not None or len(statuses) == len(Status):
        return False
    counted = f"SELECT coalesce(sum(tasks), 0) FROM counts WHERE status IN ({words(statuses)})"  # noqa: S608  # as above
    return bool(connection.execute(counted).fetchone()[0] > MANY_ROWS)


def _numbers(text: str) -> array[int]:
    """Return the numbers between commas: a million rows that are fetched one by one want the interpreter as often."""
    numbers = array("q")
    start = 0
    while start < len(text):
        end = text.find(",", start + _PIECE_CHARS)
        end = len(text) if end < 0 else end
        numbers.extend(json.loads(f"[{text[start:end]}]"))
        start = end + 1
    return numbers


def ids_selected(connection: sqlite3.Connection, selection: Selection) -> array[int]:
    """Return the ids of a selection's rows, in no order."""
    where, parameters = selection.condition()
    statement = f"SELECT id FROM tasks WHERE {where}"  # noqa: S608  # fixed parts
    return array("q", map(itemgetter(0), connection.execute(statement, parameters)))


def ids_having(connection: sqlite3.Connection, query: TaskQuery, having: Having) -> array[int]:
    """Return the ids of the matching rows of which that is true as well, in no order."""
    where, parameters = condition_of_query(query)
    statement = f"SELECT id FROM tasks WHERE {having.condition} AND {where}"  # noqa: S608  # fixed parts
    return array("q", map(itemgetter(0), connection.execute(statement, {**parameters, **having.values})))


def rows_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[DownloadTask]:
    """Return the rows of these ids in this order; those that are gone are left out."""
    statement = f"{SELECT_TASK} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608  # fixed parts
    found = {row[0]: decode(row) for row in connection.execute(statement, (json.dumps(list(ids)),))}
    return [found[task_id] for task_id in ids if task_id in found]


def is_part_of_another(connection: sqlite3.Connection, part_path: str, task_id: int) -> bool:
    """Whether a row other than this one names a part file."""
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM tasks WHERE part_path = :path AND id <> :id)"
        " OR EXISTS (SELECT 1 FROM removed WHERE part_path = :path AND id <> :id)",
        {"path": clean(part_path), "id": task_id},
    )
    return bool(found.fetchone()[0])


def children_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[DownloadTask]:
    """Return the rows that these brought (the files of Metalinks), in the order of the queue."""
    # The second condition lets the partial index serve.
    statement = (
        f"{SELECT_TASK} WHERE parent_id IN (SELECT value FROM json_each(?)) AND parent_id <> 0 ORDER BY position"  # noqa: S608  # fixed parts
    )
    return [decode(row) for row in connection.execute(statement, (json.dumps(list(ids)),))]


def ids_named(connection: sqlite3.Connection, prefix: str) -> list[int]:
    """Return at most two tasks whose gid (lower case) begins so: a name that a program gave, or that of the id."""
    low, high = int(prefix.ljust(16, "0"), 16), int(prefix.ljust(16, "f"), 16)
    given = connection.execute(
        # As Python writes it, and as SQLite does where it changed options.
        "SELECT id FROM tasks WHERE options LIKE ? OR options LIKE ? LIMIT 2",
        (f'%"gid": "{prefix}%', f'%"gid":"{prefix}%'),
    )
    found = [row[0] for row in given]
    if low < 1 << 63:
        own = connection.execute(
            "SELECT id FROM tasks WHERE id BETWEEN ? AND ? AND coalesce(options, '') NOT LIKE '%\"gid\":%' LIMIT 2",
            (low, min(high, (1 << 63) - 1)),
        )
        found += [row[0] for row in own]
    return found[:2]


def next_pending(
    connection: sqlite3.Connection, instance: str, limit: int, hosts: Iterable[str], ids: Iterable[int]
) -> list[DownloadTask]:
    """Return our next pending rows in queue order, none of these hosts and ids."""
    # The literal status lets the partial index serve order and exclusions without a sort.
    statement = (
        f"{SELECT_TASK} WHERE status = 'pending' AND owner = (SELECT number FROM owners WHERE instance = ?)"  # noqa: S608  # fixed parts
        " AND host NOT IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT value FROM json_each(?))"
        # A playlist that was read whole has nothing to do itself.
        " AND (kind <> 'playlist' OR facts LIKE '%\"is_reading\": true%')"
        " ORDER BY priority DESC, position, id LIMIT ?"
    )
    parameters = (instance, json.dumps(list(hosts)), json.dumps(list(ids)), limit)
    return [decode(row) for row in connection.execute(statement, parameters)]
