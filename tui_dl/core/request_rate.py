"""Requests per second, minute or hour: how a person writes it, and a token bucket of requests. Time is passed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tui_dl.core.errors import UsageError
from tui_dl.core.rate import BURST_S

PERIODS_S: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
"""What stands behind the slash."""
OFF: Final = ("", "off")
"""Texts that mean no limit."""
MOST_REQUESTS: Final = 1_000_000
_RATE: Final = re.compile(r"(?P<count>\d{1,7}(?:\.\d{1,6})?)/(?P<period>[smh])", re.ASCII)


@dataclass(frozen=True, slots=True)
class RequestRate:
    """So many requests in a period."""

    count: float
    """More than 0."""
    per_s: float
    """Length of the period in seconds."""

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.count / self.per_s

    def __str__(self) -> str:
        return f"{self.count:g}/{next(word for word, span_s in PERIODS_S.items() if span_s == self.per_s)}"


def parse_request_rate(text: str) -> RequestRate | None:
    """Return what `10/s`, `30/m` or `100/h` means, None for no limit; raises `UsageError`."""
    if text in OFF:
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise UsageError(f'{text!r} is no pace of requests; write "10/s", "30/m" or "100/h" (bytes are --limit-rate)')
    count = float(match["count"])
    if not 0 < count <= MOST_REQUESTS:
        raise UsageError(f"{text!r} is out of bounds (more than 0, at most {MOST_REQUESTS})")
    return RequestRate(count, PERIODS_S[match["period"]])


def request_rate_text(text: str) -> str:
    """Return a text that was checked, as settings keep it; raises `UsageError`."""
    parse_request_rate(text)
    return "" if text in OFF else text


class RequestBucket:
    """A token bucket of requests, full at first: what is taken beyond its credit is owed, and waited for in turn.

    Over any time `t` it lets `burst + t * rate` requests through, never more.
    """

    __slots__ = ("_burst", "_level", "_per_second", "_settled_at")

    def __init__(self, per_second: float, *, burst: float | None = None) -> None:
        """`burst` requests may follow each other at once; None: one, or what a late timer misses where that is more."""
        self._per_second = per_second
        self._burst = max(1.0, per_second * BURST_S if burst is None else burst)
        self._level = self._burst
        self._settled_at: float | None = None

    def take(self, now: float) -> float:
        """Take one request's turn; return the seconds until it has come."""
        self._settle(now)
        self._level -= 1.0
        return max(0.0, -self._level / self._per_second)

    def give_back(self, now: float) -> None:
        """Give back a turn that was taken and not used."""
        self._settle(now)
        self._level = min(self._level + 1.0, self._burst)

    def wait_s(self, now: float, *, ahead: int = 0) -> float:
        """Return the seconds until a turn can be had, with so many others that will be taken before."""
        self._settle(now)
        return max(0.0, (1.0 + ahead - self._level) / self._per_second)

    @property
    def is_full(self) -> bool:
        """Whether nothing was taken for so long that all credit is there."""
        return self._level >= self._burst

    def _settle(self, now: float) -> None:
        if self._settled_at is not None:
            passed_s = max(0.0, now - self._settled_at)
            self._level = min(self._level + passed_s * self._per_second, self._burst)
        self._settled_at = now
