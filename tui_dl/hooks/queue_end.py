"""When a queue that goes on for ever has an end: nothing runs or waits any more, for a moment at least."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui_dl.core.events import EventKind
from tui_dl.core.status import UNFINISHED, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui_dl.core.events import Event

HOLD_S: Final = 1.0
"""Between the last end and the queue's: a list that is being added has moments without work."""
_MOVING: Final = UNFINISHED - {Status.PAUSED}
_ENDS: Final = frozenset({EventKind.COMPLETED, EventKind.FAILED, EventKind.SKIPPED})
"""What ends a queue; a person who pauses or cancels the last one knows."""


class QueueEnd:
    """Calls back when the queue ends; hears every event."""

    def __init__(self, counts: Callable[[], Mapping[Status, int]], on_end: Callable[[], None]) -> None:
        self._counts = counts
        self._on_end = on_end
        self._last_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, event: Event) -> None:
        """Take in a step of a task."""
        if event.kind in _ENDS:
            loop = asyncio.get_running_loop()
            self._last_at = loop.time()
            if self._timer is None:
                self._timer = loop.call_later(HOLD_S, self._look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        left_s = self._last_at + HOLD_S - loop.time()
        if left_s > 0:
            self._timer = loop.call_later(left_s, self._look)
            return
        self._timer = None
        counts = self._counts()
        if not any(counts.get(status, 0) for status in _MOVING):
            self._on_end()
