"""A look at the journal beside whoever works with it: no engine, no owner, no lock, nothing written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from tui_dl.core.status import FINISHED, TRANSITIONS, Status, Trigger
from tui_dl.journal import batches, conditions, failures, schema
from tui_dl.journal.fault_map import journal_error
from tui_dl.journal.owners import Owner
from tui_dl.journal.task_rows import SELECT_TASK, decode
from tui_dl.journal.views import order_of_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tui_dl.core.ports import BatchView, FailureGroup
    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadTask

_BUSY_S: Final = 10.0
"""How long a look waits for a process that opens or mends the journal."""
_BLOCK: Final = 1_000


class Look:
    """Questions to an open journal; all methods block, and raise `FileSystemError` where it cannot be read."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._living = {*Owner("", path.parent / "instances").living()}

    def rows(self, query: TaskQuery, limit: int | None = None) -> Iterator[list[DownloadTask]]:
        """Yield the matching rows in order, in blocks; what a dead process ran is back in the queue."""
        where, parameters = conditions.condition_of_query(query)
        statement = f"{SELECT_TASK} WHERE {where} ORDER BY {order_of_query(query)} LIMIT :most"
        try:
            found = self._connection.execute(statement, parameters | {"most": -1 if limit is None else limit})
            while block := list(islice(found, _BLOCK)):
                yield [self._as_it_is(decode(row)) for row in block]
        except sqlite3.Error as error:
            raise journal_error(error, self._path) from error

    def statuses(self, ids: Sequence[int]) -> dict[int, Status]:
        """Return how the rows of these ids stand, in this order; ids that are gone are left out."""
        wanted = json.dumps(list(ids))
        try:
            found = self._connection.execute(
                "SELECT id, status FROM tasks WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
            )
            held = {task_id: Status(status) for task_id, status in found}
        except sqlite3.Error as error:
            raise journal_error(error, self._path) from error
        return {one: held[one] for one in ids if one in held}

    def failure_groups(self, query: TaskQuery) -> list[FailureGroup]:
        """Return the failed rows that match, by reason and host, the largest group first."""
        try:
            return failures.groups_of(self._connection, query)
        except sqlite3.Error as error:
            raise journal_error(error, self._path) from error

    def batches(self) -> list[BatchView]:
        """Return the batches that have rows, the newest first."""
        try:
            return batches.read_batches(self._connection)
        except sqlite3.Error as error:
            raise journal_error(error, self._path) from error

    def batch_names(self) -> list[str]:
        """Return the names of the last batches, the newest first; cheap."""
        try:
            return batches.read_names(self._connection)
        except sqlite3.Error as error:
            raise journal_error(error, self._path) from error

    def _as_it_is(self, task: DownloadTask) -> DownloadTask:
        """Return a row as it would be taken up: nobody runs what a dead process ran."""
        if task.status in FINISHED or task.owner in self._living:
            return task
        return replace(task, status=TRANSITIONS[Trigger.REQUEUE].get(task.status, task.status))


@contextmanager
def look_at(path: Path) -> Iterator[Look | None]:
    """Open the journal for looking, None where there is none; raises `FileSystemError` or `UsageError`.

    A journal of an older version is brought to ours first, as every other command would.
    """
    if not path.exists():
        yield None
        return
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
            schema.migrate(connection)
            connection.execute("PRAGMA query_only = ON")
            conditions.prepare(connection)
            yield Look(connection, path)
    except sqlite3.Error as error:
        raise journal_error(error, path) from error
