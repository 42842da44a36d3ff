"""A connection in view of the watch over it: what it brought, what it waits for, and its end when that is too long."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.core.splitting import Segment
from tui_dl.engine.throttle import Admission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.core.ports import TransportAnswer
    from tui_dl.engine.limits import Limits
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.sources import Source
    from tui_dl.engine.throttle import Share

C = TypeVar("C", bytes, bytes | memoryview)

DRIP_WINDOW_S: Final = 60.0
DRIP_BPS: Final = 64
"""A server that brings less than this over the window keeps a connection busy and no more."""


class Reading:
    """Reads one answer at a time under the limits of its task, and can be given up."""

    def __init__(self, live: LiveTask, throttles: Sequence[Share]) -> None:
        self.live = live
        self.segment: Segment | None = None
        """What it fetches now."""
        self.source: Source | None = None
        """Whom it asks, where there may be several."""
        self.received_bytes = 0
        """Bytes received over its life."""
        self.last_byte_at = time.monotonic()
        """When it last got a byte, or began to wait for one."""
        self.is_reading = False
        """Whether it waits for the server, rather than for the disk or a limit."""
        self.has_stalled = False
        """Whether it was given up for want of bytes."""
        self._stall_text = ""
        self.started_at = self.last_byte_at
        self.task: asyncio.Task[Any] | None = None
        """What reads."""
        self._throttles = throttles
        self._minute_at = self.last_byte_at
        self._minute_bytes = 0

    @property
    def is_limited(self) -> bool:
        """Whether a limit of ours holds it back, so that its rate says nothing of its server."""
        return any(throttle.rate_bps for throttle in self._throttles)

    def give_up_if_silent(self, now: float, timeout_s: float) -> None:
        """End the reading with `STALLED` if no byte came for so long, or next to none; called by a ticker."""
        if self.task is None or self.has_stalled or not self.is_reading:
            return
        is_silent = now - self.last_byte_at >= timeout_s
        if is_silent or self._only_drips(now):
            self.has_stalled = True
            if not is_silent:
                self._stall_text = f"fewer than {DRIP_BPS} bytes a second came for {DRIP_WINDOW_S:.0f} s"
            self.task.cancel()

    def _only_drips(self, now: float) -> bool:
        """Whether the last minute brought less than any link that works does, though nothing here held it back."""
        if now - self._minute_at < DRIP_WINDOW_S:
            return False
        came = self.received_bytes - self._minute_bytes
        self._minute_at, self._minute_bytes = now, self.received_bytes
        return came < DRIP_BPS * DRIP_WINDOW_S and not self.is_limited

    def _own_stall(self) -> NetworkError | None:
        """Return the error of a cancellation that `give_up_if_silent()` made, taken back; None for any other."""
        if not self.has_stalled or self.task is None:
            return None
        self.task.uncancel()
        return NetworkError(Reason.STALLED, self._stall_text, is_retryable=True)

    async def _read_now(self, read: Callable[[int | None], Awaitable[C]]) -> C:
        if not self.is_limited:
            self.is_reading = True
            chunk = await read(None)
            self.is_reading = False
            return chunk
        async with Admission(self._throttles) as admission:
            if admission.most_bytes is not None:
                # Only from here on is it the server that is waited for.
                self.last_byte_at = time.monotonic()
            self.is_reading = True
            chunk = await read(admission.most_bytes)
            self.is_reading = False
            admission.used_bytes = len(chunk)
        return chunk


class BodyReading(Reading):
    """Reads a short body of known length whole, into memory."""

    def __init__(self, live: LiveTask, limits: Limits) -> None:
        super().__init__(live, ())
        self._limits = limits

    async def read(self, answer: TransportAnswer, total_bytes: int) -> list[bytes]:
        """Return the body in pieces. Raises `NetworkError` when it is cut; nothing of it is kept then."""
        self.task = asyncio.current_task()
        self.live.connections.append(self)
        try:
            return await self._read_all(answer, total_bytes)
        except BaseException as error:
            # Nothing of it can be kept, so that it is no progress either.
            self.live.rewind(0)
            stall = self._own_stall() if isinstance(error, asyncio.CancelledError) else None
            if stall is not None:
                raise stall from None
            raise
        finally:
            self.is_reading = False
            self.live.connections.remove(self)

    async def _read_all(self, answer: TransportAnswer, total_bytes: int) -> list[bytes]:
        segment = self.segment = Segment(0, 0, total_bytes)
        buffers: list[bytes] = []
        while segment.position < total_bytes:
            if not self._throttles and self._limits.may_hold(self.live.task):
                # Only now: for most short bodies nothing is ever limited.
                self._throttles = self._limits.shares_of(self.live.task)
            chunk = await self._read_now(answer.read)
            if not chunk:
                raise NetworkError(Reason.TRUNCATED, "the answer ended early", is_retryable=True)
            self.last_byte_at = time.monotonic()
            # More than was promised is not of this file.
            chunk = chunk[: total_bytes - segment.position]
            buffers.append(chunk)
            segment.position += len(chunk)
            self.received_bytes += len(chunk)
            self.live.receive(len(chunk))
        return buffers
