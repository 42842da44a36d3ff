"""Runs of a batch: when it began, over all processes that worked on it, and which paths its addresses took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.name_set import NameSet

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from tui_dl.core.task import DownloadTask

_ROWS: Final = (
    "SELECT CASE status WHEN 'completed' THEN path ELSE rtrim(dir, '/') || '/' || filename END FROM tasks"
    " WHERE batch_id = :batch AND {condition}"
)
_MADE: Final = (
    "(status = 'completed' AND finished_at >= :began_at"
    " OR status NOT IN ('completed', 'skipped', 'failed', 'cancelled'))"
)
"""What an unfinished one is called, a process that was killed may have made without recording it."""


class Run(NamedTuple):
    """A batch that is worked on."""

    batch_id: int
    """Number of the batch."""
    began_at: float
    """Unix time at which the first process began that did not come to the end of it."""
    is_continued: bool
    """Whether that was another process, or this one earlier."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Paths that the addresses of a batch took."""

    made: NameSet
    """Since it began: its own, not from before."""
    earlier: NameSet
    """In earlier runs of a batch of this name that came to their end."""


def begin(connection: sqlite3.Connection, batch_id: int, at: float) -> Run:
    """Note that work on a batch begins, or goes on where nobody came to its end."""
    row = connection.execute("SELECT began_at FROM runs WHERE batch_id = ?", (batch_id,)).fetchone()
    if row is not None:
        return Run(batch_id, row[0], is_continued=True)
    connection.execute("INSERT INTO runs (batch_id, began_at) VALUES (?, ?)", (batch_id, at))
    return Run(batch_id, at, is_continued=False)


def end(connection: sqlite3.Connection, batch_id: int) -> None:
    """Note that all of a batch was looked at: whoever adds to it later begins anew."""
    connection.execute("DELETE FROM runs WHERE batch_id = ?", (batch_id,))


def read_run(connection: sqlite3.Connection, task: DownloadTask) -> Run:
    """Return the run that a row of an earlier process belongs to: it had begun when the row was added."""
    row = connection.execute("SELECT began_at FROM runs WHERE batch_id = ?", (task.batch_id,)).fetchone()
    return Run(task.batch_id, task.added_at if row is None else row[0], is_continued=True)


def read_claims(connection: sqlite3.Connection, run: Run) -> Claims:
    """Return which paths a batch took."""

    def paths(condition: str) -> Iterator[str]:
        statement = _ROWS.format(condition=condition)
        found = connection.execute(statement, {"batch": run.batch_id, "began_at": run.began_at})
        return (path for (path,) in found)

    return Claims(NameSet(paths(_MADE)), NameSet(paths("status = 'completed' AND finished_at < :began_at")))


def read_completed(connection: sqlite3.Connection, batch_id: int) -> NameSet:
    """Return the paths of the files that a batch completed."""
    found = connection.execute("SELECT path FROM tasks WHERE batch_id = ? AND status = 'completed'", (batch_id,))
    return NameSet(path for (path,) in found)
