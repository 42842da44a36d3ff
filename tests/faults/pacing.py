"""A smooth pace: small slices, each with its own instant, shared fairly by all who use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_S = 0.02
"""The time one slice is worth: fine enough that no reader sees bursts."""


class Pace:
    """Hands out slices of bytes and the instants at which they may be sent."""

    def __init__(self, rate_bps: float) -> None:
        self.rate_bps = rate_bps
        self._next_at = 0.0

    def reserve(self, wanted_bytes: int, now_at: float) -> tuple[int, float]:
        """Return how many of the bytes wanted may go, and the seconds to wait before sending them.

        A sender that wakes late may catch up one tick, no more, so the mean holds without bursts.
        """
        granted = max(1, min(wanted_bytes, int(self.rate_bps * TICK_S)))
        start_at = max(self._next_at, now_at - TICK_S)
        self._next_at = start_at + granted / self.rate_bps
        return granted, max(0.0, self._next_at - now_at)


class PaceUntil(Pace):
    """Slow until something has happened that a test waits for, then fast: no clock decides whether it happens."""

    def __init__(self, is_over: Callable[[], object], slow_bps: float, fast_bps: float) -> None:
        super().__init__(slow_bps)
        self._is_over = is_over
        self._fast_bps = fast_bps

    def reserve(self, wanted_bytes: int, now_at: float) -> tuple[int, float]:
        """Return as the pace of now says."""
        if self._is_over():
            self.rate_bps = self._fast_bps
        return super().reserve(wanted_bytes, now_at)
