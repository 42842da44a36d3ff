"""Steps on rows that are not live: bulk transitions, moves, removals and their undoing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.sharing import HIGHEST, LOWEST
from tui_dl.core.status import FINISHED, UNFINISHED, Trigger
from tui_dl.journal import identities
from tui_dl.journal.conditions import condition_of_query
from tui_dl.journal.schema import count_rows
from tui_dl.journal.transitions import assignments, status_case, words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from tui_dl.core.query import TaskQuery
    from tui_dl.core.sharing import PriorityChange
    from tui_dl.journal.owners import Owner

_DAY_S: Final = 86_400.0
_BELONGINGS: Final = ("extents", "checkpoints", "log", "media_notes")
"""Tables whose rows go with their task."""
_SPARED: Final = {
    Trigger.PAUSE: " AND NOT (status = 'waiting' AND reason IS 'choice')",
    Trigger.RETRY: " AND (reason IS NULL OR reason NOT IN ('choice', 'not-chosen'))",
}
"""What a person was asked about, or did not want, is left alone by steps on many rows."""
OPTIONS: Final = "CASE options WHEN '' THEN '{}' ELSE options END"
"""What was asked for a row, as SQLite's functions for JSON take it."""
_HANDS_OFF: Final = "owner NOT IN (SELECT value FROM json_each(:hands_off))"


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows a step is meant for: a query, or ids, or both; without either, all of the default view."""

    query: TaskQuery | None = None
    """Rows that match."""
    ids: Sequence[int] | None = None
    """Rows of these ids."""
    excluding_ids: tuple[int, ...] = ()
    """Rows that are live in the engine, which steps them itself."""
    above_id: int | None = None
    """Rows with a higher id only: where a window begins."""
    up_to_id: int | None = None
    """Rows with this id or a lower one only: where a window ends."""

    @property
    def table(self) -> str:
        """The table as a statement names it: ids and windows are looked up by id.

        Left to itself SQLite goes through all rows of a status for each window: a second for each of a million.
        """
        is_by_id = self.ids is not None or self.above_id is not None
        return "tasks NOT INDEXED" if is_by_id else "tasks"

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return the `WHERE` and its parameters."""
        terms = ["id NOT IN (SELECT value FROM json_each(:excluded))"]
        parameters: dict[str, Any] = {"excluded": json.dumps(self.excluding_ids)}
        if self.ids is not None:
            terms.append("id IN (SELECT value FROM json_each(:ids))")
            parameters["ids"] = json.dumps(list(self.ids))
        for sign, name, bound in ((">", "above", self.above_id), ("<=", "up_to", self.up_to_id)):
            if bound is not None:
                terms.append(f"id {sign} :{name}")
                parameters[name] = bound
        if self.query is not None:
            where, more = condition_of_query(self.query)
            terms.append(where)
            parameters |= more
        return " AND ".join(terms), parameters


def bulk(connection: sqlite3.Connection, owner: Owner, trigger: Trigger, selection: Selection, at: float) -> int:
    """Step all selected rows for which the step is legal and that no other living process owns; they become ours."""
    where, parameters = selection.condition()
    _, sources = status_case(trigger)
    parameters |= {"hands_off": json.dumps(owner.foreign(connection)), "lease": owner.lease(connection), "at": at}
    return connection.execute(
        f"UPDATE {selection.table} SET {assignments(trigger)}, owner = :lease"  # noqa: S608  # fixed parts
        f" WHERE status IN ({sources}) AND {_HANDS_OFF}{_SPARED.get(trigger, '')} AND {where}",
        parameters,
    ).rowcount


def change_some(
    connection: sqlite3.Connection,
    owner: Owner,
    statement: str,
    trigger: Trigger,
    selection: Selection,
    values: dict[str, Any],
) -> int:
    """Run an `UPDATE tasks` that ends in `status IN` on selected rows that a trigger would step; return how many."""
    where, parameters = selection.condition()
    _, sources = status_case(trigger)
    parameters |= {"hands_off": json.dumps(owner.foreign(connection))} | values
    statement = statement.replace("UPDATE tasks", f"UPDATE {selection.table}", 1)
    return connection.execute(f"{statement} ({sources}) AND {_HANDS_OFF} AND {where}", parameters).rowcount


def shift(connection: sqlite3.Connection, owner: Owner, selection: Selection, by: int) -> int:
    """Move the selected unfinished rows by so many positions; return how many. Rows of other processes stay."""
    where, parameters = selection.condition()
    parameters |= {"hands_off": json.dumps(owner.foreign(connection)), "by": by}
    moved = connection.execute(
        f"UPDATE {selection.table} SET position = position + :by WHERE status IN ({words(UNFINISHED)})"  # noqa: S608  # fixed words
        f" AND {_HANDS_OFF} AND {where}",
        parameters,
    ).rowcount
    if moved:
        note_order(connection)
    return moved


