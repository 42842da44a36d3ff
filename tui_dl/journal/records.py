"""Records that nobody waits for, gathered on the event loop and written in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui_dl.core.status import Status
from tui_dl.journal import checkpoints
from tui_dl.journal.task_rows import clean, update_tasks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from tui_dl.core.events import LogLine
    from tui_dl.core.extents import Extent
    from tui_dl.core.task import DownloadTask

LOG_LINES: Final = 200
"""Lines kept of each task's log."""
_MOST_EXTENTS: Final = 200_000
"""Bound of what waits while the journal's disk is full: what is not recorded is only fetched again after a crash."""
_MOST_LOG_LINES: Final = 20_000


@dataclass(slots=True)
class Records:
    """What waits to be written; the order of its parts does not matter."""

    saves: dict[int, DownloadTask] = field(default_factory=dict)
    """Last state of each task."""
    extents: dict[int, list[Extent]] = field(default_factory=dict)
    """Written extents of each task, in the order of writing."""
    log: list[tuple[int, LogLine]] = field(default_factory=list)
    """Log lines with their task, oldest first."""

    def __bool__(self) -> bool:
        return bool(self.saves or self.extents or self.log)

    def absorb(self, later: Records) -> None:
        """Take in what was recorded after this."""
        self.saves.update(later.saves)
        for task_id, extents in later.extents.items():
            self.extents.setdefault(task_id, []).extend(extents)
        self.log.extend(later.log)
        del self.log[:-_MOST_LOG_LINES]
        if sum(map(len, self.extents.values())) > _MOST_EXTENTS:
            self.extents = {task_id: checkpoints.joined(held) for task_id, held in self.extents.items()}
        if sum(map(len, self.extents.values())) > _MOST_EXTENTS:
            self.extents.clear()

    def write(self, connection: sqlite3.Connection, instance: str) -> None:
        """Write all of it."""
        write_tasks(connection, instance, self.saves.values())
        for task_id, extents in self.extents.items():
            checkpoints.add_written(connection, task_id, extents)
        write_log(connection, self.log)


def write_tasks(connection: sqlite3.Connection, instance: str, tasks: Iterable[DownloadTask]) -> None:
    """Write the state of tasks that we own; rows that are gone or another's stay as they are."""
    # Of several states of a task the last one counts.
    latest = {task.id: task for task in tasks}
    update_tasks(connection, instance, tuple(latest.values()))
    # A completed task has no part file: its sums go in the same transaction that says so.
    done = json.dumps([task.id for task in latest.values() if task.status is Status.COMPLETED])
    for table in ("extents", "checkpoints"):
        connection.execute(f"DELETE FROM {table} WHERE task_id IN (SELECT value FROM json_each(?))", (done,))  # noqa: S608  # fixed names


def write_log(connection: sqlite3.Connection, lines: Iterable[tuple[int, LogLine]]) -> None:
    """Append log lines and keep the last `LOG_LINES` of each task."""
    lines = list(lines)
    values = ((task_id, line.at, clean(line.text)) for task_id, line in lines)
    connection.executemany("INSERT INTO log (task_id, at, text) VALUES (?, ?, ?)", values)
    connection.executemany(
        "DELETE FROM log WHERE task_id = :task AND id <= "  # noqa: S608  # fixed parts
        f"(SELECT id FROM log WHERE task_id = :task ORDER BY id DESC LIMIT 1 OFFSET {LOG_LINES})",
        [{"task": task_id} for task_id in {task_id for task_id, _ in lines}],
    )
