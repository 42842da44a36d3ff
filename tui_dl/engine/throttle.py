"""Bandwidth limits on the loop: bytes are granted before they are read, in turn, by weight, changed live.

A grant is charged when it is given and what was not used comes back, so that no number of connections takes more than
the rate and a short credit. Tasks that wait are served by start-time fair queueing: each gets its weight's part of
what there is, whatever number of connections it has, and what one leaves the others take.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final, Self
from weakref import WeakValueDictionary

from tui_dl.core.rate import TokenBucket
from tui_dl.core.sharing import NORMAL_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

READ_S: Final = 0.01
"""A grant is at most this much time's worth of bytes for each unit of weight: small, so that the flow is smooth."""
GRANTED_S: Final = 0.08
"""All grants together are at most this much time's worth: a burst, if all that are waited for come at once."""
LEAST_READ_BYTES: Final = 1024
MOST_READ_BYTES: Final = 128 * 1024
"""Largest grant for each unit of weight."""
LEAST_WAIT_S: Final = 0.001
"""Timers are no finer; what a late one misses is credit for the next grants."""


class Throttle:
    """One limit in bytes per second, 0 for none, and the tasks that wait for it."""

    def __init__(self, rate_bps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bucket = TokenBucket(rate_bps, clock())
        self._rate_bps = rate_bps
        self._shares: WeakValueDictionary[int, Share] = WeakValueDictionary()
        self._line: list[tuple[float, int, Share]] = []
        self._joined = 0
        self._virtual_bytes = 0.0
        self._present_weight = 0
        self._timer: asyncio.Handle | None = None
        self._due_at = 0.0

    @property
    def rate_bps(self) -> int:
        """Bytes per second, 0 for no limit."""
        return self._rate_bps

    def set_rate(self, rate_bps: int) -> None:
        """Change the limit at once, for those that wait too."""
        if rate_bps == self._rate_bps:
            return
        self._rate_bps = rate_bps
        self._bucket.set_rate(rate_bps, self._clock())
        self._arm()

    def share(self, key: int, weight: int = NORMAL_WEIGHT) -> Share:
        """Return the place of a task at this limit, the same one as long as anybody holds it."""
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(self, weight)
        return share

    def set_weight(self, key: int, weight: int) -> None:
        """Change the weight of a task at once."""
        share = self._shares.get(key)
        if share is None:
            return
        # What it had before its turn weighs as much as before, but lasts as long as its new weight makes it.
        ahead = max(0.0, share.finish - self._virtual_bytes)
        share.finish = self._virtual_bytes + ahead * share.weight / weight
        share.weight = weight
        if share.is_in_line:
            self._line = [entry for entry in self._line if entry[2] is not share]
            heapify(self._line)
            share.is_in_line = False
            self.join(share)

    # -- for shares ----------------------------------------------------------------------------------------------------

    @property
    def is_free(self) -> bool:
        """Whether the next bytes may be granted at once: nobody waits and there is no debt."""
        return not self._line and self._bucket.wait_s(self._clock()) <= 0

    def come(self, weight: int) -> None:
        """Count a connection that wants to read or does."""
        self._present_weight += weight

    def leave(self, weight: int) -> None:
        """Count it no more."""
        self._present_weight -= weight

    def join(self, share: Share) -> None:
        """Take a share that begins to wait into the line."""
        if not share.is_in_line:
            share.is_in_line = True
            self._joined += 1
            heappush(self._line, (self._start_of(share), self._joined, share))
        self._arm()

    def grant(self, share: Share, weight: int, most_bytes: int | None) -> Grant:
        """Charge a share that has its turn and is counted as present."""
        part_s = min(READ_S, GRANTED_S / self._present_weight)
        count = max(LEAST_READ_BYTES, min(int(self._rate_bps * part_s * weight), MOST_READ_BYTES * weight))
        if most_bytes is not None:
            count = min(count, most_bytes)
        start = self._start_of(share)
        self._virtual_bytes = max(self._virtual_bytes, start)
        share.finish = start + count / weight
        self._bucket.take(count, self._clock())
        return Grant(share, weight, count)

    def _start_of(self, share: Share) -> float:
        """Return when a share's next turn begins: what it left of its last one is made good, a longer absence is not.

        A read that comes short gives bytes back, and others are served before its connection can ask again.
        """
        return max(self._virtual_bytes - self._rate_bps * READ_S, share.finish)

    def take_back(self, unused_bytes: int) -> None:
        """Give back what was granted and not used."""
        self._bucket.give_back(unused_bytes, self._clock())
        self._arm()

    def _arm(self) -> None:
        """See to it that the first of the line is served as soon as it may be."""
        if not self._line:
            return
        now = self._clock()
        wait_s = self._bucket.wait_s(now)
        if self._timer is not None:
            if now + wait_s >= self._due_at:
                return
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._due_at = now + wait_s
        if wait_s > 0:
            self._timer = loop.call_later(max(wait_s, LEAST_WAIT_S), self._serve)
        else:
            self._timer = loop.call_soon(self._serve)

    def _serve(self) -> None:
        """Serve the first of the line; the next only after whoever was served could come back to the line."""
        self._timer = None
        while self._line and self._bucket.wait_s(self._clock()) <= 0:
            _, _, share = heappop(self._line)
            share.is_in_line = False
            is_served = share.serve()
            if share.has_waiting:
                self.join(share)
            if is_served and self._rate_bps > 0:
                break
        self._arm()


class Share:
    """The place of one task at a limit; its connections wait in it, first come, first served."""

    def __init__(self, throttle: Throttle, weight: int) -> None:
        self.throttle = throttle
        self.weight = weight
        """Its part of the whole, beside those of others."""
        self.finish = 0.0
        """Virtual time at which its last turn ends: bytes for each unit of weight."""
        self.is_in_line = False
        """Whether the throttle has it in its line."""
        self._waiting: deque[_Wish] = deque()

    @property
    def rate_bps(self) -> int:
        """Bytes per second of the whole limit, 0 for none."""
        return self.throttle.rate_bps

    @property
    def has_waiting(self) -> bool:
        """Whether anybody waits in it."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        return bool(self._waiting)

    async def admit(self, most_bytes: int | None = None) -> Grant | None:
        """Return a grant when it is its turn; None where nothing limits any more."""
        throttle, weight = self.throttle, self.weight
        throttle.come(weight)
        if throttle.is_free:
            return throttle.grant(self, weight, most_bytes)
        wish = _Wish(weight, most_bytes)
        self._waiting.append(wish)
        throttle.join(self)
        try:
            grant = await wish.answer
        except asyncio.CancelledError:
            given = wish.answer.result() if wish.answer.done() and not wish.answer.cancelled() else None
            if given is None:
                throttle.leave(weight)
            else:
                given.settle(0)
            raise
        if grant is None:
            throttle.leave(weight)
        return grant

    def serve(self) -> bool:
        """Let the first that waits go on; whether there was one."""
        if not self.has_waiting:
            return False
        wish = self._waiting.popleft()
        throttle = self.throttle
        wish.answer.set_result(throttle.grant(self, wish.weight, wish.most_bytes) if throttle.rate_bps > 0 else None)
        return True


class _Wish:
    """A connection that waits."""

    __slots__ = ("answer", "most_bytes", "weight")

    def __init__(self, weight: int, most_bytes: int | None) -> None:
        self.weight = weight
        self.most_bytes = most_bytes
        self.answer: asyncio.Future[Grant | None] = asyncio.get_running_loop().create_future()


class Grant:
    """Bytes that may be read; charged until `settle()`."""

    __slots__ = ("_share", "_weight", "most_bytes")

    def __init__(self, share: Share, weight: int, most_bytes: int) -> None:
        self._share = share
        self._weight = weight
        self.most_bytes = most_bytes
        """At most this much."""

    def settle(self, used_bytes: int) -> None:
        """Give back what was not used."""
        throttle, unused = self._share.throttle, self.most_bytes - used_bytes
        throttle.leave(self._weight)
        if unused:
            self._share.finish -= unused / self._weight
            throttle.take_back(unused)


class Admission:
    """What all limits of a task allow for one read, as `async with`; what was read is told before it ends."""

    __slots__ = ("_grants", "_shares", "most_bytes", "used_bytes")

    def __init__(self, shares: Sequence[Share]) -> None:
        self._shares = shares
        self._grants: list[Grant] = []
        self.most_bytes: int | None = None
        """Most that may be read; None where nothing limits."""
        self.used_bytes = 0
        """What was read."""

    async def __aenter__(self) -> Self:
        try:
            for share in self._shares:
                if share.rate_bps > 0 and (grant := await share.admit(self.most_bytes)) is not None:
                    self._grants.append(grant)
                    self.most_bytes = grant.most_bytes
        except BaseException:
            self._settle()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._settle()

    def _settle(self) -> None:
        for grant in self._grants:
            grant.settle(self.used_bytes)
        self._grants.clear()
