"""Rows whose target was there before their batch began: they end as skipped in the transaction that adds them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TargetState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui_dl.core.task import DownloadTask, NewTask

LEFT_TEXT: Final = "the target is there already"
"""Why a row was skipped, for people."""
_TRIED_AGAIN: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.SKIPPED})
_RECORD: Final = (
    "UPDATE tasks SET status = 'skipped', reason = ?, reason_text = ?, due_at = NULL, finished_at = ?,"
    " path = rtrim(dir, '/') || '/' || filename WHERE id IN (SELECT value FROM json_each(?))"
)


def is_left(wish: NewTask, known: DownloadTask | None) -> bool:
    """Whether a wish ends at once: `known` is its row of an earlier add, if there is one.

    What still runs or waits was decided about when it was added, and what stands there now may be its own file. A row
    that ended without a file is not left alone for what another address of its batch made since.
    """
    if known is None:
        return wish.target is not TargetState.FREE
    return wish.target is TargetState.THERE and known.status in _TRIED_AGAIN


def left(task: DownloadTask, at: float) -> DownloadTask:
    """Return the row of a task that is left alone; its path is what stands there."""
    return replace(
        task,
        status=Status.SKIPPED,
        reason=Reason.TARGET_EXISTS,
        reason_text=LEFT_TEXT,
        due_at=None,
        finished_at=at,
        path=os.path.join(task.dir, task.filename),  # noqa: PTH118  # text in, text out
    )


def record_left(connection: sqlite3.Connection, ids: Sequence[int], at: float) -> None:
    """Write what `left()` says of rows."""
    if ids:
        connection.execute(_RECORD, (Reason.TARGET_EXISTS.value, LEFT_TEXT, at, json.dumps(ids)))
