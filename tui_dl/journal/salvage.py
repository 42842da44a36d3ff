"""Move a damaged journal aside and read from it whatever can still be read."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import FileSystemError
from tui_dl.core.status import FINISHED, Status
from tui_dl.journal import identities
from tui_dl.journal.schema import count_all
from tui_dl.journal.task_rows import SELECT_TASK, decode, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TABLES: Final = ("tasks", "batches", "extents", "log", "hosts", "archive", "runs", "kept", "shards")
"""Tables to read from. Not `checkpoints`: what they claim is believed unread, while extents carry sums."""

_NUMBERS: Final = ("position", "priority", "batch_id", "parent_id", "identity", "downloaded_bytes", "retry_count")


def replace_damaged(path: Path, fresh: Path, damage: str, at: float) -> str:
    """Put what can be read into `fresh`, keep the damaged file under another name; return the notice for a person."""
    aside = _aside(path, at)
    tasks = _salvage(aside, fresh)
    # A log left beside the new file would be replayed into it.
    for suffix in ("-wal", "-shm"):
        _sibling(path, suffix).unlink(missing_ok=True)
    fresh.replace(path)
    return (
        f"The journal was damaged ({damage}). It was kept as {aside.name}; {tasks} tasks could be read from it. "
        "Part files are kept; but what is missing and added again is fetched anew, since nothing proves what they hold."
    )


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _aside(path: Path, at: float) -> Path:
    """Give the damaged file a second name; the first stays until the new journal takes it."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(at))
    number = 0
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}.damaged-{stamp}-{number}{path.suffix}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            _link(_sibling(path, suffix), _sibling(aside, suffix))
    return aside


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # no hard links on this file system
        source.rename(target)


def _salvage(damaged: Path, fresh: Path) -> int:
    """Copy every readable row; return how many tasks."""
    with closing(sqlite3.connect(fresh, isolation_level=None)) as target:
        try:
            with closing(sqlite3.connect(damaged, isolation_level=None)) as source:
                source.text_factory = lambda raw: raw.decode("utf-8", "replace")
                # Lets SQLite walk a file that is shorter than its header says.
                source.execute("PRAGMA writable_schema = ON")
                target.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    _copy_table(source, target, table)
        except sqlite3.Error:
            # No database at all; what was copied before it broke stays.
            if not target.in_transaction:
                return 0
        _drop_unreadable(target)
        identities.take_in(target, "TRUE", {})
        identities.move_on(target)
        count_all(target)
        target.execute("COMMIT")
        return int(target.execute("SELECT count(*) FROM tasks").fetchone()[0])


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> None:
    ours = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    theirs = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
    names = [name for name in ours if name in theirs]
    if not names:
        return
    columns = ", ".join(names)
    statement = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  # our names
    for row in _readable_rows(source, table, columns):
        with suppress(sqlite3.IntegrityError, OverflowError):
            target.execute(statement, row)


def _readable_rows(source: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows from both ends, since a broken page stops the walk from either; some come twice."""
    for direction in ("ASC", "DESC"):
        statement = f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY 1 {direction}"  # noqa: S608  # our names
        try:
            yield from source.execute(statement)
        except sqlite3.Error:
            continue
        return


def _drop_unreadable(target: sqlite3.Connection) -> None:
    """Delete rows that do not make sense as tasks, and let go of owners, which were not copied."""
    statuses = ", ".join(f"'{status.value}'" for status in Status)
    target.execute(f"DELETE FROM tasks WHERE status NOT IN ({statuses}) OR is_get NOT IN (0, 1)")  # noqa: S608
    broken = []
    for row in target.execute(SELECT_TASK):
        try:
            decode(row)
        except FileSystemError:
            broken.append((row[0],))
    # What was cut within a row reads as zeros.
    for task_id, url, folder, asked, identity in target.execute("SELECT id, url, dir, asked, identity FROM tasks"):
        if identity != identity_of(url, folder, asked):
            broken.append((task_id,))
    target.executemany("DELETE FROM tasks WHERE id = ?", broken)
    numbers = " OR ".join(f"typeof({name}) <> 'integer'" for name in _NUMBERS)
    target.execute(f"DELETE FROM tasks WHERE {numbers} OR typeof(added_at) <> 'real'")  # noqa: S608  # our names
    target.execute("UPDATE tasks SET owner = 0")
    # Rows of a journal that lost its owners belong to whoever opens it first, whatever ran then.
    finished = ", ".join(f"'{status.value}'" for status in sorted(FINISHED))
    target.execute(f"UPDATE tasks SET finished_at = added_at WHERE finished_at IS NULL AND status IN ({finished})")  # noqa: S608
