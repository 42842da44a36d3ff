"""The small tables: a task's log, and what was learned of hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tui_dl.core.events import LogLine
from tui_dl.journal.task_rows import clean

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


def read_log(connection: sqlite3.Connection, task_id: int) -> tuple[LogLine, ...]:
    """Return a task's log, oldest first."""
    lines = connection.execute("SELECT at, text FROM log WHERE task_id = ? ORDER BY id", (task_id,))
    return tuple(LogLine(at, text) for at, text in lines)


def write_hosts(connection: sqlite3.Connection, hosts: Mapping[str, str], at: float, keep_s: float) -> None:
    """Record what was learned of hosts, as JSON; what is older than `keep_s` goes."""
    connection.execute("DELETE FROM hosts WHERE at < ?", (at - keep_s,))
    rows = [(clean(host), facts, at) for host, facts in hosts.items()]
    connection.executemany("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)", rows)


def read_hosts(connection: sqlite3.Connection) -> dict[str, tuple[dict[str, Any], float]]:
    """Return what was learned of each host, and when (Unix time); a row that is no JSON object is passed over."""
    hosts = {}
    for host, text, at in connection.execute("SELECT * FROM hosts"):
        try:
            facts = json.loads(text)
        except ValueError:
            continue
        if isinstance(facts, dict):
            hosts[host] = (facts, at)
    return hosts
