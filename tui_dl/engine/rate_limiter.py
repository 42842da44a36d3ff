"""Requests per period, waited for in turn: all together and host by host."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Self

from tui_dl.core.host_rules import HostRules
from tui_dl.core.request_rate import RequestBucket, RequestRate, parse_request_rate

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_HOSTS: Final = 4096
"""Hosts whose credit is remembered; of more, those that have all of it are forgotten first."""


class RateLimiter:
    """A token bucket of requests for asyncio: `await limiter.acquire()` before each request.

    `RateLimiter(100)` lets 100 a second through, `RateLimiter(30, per=60)` 30 a minute, `RateLimiter("30/m")` is the
    same. They are spread evenly; `burst` many may follow each other at once. `hosts` bounds single hosts besides
    (`host_rules({"*.example.org": {"request_rate": "10/m"}})`) for calls that name one. Who asks first is first.
    The engine has one of its own: `Settings(rate="100/s", hosts=...)`.
    """

    def __init__(
        self,
        rate: float | str = 0,
        per: float = 1.0,
        *,
        burst: float | None = None,
        hosts: HostRules | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raise `UsageError` for a text that is no rate, `ValueError` for numbers below 0; 0 is no limit."""
        known = parse_request_rate(rate) if isinstance(rate, str) else _rate(rate, per)
        self._whole = None if known is None else RequestBucket(known.per_second, burst=burst)
        self._rules = hosts or HostRules()
        self._hosts: dict[str, RequestBucket | None] = {}
        self._clock = clock

    async def acquire(self, host: str = "") -> None:
        """Return when a request may be sent, to this host if one is named; cancelled, the turn is another's."""
        await self._turn(self._of_host(host) if host else None)
        await self._turn(self._whole)

    def wait_s(self, host: str = "") -> float:
        """Return the seconds until `acquire()` would return at once, were nobody else to ask."""
        now = self._clock()
        buckets = (self._whole, self._of_host(host) if host else None)
        return max((one.wait_s(now) for one in buckets if one is not None), default=0.0)

    def take(self) -> None:
        """Take a turn without waiting for it; for who looked at `wait_s()` before."""
        if self._whole is not None:
            self._whole.take(self._clock())

    def give_back(self, host: str = "") -> None:
        """Give back a turn that was not used."""
        now = self._clock()
        for one in (self._whole, self._of_host(host) if host else None):
            if one is not None:
                one.give_back(now)

    async def __aenter__(self) -> Self:
        """Wait for a turn among all: `async with limiter:`."""
        await self.acquire()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Nothing is held: the turn was used."""

    async def _turn(self, bucket: RequestBucket | None) -> None:
        if bucket is None:
            return
        wait_s = bucket.take(self._clock())
        if wait_s <= 0:
            return
        try:
            await asyncio.sleep(wait_s)
        except asyncio.CancelledError:
            bucket.give_back(self._clock())
            raise

    def _of_host(self, host: str) -> RequestBucket | None:
        if host not in self._hosts:
            if len(self._hosts) >= MOST_HOSTS:
                self._forget()
            rate = self._rules.of_host(host).request_rate
            self._hosts[host] = None if rate is None else RequestBucket(rate.per_second)
        return self._hosts[host]

    def _forget(self) -> None:
        now = self._clock()
        self._hosts = {
            host: one for host, one in self._hosts.items() if one is not None and (one.wait_s(now) or not one.is_full)
        }


def _rate(count: float, per_s: float) -> RequestRate | None:
    if not (count >= 0 and per_s > 0):
        raise ValueError("a rate is 0 or more requests in more than 0 seconds")
    return RequestRate(count, per_s) if count else None
