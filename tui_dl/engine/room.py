"""Looks whether a full disk has room again, so that a task that waits for it costs the network nothing."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError
from tui_dl.disk.space import free_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext

ENOUGH_BYTES: Final = 1024 * 1024
"""With this much free, or with what a smaller file misses, another attempt is worth its request."""


class Room:
    """Answers for tasks that wait with DISK_FULL; looks in threads, once at a time for each task."""

    def __init__(self, context: EngineContext, on_found: Callable[[int], None]) -> None:
        self._context = context
        self._on_found = on_found
        self._found: set[int] = set()
        self._looks: dict[int, asyncio.Task[None]] = {}

    def is_there(self, task: DownloadTask) -> bool:
        """Whether a look found room since it was asked last; else begins to look, and `on_found(id)` may follow."""
        if task.id in self._found:
            self._found.discard(task.id)
            return True
        if task.id not in self._looks:
            self._looks[task.id] = asyncio.ensure_future(self._look(task))
        return False

    async def aclose(self) -> None:
        """End all looks."""
        looks = list(self._looks.values())
        for look in looks:
            look.cancel()
        if looks:
            await asyncio.wait(looks)

    async def _look(self, task: DownloadTask) -> None:
        try:
            has_room = await self._has_room(task)
        except FileSystemError:
            # What is wrong now is for the attempt to say.
            has_room = True
        finally:
            del self._looks[task.id]
        if has_room:
            self._found.add(task.id)
            self._on_found(task.id)

    async def _has_room(self, task: DownloadTask) -> bool:
        missing_bytes = ENOUGH_BYTES if task.total_bytes is None else task.total_bytes - task.downloaded_bytes
        folders = {task.dir: min(ENOUGH_BYTES, missing_bytes)}
        if self._context.journal.path is not None:
            # It may be the journal's disk that was full.
            folders.setdefault(os.path.dirname(self._context.journal.path), ENOUGH_BYTES)  # noqa: PTH120  # text in, text out
        for folder, needed_bytes in folders.items():
            free = await self._context.pool.scout(free_bytes, folder, what=f"look for room in {folder}")
            if free is not None and free < needed_bytes:
                return False
        return True
