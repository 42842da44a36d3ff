"""How many fragments at once: more only while more of them arrive."""

from __future__ import annotations

from typing import Final

WORTH_RATIO: Final = 1.15
"""Twice as many must bring at least this much, or they are not kept growing."""
LEAST_SAMPLE: Final = 4
"""Fragments by which a width is judged, at least; else twice the width."""


class Widening:
    """The controller of one stream; instants are monotonic seconds."""

    def __init__(self, most: int, *, begins_with: int) -> None:
        self.most = most
        """Upper bound."""
        self.target = min(most, begins_with)
        """Fragments wanted at once now."""
        self._level_rate_bps = 0.0
        self._level_target = self.target
        self._is_settled = self.target >= most
        self._since_at: float | None = None
        self._count = 0
        self._bytes = 0

    def note(self, now: float, size_bytes: int) -> None:
        """Note a fragment that has arrived."""
        if self._is_settled:
            return
        if self._since_at is None:
            self._since_at = now
            return
        self._count += 1
        self._bytes += size_bytes
        if self._count < max(LEAST_SAMPLE, 2 * self.target) or now <= self._since_at:
            return
        rate_bps = self._bytes / (now - self._since_at)
        self._since_at, self._count, self._bytes = None, 0, 0
        if rate_bps < WORTH_RATIO * self._level_rate_bps:
            self.target, self._is_settled = self._level_target, True
            return
        self._level_rate_bps, self._level_target = rate_bps, self.target
        self._is_settled = self.target >= self.most
        self.target = min(self.most, 2 * self.target)