def note_order(connection: sqlite3.Connection) -> None:
    """Let the generation grow: the order changed and no count."""
    connection.execute("UPDATE counts SET changes = changes + 1 WHERE is_get = 0 AND status = 'pending'")


def move(connection: sqlite3.Connection, ids: Iterable[int], *, is_up: bool) -> int:
    """Swap each of these unfinished rows with its neighbour in the queue; return how many moved.

    Rows that stand together move together; those at the end of the queue stay.
    """
    direction = "" if is_up else " DESC"
    rows = connection.execute(
        f"SELECT id, position, priority FROM tasks NOT INDEXED WHERE status IN ({words(UNFINISHED)})"  # noqa: S608  # fixed words
        f" AND id IN (SELECT value FROM json_each(?)) ORDER BY position{direction}, id{direction}",
        (json.dumps(list(ids)),),
    ).fetchall()
    next_to, stuck = neighbour_statement(is_up=is_up), set()
    for task_id, position, priority in rows:
        neighbour = connection.execute(next_to, (position, task_id, priority)).fetchone()
        if neighbour is None or neighbour[0] in stuck:
            stuck.add(task_id)
            continue
        connection.execute("UPDATE tasks SET position = ? WHERE id = ?", (neighbour[1], task_id))
        connection.execute("UPDATE tasks SET position = ? WHERE id = ?", (position, neighbour[0]))
    moved = len(rows) - len(stuck)
    if moved:
        note_order(connection)
    return moved


def change_priority(connection: sqlite3.Connection, owner: Owner, selection: Selection, change: PriorityChange) -> int:
    """Change the priority of rows; return how many it changed. Rows of other living processes stay."""
    where, parameters = selection.condition()
    new = "max(:low, min(:high, priority + :number))" if change.is_relative else ":number"
    changed = connection.execute(
        f"UPDATE {selection.table} SET priority = {new} WHERE {_HANDS_OFF} AND priority <> {new} AND {where}",  # noqa: S608  # fixed parts
        parameters
        | {
            "hands_off": json.dumps(owner.foreign(connection)),
            "number": change.number,
            "low": LOWEST,
            "high": HIGHEST,
        },
    ).rowcount
    if changed:
        note_order(connection)
    return changed


def change_options(
    connection: sqlite3.Connection, owner: Owner, selection: Selection, new: str, values: Mapping[str, Any]
) -> int:
    """Set the options of rows to the SQL `new`; return how many. Rows of other living processes stay."""
    where, parameters = selection.condition()
    parameters |= {"hands_off": json.dumps(owner.foreign(connection))} | dict(values)
    return connection.execute(
        f"UPDATE {selection.table} SET options = {new} WHERE {_HANDS_OFF} AND {where}",  # noqa: S608  # fixed parts
        parameters,
    ).rowcount


def neighbour_statement(*, is_up: bool) -> str:
    """Return what finds the next unfinished row of a priority before, or behind, a position and an id."""
    sign, direction = ("<", "DESC") if is_up else (">", "ASC")
    # Left to itself SQLite gathers all rows of these states and sorts them: of a million, a tenth of a second for each.
    return (
        f"SELECT id, position FROM tasks INDEXED BY tasks_position WHERE (position, id) {sign} (?, ?)"  # noqa: S608  # fixed
        f" AND priority = ? AND status IN ({words(UNFINISHED)}) ORDER BY position {direction}, id {direction} LIMIT 1"
    )


def remove(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool = True) -> int:
    """Take the selected rows out, kept aside for one `undo()`; rows of other living processes stay.

    `is_first`: they take the place of what was kept before; else they belong to the removal before.
    """
    if is_first:
        bury(connection, owner.instance)
    where, parameters = selection.condition()
    parameters |= {"hands_off": json.dumps(owner.foreign(connection)), "remover": owner.instance}
    source = f"{selection.table} WHERE {_HANDS_OFF} AND {where}"
    copied = connection.execute(f"INSERT INTO removed SELECT *, :remover FROM {source}", parameters)  # noqa: S608
    removed = "FROM removed WHERE remover = :remover AND id > :above AND (:up_to IS NULL OR id <= :up_to)"
    window = {"remover": owner.instance, "above": selection.above_id or 0, "up_to": selection.up_to_id}
    identities.leave_out(connection, f"SELECT identity, id {removed}", window)
    connection.execute(
        f"DELETE FROM tasks WHERE id IN (SELECT id {removed})",  # noqa: S608  # fixed parts
        window,
    )
    return copied.rowcount


