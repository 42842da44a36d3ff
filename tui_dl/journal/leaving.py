"""Rows that end as skipped in the transaction that adds them: their target was there, or the archive has them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TargetState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from tui_dl.core.task import DownloadTask, NewTask

LEFT_TEXT: Final = "the target is there already"
"""Why a row was skipped, for people."""
ARCHIVED_TEXT: Final = "done before, as the archive says"
"""As above."""
_TRIED_AGAIN: Final = frozenset({Status.FAILED, Status.CANCELLED, Status.SKIPPED})
_RECORD: Final = (
    "UPDATE tasks SET status = 'skipped', reason = ?, reason_text = ?, due_at = NULL, finished_at = ?,"
    " path = CASE WHEN ? THEN rtrim(dir, '/') || '/' || filename ELSE '' END"
    " WHERE id IN (SELECT value FROM json_each(?))"
)


class Left(NamedTuple):
    """A row that ends at once."""

    task_id: int
    """The row."""
    is_archived: bool
    """Whether the archive is why; else it is what stands at its target."""


def is_left(wish: NewTask, known: DownloadTask | None) -> bool:
    """Whether a wish ends at once: `known` is its row of an earlier add, if there is one.

    What still runs or waits was decided about when it was added, and what stands there now may be its own file. A row
    that ended without a file is not left alone for what another address of its batch made since.
    """
    if known is None:
        return wish.target is not TargetState.FREE
    return wish.target in (TargetState.THERE, TargetState.ARCHIVED) and known.status in _TRIED_AGAIN


def left(task: DownloadTask, state: TargetState, at: float) -> DownloadTask:
    """Return the row of a task that is left alone; its path is what stands there."""
    is_archived = state is TargetState.ARCHIVED
    return replace(
        task,
        status=Status.SKIPPED,
        reason=Reason.ARCHIVED if is_archived else Reason.TARGET_EXISTS,
        reason_text=ARCHIVED_TEXT if is_archived else LEFT_TEXT,
        due_at=None,
        finished_at=at,
        path="" if is_archived else os.path.join(task.dir, task.filename),  # noqa: PTH118  # text in, text out
    )


def is_left_already(known: DownloadTask, state: TargetState) -> bool:
    """Whether a row ended for the same reason before, so that nothing is to be written."""
    reason = Reason.ARCHIVED if state is TargetState.ARCHIVED else Reason.TARGET_EXISTS
    return known.status is Status.SKIPPED and known.reason is reason


def record_left(connection: sqlite3.Connection, rows: Iterable[Left], at: float) -> None:
    """Write what `left()` says of rows."""
    held = tuple(rows)
    for is_archived in (False, True):
        if ids := [row.task_id for row in held if row.is_archived is is_archived]:
            reason = Reason.ARCHIVED if is_archived else Reason.TARGET_EXISTS
            text = ARCHIVED_TEXT if is_archived else LEFT_TEXT
            connection.execute(_RECORD, (reason.value, text, at, not is_archived, json.dumps(ids)))
