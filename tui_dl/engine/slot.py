"""A task in hand while it runs: its transfer, and what a stop makes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui_dl.core.status import Trigger

if TYPE_CHECKING:
    from tui_dl.core.host_budget import HostBudget
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.media_transfer import MediaTransfer
    from tui_dl.engine.short_transfer import ShortTransfer


class Slot:
    """A task in hand while it runs."""

    def __init__(self, live: LiveTask, transfer: ShortTransfer | MediaTransfer, budget: HostBudget) -> None:
        self.live = live
        self.transfer = transfer
        self.stop_trigger = Trigger.REQUEUE
        """What a stop makes of the task."""
        self.is_stopped = False
        """Whether it ended because of that."""
        self._done: asyncio.Event | None = None
        self._is_done = False
        self.budget = budget
        """Of the host that its address names."""
        self.host = live.task.host
        """That host."""

    def end(self) -> None:
        """Note that its state is recorded."""
        self._is_done = True
        if self._done is not None:
            self._done.set()

    async def wait(self) -> None:
        """Return when its state is recorded."""
        if not self._is_done:
            self._done = self._done or asyncio.Event()
            await self._done.wait()
