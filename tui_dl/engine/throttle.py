"""Bandwidth limits on the loop: a token bucket that connections await, changed live."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from tui_dl.core.rate import TokenBucket

READ_S: Final = 0.05
"""A read takes at most this much time's worth of bytes, so that the flow is smooth."""
LEAST_READ_BYTES: Final = 1024


class Throttle:
    """One limit in bytes per second; 0 means none."""

    def __init__(self, rate_bps: int) -> None:
        self._bucket = TokenBucket(rate_bps, time.monotonic())
        self._rate_bps = rate_bps
        self._changed = asyncio.Event()

    @property
    def rate_bps(self) -> int:
        """Bytes per second, 0 for no limit."""
        return self._rate_bps

    @property
    def most_bytes(self) -> int | None:
        """Most bytes that one read should take, None where nothing limits."""
        return None if self._rate_bps <= 0 else max(LEAST_READ_BYTES, int(self._rate_bps * READ_S))

    def set_rate(self, rate_bps: int) -> None:
        """Change the limit at once, for those that wait too."""
        self._rate_bps = rate_bps
        self._bucket.set_rate(rate_bps, time.monotonic())
        self._changed.set()
        self._changed = asyncio.Event()

    async def pace(self, count_bytes: int) -> None:
        """Take bytes that have arrived and sleep off the debt."""
        if self._rate_bps <= 0:
            return
        wait_s = self._bucket.take(count_bytes, time.monotonic())
        while wait_s > 0:
            changed = self._changed
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await changed.wait()
            if changed is self._changed:
                return
            wait_s = self._bucket.wait_s(time.monotonic())
