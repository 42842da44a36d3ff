"""Kindness to sites of media: a few videos of each at once, and time between the pages that are read of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from tui_dl.core.media import Kind
from tui_dl.core.media_rules import AS_MEDIA

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext

MOST_REMEMBERED: Final = 1024
"""Sites whose last page is remembered."""


class Sites:
    """One per engine; sites are the hosts of the pages."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._videos: Counter[str] = Counter()
        self._counted: set[int] = set()
        self._next_at: dict[str, float] = {}

    def can_start(self, task: DownloadTask) -> bool:
        """Whether one more video of a row's site may be in hand."""
        if task.kind is Kind.FILE and task.options.as_kind != AS_MEDIA:
            return True
        return self._videos[task.host] < self._context.settings.per_site

    def started(self, task: DownloadTask) -> None:
        """Count a row that is known to be media; others are counted when they turn out to be."""
        if task.kind is not Kind.FILE or task.options.as_kind == AS_MEDIA:
            self.take(task)

    def take(self, task: DownloadTask) -> bool:
        """Count a row of media; False where its site has enough in hand. A second call changes nothing."""
        if task.id not in self._counted:
            if not self.can_start(task):
                return False
            self._counted.add(task.id)
            self._videos[task.host] += 1
        return True

    def ended(self, task: DownloadTask) -> None:
        """Count it no more: it has ended, or is no video; a second call does nothing."""
        if task.id in self._counted:
            self._counted.discard(task.id)
            self._videos[task.host] -= 1

    async def turn(self, host: str) -> None:
        """Wait until a page of a site may be read."""
        now, delay_s = self._context.clock(), self._context.settings.site_delay
        at = max(now, self._next_at.pop(host, now))
        self._next_at[host] = at + delay_s
        if len(self._next_at) > MOST_REMEMBERED:
            del self._next_at[next(iter(self._next_at))]
        if at > now:
            await asyncio.sleep(at - now)
