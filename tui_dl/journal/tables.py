"""The small tables: a task's log, and what was learned of hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tui_dl.core.events import LogLine
from tui_dl.journal.task_rows import clean

if TYPE_CHECKING:
    import sqlite3


def read_log(connection: sqlite3.Connection, task_id: int) -> tuple[LogLine, ...]:
    """Return a task's log, oldest first."""
    lines = connection.execute("SELECT at, text FROM log WHERE task_id = ? ORDER BY id", (task_id,))
    return tuple(LogLine(at, text) for at, text in lines)


def write_host(connection: sqlite3.Connection, host: str, facts: str, at: float) -> None:
    """Record what was learned of a host, as JSON."""
    connection.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)", (clean(host), facts, at))


def read_hosts(connection: sqlite3.Connection) -> dict[str, tuple[dict[str, Any], float]]:
    """Return what was learned of each host, and when (Unix time)."""
    return {host: (json.loads(facts), at) for host, facts, at in connection.execute("SELECT * FROM hosts")}
