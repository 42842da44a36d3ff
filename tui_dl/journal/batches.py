"""Batches: every add is one, with a name; counted by one pass over the rows of one, or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.ports import BatchView
from tui_dl.core.status import Status

if TYPE_CHECKING:
    import sqlite3

_GET: Final = "get"
_COLUMNS: Final = (
    "SELECT batch_id, status, count(*), coalesce(sum(downloaded_bytes), 0), min(started_at), max(finished_at)"
    " FROM tasks"
)
MOST_BATCHES: Final = 1_000
"""The newest ones are listed; nobody reads more."""


def read_batches(connection: sqlite3.Connection) -> list[BatchView]:
    """Return the batches that have rows, the newest first."""
    rows = connection.execute("SELECT id, name, kind, at FROM batches ORDER BY id DESC LIMIT ?", (MOST_BATCHES,))
    counted = _counted(connection, "GROUP BY batch_id, status", ())
    return [_view(row, counted[row[0]]) for row in rows.fetchall() if row[0] in counted]


def read_names(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the last batches, each once, the newest first."""
    rows = connection.execute("SELECT name FROM batches WHERE name <> '' ORDER BY id DESC LIMIT ?", (MOST_BATCHES,))
    return list(dict.fromkeys(name for (name,) in rows))


def read_batch(connection: sqlite3.Connection, batch_id: int) -> BatchView | None:
    """Return one batch, None where there is none or its rows are gone."""
    row = connection.execute("SELECT id, name, kind, at FROM batches WHERE id = ?", (batch_id,)).fetchone()
    counted = _counted(connection, "WHERE batch_id = ? GROUP BY batch_id, status", (batch_id,))
    return _view(row, counted[batch_id]) if row is not None and batch_id in counted else None


_Counted = tuple[str, int, int, float | None, float | None]


def _counted(connection: sqlite3.Connection, rest: str, parameters: tuple[int, ...]) -> dict[int, list[_Counted]]:
    counted: dict[int, list[_Counted]] = {}
    for batch_id, *numbers in connection.execute(f"{_COLUMNS} {rest}", parameters):
        counted.setdefault(batch_id, []).append((*numbers,))
    return counted


def _view(row: tuple[int, str, str, float], counted: list[_Counted]) -> BatchView:
    batch_id, name, kind, at = row
    begun = [started_at for _, _, _, started_at, _ in counted if started_at is not None]
    ended = [finished_at for *_, finished_at in counted if finished_at is not None]
    return BatchView(
        id=batch_id,
        name=name,
        at=at,
        is_get=kind == _GET,
        counts={Status(status): number for status, number, *_ in counted},
        total_bytes=sum(size for status, _, size, *_ in counted if status == Status.COMPLETED.value),
        started_at=min(begun, default=None),
        finished_at=max(ended, default=None),
    )
