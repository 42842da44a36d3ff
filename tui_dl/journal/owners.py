"""Who runs which rows: leases that instances hold, and the adoption of those whose holder is dead."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.status import UNFINISHED, Trigger
from tui_dl.journal.instances import live_others
from tui_dl.journal.transitions import status_case, words

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from tui_dl.journal.instances import Holder

_UNFINISHED: Final = words(UNFINISHED)
_MOST_COUNTED: Final = 50_000
"""Rows of a lease counted, to find the largest."""


@dataclass(frozen=True, slots=True)
class Owner:
    """This process as the journal knows it. Asked in the writer thread, within a transaction."""

    instance: str
    """Our instance id."""
    locks: Path | None
    """Folder of the lock files; None in memory, where nobody else can be."""
    foreign_to: str = ""
    """Our host name if the journal lies on a network file system, else empty."""

    def living(self) -> dict[str, Holder]:
        """Return the other instances that are alive."""
        if self.locks is None:
            return {}
        return live_others(self.locks, self.instance, foreign_to=self.foreign_to)

    def lease(self, connection: sqlite3.Connection) -> int:
        """Return the number that marks our rows, made at need."""
        row = connection.execute("SELECT number FROM owners WHERE instance = ?", (self.instance,)).fetchone()
        if row is not None:
            return int(row[0])
        return int(connection.execute("INSERT INTO owners (instance) VALUES (?)", (self.instance,)).lastrowid or 0)

    def foreign(self, connection: sqlite3.Connection) -> list[int]:
        """Return the leases of other processes that are alive: hands off."""
        others = [row for row in connection.execute("SELECT number, instance FROM owners") if row[1] != self.instance]
        if not others:
            return []
        living = self.living()
        return [number for number, instance in others if instance in living]

    def orphaned(self, connection: sqlite3.Connection) -> list[int]:
        """Return the leases of nobody: those whose holder is dead, and 0 for rows without one."""
        hands_off = {*self.foreign(connection)}
        numbers = connection.execute("SELECT number FROM owners WHERE instance <> ?", (self.instance,))
        return [0, *(number for (number,) in numbers if number not in hands_off)]


def adopt_orphans(
    connection: sqlite3.Connection, owner: Owner, batch_id: int | None, *, wants_ids: bool = True
) -> array[int]:
    """Make unfinished rows of nobody ours, those that were running back in the queue; return their ids if asked for.

    Listing a million ids takes over a second; whoever adopts everything need not.
    """
    orphaned = json.dumps(owner.orphaned(connection))
    parameters = {"orphaned": orphaned, "batch": batch_id}
    # Each status by itself keeps to the index (status, owner).
    scope = (
        f"status IN ({_UNFINISHED}) AND owner IN (SELECT value FROM json_each(:orphaned))"  # noqa: S608  # fixed parts
        " AND (:batch IS NULL OR batch_id = :batch)"
    )
    ids = array("q")
    if wants_ids or batch_id is not None:
        found = connection.execute(f"SELECT id FROM tasks WHERE {scope} ORDER BY position, id", parameters)  # noqa: S608
        ids.extend(row[0] for row in found)
    requeued, sources = status_case(Trigger.REQUEUE)
    # What waits for a person's choice goes on waiting.
    connection.execute(
        f"UPDATE tasks SET status = {requeued}, reason = NULL, reason_text = '', due_at = NULL"  # noqa: S608
        f" WHERE status IN ({sources}) AND owner IN (SELECT value FROM json_each(:orphaned))"
        " AND NOT (status = 'waiting' AND reason IS 'choice')"
        " AND (:batch IS NULL OR batch_id = :batch)",
        parameters,
    )
    if batch_id is None:
        _take_leases(connection, owner, json.loads(orphaned))
    elif ids:
        connection.execute(
            "UPDATE tasks SET owner = ? WHERE id IN (SELECT value FROM json_each(?))",
            (owner.lease(connection), json.dumps(ids.tolist())),
        )
    return ids


def _size_of(connection: sqlite3.Connection, number: int) -> int:
    """Return how many unfinished rows a lease has, at most `_MOST_COUNTED`: to count a million took half a second."""
    statement = f"SELECT 1 FROM tasks WHERE status IN ({_UNFINISHED}) AND owner = ? LIMIT ?"  # noqa: S608  # fixed words
    (size,) = connection.execute(f"SELECT count(*) FROM ({statement})", (number, _MOST_COUNTED)).fetchone()  # noqa: S608
    return int(size)


def _take_leases(connection: sqlite3.Connection, owner: Owner, orphaned: list[int]) -> None:
    """Merge all into the lease with most rows and hold that: a million rows of one dead process cost one change."""
    numbers = {*orphaned, owner.lease(connection)} - {0}
    sizes = {number: _size_of(connection, number) for number in numbers}
    kept = max(numbers, key=lambda number: (sizes[number], number))
    merged = json.dumps(sorted({0, *numbers} - {kept}))
    connection.execute(
        f"UPDATE tasks SET owner = ? WHERE status IN ({_UNFINISHED})"  # noqa: S608  # fixed words
        " AND owner IN (SELECT value FROM json_each(?))",
        (kept, merged),
    )
    connection.execute("DELETE FROM owners WHERE number IN (SELECT value FROM json_each(?))", (merged,))
    connection.execute("UPDATE owners SET instance = ? WHERE number = ?", (owner.instance, kept))
