"""A smooth pace: small slices, each with its own instant, shared fairly by all who use it."""

from __future__ import annotations

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
