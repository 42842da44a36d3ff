"""How many connections a task should have: 1, 2, 4, 8 ... only while the whole gets faster."""

from __future__ import annotations

from typing import Final

SETTLE_S: Final = 0.3
"""After a change the rate is not measured for this long (connections open, windows grow)."""
MEASURE_S: Final = 0.4
"""Then it is measured for this long."""
WORTH_RATIO: Final = 1.12
"""Twice the connections must bring at least this much, or they are not kept growing."""
LEAST_REMAINING_S: Final = 2.0
"""With less than this left at the present rate nothing is worth one more connection."""


class Growth:
    """The controller of one task; instants are monotonic seconds, counters are bytes of the whole task."""

    def __init__(self, most: int, now: float) -> None:
        self.most = most
        """Upper bound; may be changed live."""
        self.target = 1
        """Connections wanted now."""
        self.is_settled = most <= 1
        self._level_rate_bps = 0.0
        self._measure_from_at = now + SETTLE_S
        self._measure_from_bytes: int | None = None

    def refuse(self, working: int) -> None:
        """Stop growing: the host refused one more; keep what works."""
        self.target = max(1, working)
        self.is_settled = True

    def bound(self, most: int, now: float) -> None:
        """Change the upper bound: fewer at once, more by growing again."""
        self.is_settled = most <= 1
        self.most = most
        self.target = min(self.target, most)
        self._restart(now)

    def step(self, now: float, received_bytes: int, remaining_bytes: int, working: int) -> int:
        """Return the connections wanted now; call it a few times a second."""
        if self.is_settled:
            return self.target
        if now < self._measure_from_at or working < self.target:
            return self.target
        if self._measure_from_bytes is None:
            self._measure_from_at, self._measure_from_bytes = now, received_bytes
            return self.target
        elapsed_s = now - self._measure_from_at
        if elapsed_s < MEASURE_S:
            return self.target
        self._decide(now, (received_bytes - self._measure_from_bytes) / elapsed_s, remaining_bytes)
        return self.target

    def _decide(self, now: float, rate_bps: float, remaining_bytes: int) -> None:
        if rate_bps < self._level_rate_bps * WORTH_RATIO:
            # The last doubling brought nothing: go back to what was as fast.
            self.target = max(1, self.target // 2)
            self.is_settled = True
        elif self.target >= self.most or remaining_bytes < rate_bps * LEAST_REMAINING_S:
            self.is_settled = True
        else:
            self._level_rate_bps = rate_bps
            self.target = min(self.target * 2, self.most)
            self._restart(now)

    def _restart(self, now: float) -> None:
        self._measure_from_at = now + SETTLE_S
        self._measure_from_bytes = None
