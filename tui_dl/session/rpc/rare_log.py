"""A log that nobody can flood: a few lines of each kind a minute, then their number."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

WINDOW_S: Final = 60.0
MOST_LINES: Final = 5
"""Lines of a kind in a window."""


class RareLog:
    """Warnings about what strangers do."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}
        """By kind, which is ours: when the window began, and how many there were."""

    def tell(self, kind: str, text: str, *values: Any) -> None:
        """Write a line, unless there were many of its kind lately."""
        now = self._clock()
        began_at, count = self._windows.get(kind, (now, 0))
        if now - began_at >= WINDOW_S:
            if count > MOST_LINES:
                logger.warning("%d more like that (%s)", count - MOST_LINES, kind)
            began_at, count = now, 0
        self._windows[kind] = (began_at, count + 1)
        if count < MOST_LINES:
            logger.warning(text, *values)
