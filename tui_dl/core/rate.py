"""Speeds and limits: a meter of one-second buckets, the time left, and a token bucket. Time is passed in.

`now` is any clock in seconds. One that steps back does no harm; neither does one that stood still (suspend).
"""

from __future__ import annotations

from math import floor, isfinite
from typing import Final

WINDOW_S: Final = 5
"""Buckets that a speed is taken from, the unfinished one included."""
KEPT_S: Final = 120
"""Buckets kept for a graph."""
BURST_S: Final = 0.15
"""Credit of a token bucket, in time's worth of its rate: what a late timer or a slow disk missed is made up for."""
_LONGEST_ETA_S: Final = 100 * 365 * 86_400.0
_LEAST_SPAN_S: Final = 1.0


class SpeedMeter:
    """Bytes per second over the last few seconds, and per second for a graph."""

    __slots__ = ("_buckets", "_newest", "_now", "_started_at")

    def __init__(self, kept_s: int = KEPT_S) -> None:
        self._buckets = [0] * max(kept_s, WINDOW_S)
        self._newest = 0
        self._now = 0.0
        self._started_at: float | None = None

    def add(self, count_bytes: int, now: float) -> None:
        """Count bytes that have arrived."""
        was_silent = self._started_at is None or not self._recent_bytes(now)
        self._turn(now)
        if not count_bytes:
            return
        if was_silent:  # measured from here, or the silence would make the first seconds look slow
            self._started_at = self._now
        self._buckets[self._newest % len(self._buckets)] += count_bytes

    def speed_bps(self, now: float) -> float:
        """Return the mean speed over the window; 0 after a silence, no spike at the start."""
        count_bytes = self._recent_bytes(now)
        if not count_bytes or self._started_at is None:
            return 0.0
        window_began_at = float(self._newest - WINDOW_S + 1)
        return count_bytes / max(self._now - max(window_began_at, self._started_at), _LEAST_SPAN_S)

    def history(self, now: float, count: int) -> list[int]:
        """Return the bytes of each of the last `count` whole seconds, oldest first."""
        self._turn(now)
        size = len(self._buckets)
        known = min(max(count, 0), size - 1)
        recent = [self._buckets[(self._newest - age) % size] for age in range(known, 0, -1)]
        return [0] * (count - known) + recent

    def _recent_bytes(self, now: float) -> int:
        self._turn(now)
        size = len(self._buckets)
        return sum(self._buckets[(self._newest - age) % size] for age in range(WINDOW_S))

    def _turn(self, now: float) -> None:
        """Empty the buckets of the seconds that have passed."""
        size = len(self._buckets)
        if now < self._now - WINDOW_S:  # the clock was set back: what is known belongs to no time any more
            self._buckets = [0] * size
            self._started_at = None
        elif now <= self._now:
            return
        second = floor(now)
        for passed in range(max(self._newest + 1, second - size + 1), second + 1):
            self._buckets[passed % size] = 0
        self._newest = second
        self._now = now


def eta_s(remaining_bytes: int | None, speed_bps: float) -> float | None:
    """Return the seconds that are left, None where nobody can know; never negative."""
    if remaining_bytes is None:
        return None
    if remaining_bytes <= 0:
        return 0.0
    if not (isfinite(speed_bps) and speed_bps > 0):
        return None
    left_s = remaining_bytes / speed_bps
    return left_s if left_s < _LONGEST_ETA_S else None


class TokenBucket:
    """A rate limit by pure arithmetic: bytes that have arrived are taken, debt is waited off.

    Debt lets a chunk larger than the credit through at once and makes whoever comes next wait for it, so the flow is
    exact over time whatever the sizes.
    """

    __slots__ = ("_level_bytes", "_rate_bps", "_settled_at")

    def __init__(self, rate_bps: float, now: float) -> None:
        self._rate_bps = max(float(rate_bps), 0.0)
        self._settled_at = now
        self._level_bytes = 0.0

    @property
    def rate_bps(self) -> float:
        """Bytes per second; 0 for no limit."""
        return self._rate_bps

    def take(self, count_bytes: int, now: float) -> float:
        """Take bytes and return the seconds to wait before the next are taken."""
        self._settle(now)
        if self._rate_bps > 0:
            self._level_bytes -= count_bytes
        return self.wait_s(now)

    def give_back(self, count_bytes: int, now: float) -> None:
        """Give back bytes that were taken and not used; credit beyond the burst is lost."""
        self._settle(now)
        if self._rate_bps > 0:
            self._level_bytes = min(self._level_bytes + count_bytes, self._rate_bps * BURST_S)

    def wait_s(self, now: float) -> float:
        """Return the seconds until all debt is paid at the present rate."""
        self._settle(now)
        return -self._level_bytes / self._rate_bps if self._level_bytes < 0 else 0.0

    def set_rate(self, rate_bps: float, now: float) -> None:
        """Change the rate at once, 0 for no limit. No wait grows by it, and a higher rate shortens all."""
        self._settle(now)
        old_bps, self._rate_bps = self._rate_bps, max(float(rate_bps), 0.0)
        if self._rate_bps == 0:
            self._level_bytes = 0.0
        elif self._level_bytes < 0:
            self._level_bytes *= min(self._rate_bps / old_bps, 1.0)
        else:
            self._level_bytes = min(self._level_bytes, self._rate_bps * BURST_S)

    def _settle(self, now: float) -> None:
        passed_s = max(now - self._settled_at, 0.0)
        self._settled_at = now
        if self._rate_bps > 0:
            self._level_bytes = min(self._level_bytes + passed_s * self._rate_bps, self._rate_bps * BURST_S)