def undo(connection: sqlite3.Connection, owner: Owner, *, most: int) -> tuple[int, bool]:
    """Bring back some of what our last removal took out, but no address and target that was added again since.

    Return how many rows came back, and whether there may be more. `most` bounds the rows looked at.
    """
    columns = [row[1] for row in connection.execute("PRAGMA table_info(tasks)")]
    requeued, _ = status_case(Trigger.REQUEUE)
    chosen = {"status": requeued, "owner": ":lease"}
    bound = connection.execute(
        "SELECT id FROM removed WHERE remover = ? ORDER BY id LIMIT 1 OFFSET ?", (owner.instance, most - 1)
    ).fetchone()
    up_to = "" if bound is None else f" AND id <= {bound[0]:d}"
    restored = connection.execute(
        f"INSERT INTO tasks ({', '.join(columns)})"  # noqa: S608  # names from our own schema
        f" SELECT {', '.join(chosen.get(name, name) for name in columns)} FROM removed AS gone"
        f" WHERE remover = :remover{up_to} AND NOT EXISTS ({identities.TWIN})",
        {"lease": owner.lease(connection), "remover": owner.instance},
    ).rowcount
    _note_restored(connection, up_to, owner.instance)
    connection.execute(
        # Not `IN`, for which all ids of the queue are gathered first.
        f"DELETE FROM removed WHERE remover = ?{up_to}"  # noqa: S608  # our number
        " AND EXISTS (SELECT 1 FROM tasks WHERE tasks.id = removed.id)",
        (owner.instance,),
    )
    _forget(connection, f"remover = ?{up_to}", owner.instance)
    return restored, bound is not None


def _note_restored(connection: sqlite3.Connection, up_to: str, remover: str) -> None:
    """Count what came back, and find it again by its address."""
    parameters = {"remover": remover}
    where = f"id IN (SELECT id FROM removed WHERE remover = :remover{up_to})"  # noqa: S608  # fixed parts
    counts = f"SELECT is_get, status, count(*) FROM tasks WHERE {where} GROUP BY is_get, status"  # noqa: S608  # ours
    for is_get, status, count in connection.execute(counts, parameters).fetchall():
        count_rows(connection, is_get, status, count)
    identities.take_in(connection, where, parameters)
    identities.move_on(connection)


def bury(connection: sqlite3.Connection, remover: str) -> None:
    """Forget for good what this instance removed, with all that belongs to it."""
    _forget(connection, "remover = ?", remover)


def _forget(connection: sqlite3.Connection, where: str, remover: str) -> None:
    # Not by ids: a million of them would be a million objects.
    for table in _BELONGINGS:
        connection.execute(
            f"DELETE FROM {table} WHERE task_id IN (SELECT id FROM removed WHERE {where})",  # noqa: S608  # fixed
            (remover,),
        )
    connection.execute(f"DELETE FROM removed WHERE {where}", (remover,))  # noqa: S608  # fixed parts


def bury_dead(connection: sqlite3.Connection, owner: Owner) -> None:
    """Forget for good what processes removed that are gone."""
    removers = [row[0] for row in connection.execute("SELECT DISTINCT remover FROM removed")]
    living = {*owner.living(), owner.instance} if removers else set()
    for remover in removers:
        if remover not in living:
            bury(connection, remover)


def expire(connection: sqlite3.Connection, owner: Owner, days: float, now: float) -> int:
    """Forget finished rows that ended more than `days` ago, but for those in shards."""
    parameters = {"hands_off": json.dumps(owner.foreign(connection)), "until": now - days * _DAY_S}
    # What is in a shard is known here alone: forgotten, the same list would pack it once more.
    where = f"finished_at < :until AND status IN ({words(FINISHED)}) AND shard_id = 0 AND {_HANDS_OFF}"
    identities.leave_out(connection, f"SELECT identity, id FROM tasks WHERE {where}", parameters)  # noqa: S608  # fixed words
    ids = connection.execute(f"SELECT id FROM tasks WHERE {where}", parameters).fetchall()  # noqa: S608  # fixed words
    connection.executemany("DELETE FROM tasks WHERE id = ?", ids)
    _forget_belongings(connection, ids)
    return len(ids)


def _forget_belongings(connection: sqlite3.Connection, ids: Sequence[tuple[int]]) -> None:
    for table in _BELONGINGS:
        connection.executemany(f"DELETE FROM {table} WHERE task_id = ?", ids)  # noqa: S608  # fixed names
