"""Notices when a batch has nothing left to do, without counting rows while it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.ui.batch_text import unfinished_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui_dl.core.ports import BatchView, EnginePort
    from tui_dl.core.task import DownloadProgress, DownloadTask

PAUSE_FACTOR: Final = 4
"""A batch that takes long to count is counted less often: at most a fifth of the time goes to it."""
LEAST_PAUSE_S: Final = 0.5
LEAST_ROWS: Final = 2
"""A single download tells its end in its row."""


class BatchWatch:
    """Counts a batch when the last of its rows has left the engine's hands: that is seldom, and mostly its end."""

    def __init__(self, on_end: Callable[[BatchView], None], clock: Callable[[], float]) -> None:
        self._on_end = on_end
        self._clock = clock
        self._seen: set[int] = set()
        self._due_at = 0.0
        self._is_counting = False

    def note(self, tasks: Iterable[DownloadTask]) -> None:
        """Take note of rows that something happened to."""
        self._seen.update(task.batch_id for task in tasks if task.batch_id)

    async def look(self, port: EnginePort, live: Iterable[DownloadProgress]) -> None:
        """Count the batches that were at work and are not any more; tell of those that have ended."""
        at_work = {progress.task.batch_id for progress in live}
        resting = self._seen - at_work
        self._seen |= at_work - {0}
        if not resting or self._is_counting or self._clock() < self._due_at:
            return
        self._is_counting = True
        began_at = self._clock()
        try:
            self._seen -= resting
            for batch_id in sorted(resting):
                batch = await port.batch(batch_id)
                if batch is not None and batch.total >= LEAST_ROWS and not unfinished_of(batch):
                    self._on_end(batch)
        finally:
            self._is_counting = False
            self._due_at = self._clock() + max(LEAST_PAUSE_S, PAUSE_FACTOR * (self._clock() - began_at))
