"""Playlists as trees: entries below their heads, whatever orders the heads."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from tui_dl.journal.conditions import condition_of_query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from tui_dl.core.query import TaskQuery

    IdsWhere = Callable[[str, Mapping[str, Any], int], array[int]]

FEW_HEADS: Final = 64
"""Up to so many heads are each looked for among all rows; more of them in one walk over these."""


def has_entries(connection: sqlite3.Connection) -> bool:
    """Whether there is a tree at all: one look into an index that is empty otherwise."""
    return connection.execute("SELECT 1 FROM tasks WHERE kind = 'entry' LIMIT 1").fetchone() is not None


def tree_of(connection: sqlite3.Connection, query: TaskQuery, ids_where: IdsWhere, limit: int) -> array[int]:
    """Return the ids of the matching rows, entries below their head; at most `limit`, -1 for all.

    `ids_where` answers the query with another condition. An entry whose head does not match stands by itself.
    """
    where, parameters = condition_of_query(query)
    heads = _heads(connection, where, parameters)
    below = _entries(connection, where, parameters, heads - frozenset(query.closed_ids))
    own = f"{where} AND NOT (kind = 'entry' AND parent_id IN (SELECT value FROM json_each(:heads)))"  # noqa: S608  # ours
    rows = ids_where(own, {**parameters, "heads": json.dumps(sorted(heads))}, limit)
    merged = _merged(rows, below)
    return merged if limit < 0 else merged[:limit]


def _heads(connection: sqlite3.Connection, where: str, parameters: Mapping[str, Any]) -> frozenset[int]:
    """Return the heads that match."""
    statement = f"SELECT id FROM tasks INDEXED BY tasks_heads WHERE kind = 'playlist' AND {where}"  # noqa: S608  # ours
    return frozenset(row[0] for row in connection.execute(statement, parameters))


def _entries(
    connection: sqlite3.Connection, where: str, parameters: Mapping[str, Any], heads: frozenset[int]
) -> dict[int, array[int]]:
    """Return the matching entries of heads, in their own order."""
    statement = (
        "SELECT parent_id, id FROM tasks INDEXED BY tasks_entries WHERE kind = 'entry'"  # noqa: S608  # fixed parts
        f" AND parent_id IN (SELECT value FROM json_each(:open)) AND {where} ORDER BY parent_id, position, id"
    )
    found: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
    for head, entry in connection.execute(statement, {**parameters, "open": json.dumps(sorted(heads))}):
        found[head].append(entry)
    return found


def _merged(rows: array[int], below: Mapping[int, array[int]]) -> array[int]:
    """Return the rows with what belongs below each."""
    if len(below) <= FEW_HEADS:
        places = sorted((rows.index(head), head) for head in below if head in rows)
    else:
        places = [(place, row) for place, row in enumerate(rows) if row in below]
    merged = array("q")
    start = 0
    for place, head in places:
        merged.extend(rows[start : place + 1])
        merged.extend(below[head])
        start = place + 1
    merged.extend(rows[start:])
    return merged
