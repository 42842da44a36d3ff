"""Checkpoints of one transfer: what was written goes to the journal at once in groups, what was synced every 2 s."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError
from tui_dl.core.ranges import RangeSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.core.ports import Chunk
    from tui_dl.core.splitting import SegmentPlan
    from tui_dl.disk.backlog import Backlog
    from tui_dl.disk.part_file import PartFile
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

SYNC_EVERY_S: Final = 2.0
SYNC_EVERY_BYTES: Final = 64 * 1024 * 1024
RECORD_EVERY_BYTES: Final = 4 * 1024 * 1024
MOST_UNRECORDED_BYTES: Final = 8 * 1024 * 1024
"""Written bytes of a file that a SIGKILL may leave unrecorded: beyond them writes wait for the journal, which a sync of
the disk may hold up while a fast network goes on."""


class Checkpointer:
    """Records what a part file holds, in an order that never claims more than it does."""

    def __init__(self, context: EngineContext, live: LiveTask, plan: SegmentPlan, part: PartFile) -> None:
        self._context = context
        self._live = live
        self._plan = plan
        self._part = part
        self._unrecorded_bytes = 0
        self._unsynced_bytes = 0
        self._synced = plan.held.copy()
        self._being_synced = RangeSet()
        self._recording: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    @property
    def backlog(self) -> Backlog:
        """What arrived for the part file's disk and is not written."""
        return self._part.backlog

    def start(self) -> None:
        """Begin to sync regularly, until `finish()`."""
        self._loop = asyncio.ensure_future(self._sync_regularly())

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Write to the part file once the journal is not too far behind; LOW_SPACE where its disk is low."""
        self._context.watermark.require_now(self._live.task.dir)
        while self._recording is not None and self._unrecorded_bytes >= MOST_UNRECORDED_BYTES:
            await asyncio.wait([self._recording])
        return await self._part.write(buffers, offset)

    def on_written(self, extents: list[Extent]) -> None:
        """Note what was handed to the kernel; the journal groups it."""
        if (failure := self.failure()) is not None:
            raise failure
        journal = self._context.journal
        journal.record_written(self._live.task.id, extents)
        count = sum(extent.end - extent.start for extent in extents)
        self._unrecorded_bytes += count
        self._unsynced_bytes += count
        if self._unrecorded_bytes >= RECORD_EVERY_BYTES and self._recording is None:
            self._recording = asyncio.ensure_future(self._record())
        if self._unsynced_bytes >= SYNC_EVERY_BYTES:
            self._wake.set()

    async def finish(self, *, is_committing: bool) -> None:
        """End the regular syncs; unless a commit follows, make durable and record all that is held."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])
            error = None if self._loop.cancelled() else self._loop.exception()
            self._loop = None
            if error is not None:
                raise error
        if self._recording is not None:
            await asyncio.wait([self._recording])
        if not is_committing:
            await self._sync_once()

    def forget(self, start: int, end: int) -> None:
        """Take a range for synced no longer: its bytes were wrong, and others are written in their place."""
        self._synced.remove(start, end)
        self._being_synced.remove(start, end)

    def failure(self) -> BaseException | None:
        """Return what ended the regular syncs before their time, if anything."""
        if self._loop is None or not self._loop.done() or self._loop.cancelled():
            return None
        return self._loop.exception()

    async def _record(self) -> None:
        while self._unrecorded_bytes >= RECORD_EVERY_BYTES:
            taken_bytes = self._unrecorded_bytes
            # A journal whose disk refuses keeps the records and says so; the transfer goes on.
            with suppress(FileSystemError):
                await self._context.journal.settle()
            self._unrecorded_bytes -= taken_bytes
        self._recording = None

    async def _sync_regularly(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SYNC_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                if not self._unsynced_bytes:
                    continue
            self._wake.clear()
            await self._sync_once()

    async def _distrust(self, held: RangeSet) -> None:
        """Claim no longer what was written since the last good sync: a failed one may have lost it for good.

        The page cache would still show the bytes, and the next sync would succeed (Rebello et al., USENIX ATC 2020).
        """
        for run in held:
            for gap in self._synced.gaps(run.end, run.start):
                await self._context.journal.drop_extents(self._live.task.id, gap.start, gap.end)

    async def _sync_once(self) -> None:
        self._unsynced_bytes = 0
        held = self._being_synced = self._plan.held.copy()
        if self._part.is_distrusted:
            await self._distrust(held)
            return
        try:
            await self._part.sync()
        except FileSystemError:
            await self._distrust(held)
            raise
        self._synced = held
        self._live.change(downloaded_bytes=held.total_bytes)
        await self._context.journal.record_synced(self._live.task.id, held)
