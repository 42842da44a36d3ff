"""The rows at the head of the queue as the last process left them, read before there is an engine."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tui_dl.core.errors import FileSystemError
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import TRANSITIONS, Trigger
from tui_dl.journal import conditions, views

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.core.task import DownloadTask

MOST_S: Final = 0.08
"""A disk or a history that takes longer is not waited for: the page comes with the engine."""
_INSTRUCTIONS: Final = 10_000
"""Steps of SQLite's machine between two looks at the clock."""


def read_first_page(path: Path, limit: int) -> list[DownloadTask]:
    """Return the first rows of the default view, what ran back in the queue; nothing wherever that is not easy.

    Neither makes nor mends nor locks anything: a journal that is missing, damaged, of another version or in exclusive
    use is the engine's matter.
    """
    give_up_at = time.monotonic() + MOST_S
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=0.0)) as connection:
            connection.set_progress_handler(lambda: int(time.monotonic() > give_up_at), _INSTRUCTIONS)
            conditions.prepare(connection)
            rows = views.rows_of(connection, views.ids_of(connection, TaskQuery(), limit))
    except (sqlite3.Error, FileSystemError, OSError):
        return []
    back = TRANSITIONS[Trigger.REQUEUE]
    return [replace(row, status=back[row.status], due_at=None) if row.status in back else row for row in rows]
