"""Wishes and rows that journal tests begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.task import NewTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.status import Status
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.journal import Journal


def wishes(count: int, host: str = "h.example") -> list[NewTask]:
    """Return distinct wishes for one host."""
    return [NewTask(f"http://{host}/{number}.bin", "/downloads") for number in range(count)]


async def added(journal: Journal, new: Sequence[NewTask]) -> list[DownloadTask]:
    """Add wishes and return their rows."""
    return [outcome.task for outcome in await journal.add(new, batch="screen", at=1.0)]


async def with_statuses(journal: Journal, statuses: Sequence[Status], host: str = "h.example") -> list[DownloadTask]:
    """Add one row for each status and bring it there."""
    tasks = await added(journal, wishes(len(statuses), host))
    changed = [replace(task, status=status) for task, status in zip(tasks, statuses, strict=True)]
    await journal.save_many(changed)
    return changed
