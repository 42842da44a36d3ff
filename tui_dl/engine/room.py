"""Looks whether a full disk has room again, so that a task that waits for it costs the network nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext

ENOUGH_BYTES: Final = 1024 * 1024
"""With this much free another attempt at a file of unknown length is worth its request."""
ROOM_REASONS: Final = frozenset({Reason.DISK_FULL, Reason.LOW_SPACE})
"""What a task waits with until there is room."""
MOST_WAITING: Final = 32
"""With so many tasks waiting for room in a folder nothing else begins there: each one asks its server first."""


class Room:
    """Answers for tasks that wait for room; looks in threads, once at a time for each task."""

    def __init__(self, context: EngineContext, on_found: Callable[[int], None]) -> None:
        self._context = context
        self._on_found = on_found
        self._found: set[int] = set()
        self._looks: dict[int, asyncio.Task[None]] = {}
        self._folders: dict[int, str] = {}
        self._crowds: Counter[str] = Counter()

    def enter(self, task: DownloadTask) -> None:
        """Note a task that begins to wait."""
        self.leave(task.id)
        self._folders[task.id] = task.dir
        self._crowds[task.dir] += 1

    def leave(self, task_id: int) -> None:
        """Note that a task waits no more, for room or for anything."""
        self._found.discard(task_id)
        folder = self._folders.pop(task_id, None)
        if folder is not None:
            self._crowds[folder] -= 1
            if not self._crowds[folder]:
                del self._crowds[folder]

    def is_closed(self, folder: str) -> bool:
        """Whether no further task should begin in a folder."""
        return self._crowds[folder] >= MOST_WAITING or self._context.watermark.is_low(folder)

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
            has_room = await self._context.watermark.has_room(task, ENOUGH_BYTES)
        except FileSystemError:
            # What is wrong now is for the attempt to say.
            has_room = True
        finally:
            del self._looks[task.id]
        if has_room:
            self._found.add(task.id)
            self._on_found(task.id)
