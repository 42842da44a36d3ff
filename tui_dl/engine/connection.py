"""One connection's reading: chunks into a gather, the gather into the part file, never joined, never unbounded."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Protocol

from tui_dl.core.errors import ContentError, FileSystemError, NetworkError, Reason
from tui_dl.core.pace import Pace
from tui_dl.core.ports import Pausable, Viewable
from tui_dl.engine.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.core.ports import Chunk, TransportAnswer
    from tui_dl.core.splitting import Segment, SegmentPlan
    from tui_dl.disk.backlog import Backlog
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.throttle import Share

GATHER_S: Final = 0.2
"""A gather older than this is written even if it is small."""
MAX_BUFFERS: Final = 1024
"""`pwritev` takes no more at once."""


class Sink(Protocol):
    """Where bytes go: a part file."""

    @property
    def backlog(self) -> Backlog:
        """What arrived for the same disk and is not written, of all connections."""
        ...

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Write at an offset; return the sums of what was written."""
        ...


class Connection(Reading):
    """Reads answers into segments for one task; holds at most one gather and one write under way.

    The next gather fills while the last one is being written, so a fast network does not wait for the disk's thread
    and a slow disk stops the socket.
    """

    def __init__(
        self,
        live: LiveTask,
        plan: SegmentPlan,
        sink: Sink,
        throttles: Sequence[Share],
        *,
        gather_bytes: int,
        on_written: Callable[[list[Extent]], None],
        takes_views: bool = False,
    ) -> None:
        """`takes_views`: nothing of what the sink was given is held by it once it is written."""
        super().__init__(live, throttles)
        self.pace = Pace(self.started_at, 0)
        """What it brought lately."""
        self.is_replaced = False
        """Whether it was given up because it lagged behind the others."""
        self.follows_bps: float | None = None
        """Rate of the laggard that it took over from, until it is compared with it; None for any other."""
        self._plan = plan
        self._sink = sink
        self._backlog = sink.backlog
        self._pausable: Pausable | None = None
        self._gather_bytes = gather_bytes
        self._takes_views = takes_views
        self._on_written = on_written
        self._buffers: list[Chunk] = []
        self._buffered_bytes = 0
        self._has_cut = False
        self._gather_started_at = 0.0
        self._write: asyncio.Task[None] | None = None

    async def pump(self, answer: TransportAnswer, segment: Segment, answer_end: int | None) -> None:
        """Read until the segment or the answer ends.

        `answer_end` is one past the last byte that the answer promised; None where only its end tells. Raises
        `NetworkError` when it is cut and `FileSystemError` when the disk refuses; what was written stays held.
        """
        self.segment = segment
        self._has_cut = False
        self.task = asyncio.current_task()
        self.last_byte_at = self._minute_at = time.monotonic()
        self._minute_bytes = self.received_bytes
        self._backlog.readers += 1
        self._pausable = answer if isinstance(answer, Pausable) else None
        read = answer.view if self._takes_views and isinstance(answer, Viewable) else answer.read
        try:
            while await self._has_room(segment, answer_end):
                chunk = await self._read(read)
                if not chunk:
                    break
                await self._take(segment, chunk, answer_end)
            await self.flush()
        except asyncio.CancelledError:
            if (stall := self._own_stall()) is None:
                raise
            raise stall from None
        finally:
            self.is_reading = False
            self._backlog.readers -= 1
        self._check_end(segment, answer_end)

    async def _has_room(self, segment: Segment, answer_end: int | None) -> bool:
        if segment.end is None or segment.position < segment.end:
            return True
        return not self._has_cut and self._plan.run_on(segment, answer_end)

    def _fitting(self, segment: Segment, chunk: Chunk, answer_end: int | None) -> Chunk:
        """Return the part of a chunk that lies in the segment, which may grow with it."""
        while segment.end is not None and len(chunk) > segment.end - segment.position:
            if not self._plan.run_on(segment, answer_end):
                # What is dropped here is gone: the answer cannot be read on as if it had not come.
                self._has_cut = True
                return _beginning(chunk, segment.end - segment.position)
        return chunk

    async def _read(self, read: Callable[[int | None], Awaitable[Chunk]]) -> Chunk:
        turn = await self._backlog.turn()
        try:
            chunk = await self._read_now(read)
            self._backlog.add(len(chunk))
            if self._pausable is not None and self._backlog.is_pressed:
                self._pausable.pause()
        finally:
            self._backlog.end_turn(turn)
        return chunk

    async def _take(self, segment: Segment, chunk: Chunk, answer_end: int | None) -> None:
        now = time.monotonic()
        self.last_byte_at = now
        came = len(chunk)
        chunk = self._fitting(segment, chunk, answer_end)
        self._backlog.remove(came - len(chunk))
        if not self._buffers:
            self._gather_started_at = now
        self._buffers.append(chunk)
        count = len(chunk)
        self._buffered_bytes += count
        segment.position += count
        self.received_bytes += count
        self.live.receive(count)
        if self._is_gather_due(now):
            await self._write_gather()
            if self._backlog.is_full:
                # Before it waits for its turn: what is counted as waiting for the disk must be on its way there.
                await self._await_write()

    def _is_gather_due(self, now: float) -> bool:
        return (
            self._buffered_bytes >= self._gather_bytes
            or self._backlog.is_full
            or len(self._buffers) >= MAX_BUFFERS
            or now - self._gather_started_at >= GATHER_S
        )

    def flush_if_old(self, now: float) -> None:
        """Start to write a gather that waits for bytes too long; called by the transfer's ticker."""
        if self._buffers and self._write is None and now - self._gather_started_at >= GATHER_S:
            self._start_write()

    async def flush(self) -> None:
        """Write what is gathered and wait until it is written."""
        await self._write_gather()
        await self._await_write()

    async def flush_at_last(self) -> None:
        """Flush, however often the caller is cancelled meanwhile: it ends once nothing is on its way to the disk.

        Only then may the range be given to another, or what that writes could be overwritten.
        """
        if not self.is_behind:
            return
        flushing = asyncio.ensure_future(self.flush())
        cancellation: asyncio.CancelledError | None = None
        while not flushing.done():
            try:
                await asyncio.wait([flushing])
            except asyncio.CancelledError as error:
                cancellation = error
        if cancellation is not None and flushing.exception() is None:
            raise cancellation
        flushing.result()

    async def abandon(self) -> None:
        """Wait for the write under way, whatever comes of it, and forget what is gathered."""
        self.forget()
        write, self._write = self._write, None
        if write is not None:
            await asyncio.wait([write])
            if not write.cancelled():
                write.exception()

    def forget(self) -> None:
        """Drop what is gathered, where it can be written no more."""
        self._backlog.remove(self._buffered_bytes)
        _release(self._buffers)
        self._buffers, self._buffered_bytes = [], 0

    async def _write_gather(self) -> None:
        await self._await_write()
        if self._buffers:
            self._start_write()

    async def _await_write(self) -> None:
        if (write := self._write) is not None:
            # Shielded: a cancelled reader must not leave a descriptor with a write under way.
            await asyncio.shield(write)
            self._write = None

    def _start_write(self) -> None:
        segment = self.segment
        assert segment is not None
        buffers, self._buffers = self._buffers, []
        offset = segment.position - self._buffered_bytes
        self._buffered_bytes = 0
        self._write = asyncio.ensure_future(self._write_at(buffers, offset))

    async def _write_at(self, buffers: list[Chunk], offset: int) -> None:
        count_bytes = sum(map(len, buffers))
        try:
            extents = await self._sink.write(buffers, offset)
        except (ContentError, FileSystemError):
            # After a cancellation the disk's thread may go on with them: their memory is never used again.
            _release(buffers)
            raise
        finally:
            self._backlog.remove(count_bytes)
        _release(buffers)
        for extent in extents:
            self._plan.hold(extent.start, extent.end)
        self._on_written(extents)

    def _check_end(self, segment: Segment, answer_end: int | None) -> None:
        if (
            answer_end is not None
            and segment.position < answer_end
            and (segment.end is None or segment.position < segment.end)
        ):
            raise NetworkError(Reason.TRUNCATED, "the answer ended early", is_retryable=True)

    @property
    def is_behind(self) -> bool:
        """Whether received bytes are not written yet."""
        return self._write is not None or bool(self._buffers)


def _beginning(chunk: Chunk, count_bytes: int) -> bytes:
    """Return a copy of so much of it, and let the rest go."""
    kept = bytes(chunk[:count_bytes])
    _release([chunk])
    return kept


def _release(chunks: Sequence[Chunk]) -> None:
    for chunk in chunks:
        if isinstance(chunk, memoryview):
            chunk.release()
