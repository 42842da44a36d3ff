"""How many connections a task should have: more only while the whole gets faster."""

from __future__ import annotations

from typing import Final

GLANCE_S: Final = 0.025
"""Two stretches of this length that agree show a rate that has settled."""
STEADY_RATIO: Final = 1.25
"""The second stretch may be faster by this much; more, and windows are still opening."""
CLEAR_SHARE: Final = 0.5
"""New connections that bring this much of what the old ones do need no longer look: the next step follows at once."""
FULL_SHARE: Final = 0.8
"""New connections that bring this much are paced one by one: four times as many follow."""
LONG_S: Final = 8.0
"""With more than this left at the rate of one connection four follow it: each step less is 0.1 s of all of them."""
SETTLE_S: Final = 0.3
"""Where it is less clear, the rate is not measured for this long after a change ..."""
MEASURE_S: Final = 0.4
"""... and then for this long."""
WORTH_RATIO: Final = 1.12
"""Twice the connections must bring at least this much, or they are not kept growing."""
LEAST_REMAINING_S: Final = 2.0
"""With less than this left at the present rate nothing is worth one more connection."""


class Growth:
    """The controller of one task; instants are monotonic seconds, counters are bytes of the whole task.

    A yes may come soon, a no takes patience: a server that paces each connection is asked for all of them within half a
    second, and one whose windows open slowly is not taken for one that gives no more.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        """Upper bound; may be changed live."""
        self.target = 1
        """Connections wanted now."""
        self.is_settled = most <= 1
        """Whether there is nothing left to try."""
        self._level_rate_bps = 0.0
        self._level_target = 1
        self._marks: list[tuple[float, int]] = []

    def refuse(self, working: int) -> None:
        """Stop growing: the host refused one more; keep what works."""
        self.target = max(1, working)
        self.is_settled = True

    def step(self, now: float, received_bytes: int, remaining_bytes: int, working: int) -> int:
        """Return the connections wanted now; call it ten to thirty times a second."""
        if self.is_settled or (working < self.target and not self._marks):
            return self.target
        self._marks.append((now, received_bytes))
        rate_bps = self._clear_rate() or self._patient_rate()
        if rate_bps is not None:
            self._decide(rate_bps, remaining_bytes)
        return self.target

    def _clear_rate(self) -> float | None:
        """Return the rate if it has settled and leaves no doubt."""
        now = self._marks[-1][0]
        middle = self._index_at(now - GLANCE_S)
        first = self._index_at(now - 2 * GLANCE_S)
        if first is None or middle is None:
            return None
        earlier, later = self._rate(first, middle), self._rate(middle, -1)
        is_clear = later > 0 and later >= self._gain(CLEAR_SHARE)
        return later if is_clear and later <= STEADY_RATIO * earlier else None

    def _patient_rate(self) -> float | None:
        """Return the rate after all the patience there is."""
        began_at, now = self._marks[0][0], self._marks[-1][0]
        if now - began_at < SETTLE_S + MEASURE_S:
            return None
        return self._rate(self._index_at(now - MEASURE_S) or 0, -1)

    def _index_at(self, instant: float) -> int | None:
        """Return the last mark that is not later."""
        for index in range(len(self._marks) - 1, -1, -1):
            if self._marks[index][0] <= instant + 1e-9:
                return index
        return None

    def _rate(self, first: int, last: int) -> float:
        (from_at, from_bytes), (to_at, to_bytes) = self._marks[first], self._marks[last]
        return (to_bytes - from_bytes) / (to_at - from_at) if to_at > from_at else 0.0

    def _gain(self, share: float) -> float:
        """Return the rate at which the last step's connections bring this share of what those before them do."""
        return self._level_rate_bps * (1 + share * (self.target / self._level_target - 1))

    def _decide(self, rate_bps: float, remaining_bytes: int) -> None:
        self._marks.clear()
        if rate_bps < self._level_rate_bps * WORTH_RATIO:
            # The last step brought nothing: go back to what was as fast.
            self.target = self._level_target
            self.is_settled = True
        elif self.target >= self.most or remaining_bytes < rate_bps * LEAST_REMAINING_S:
            self.is_settled = True
        else:
            is_first = not self._level_rate_bps
            is_full = remaining_bytes > rate_bps * LONG_S if is_first else rate_bps >= self._gain(FULL_SHARE)
            self._level_rate_bps, self._level_target = rate_bps, self.target
            self.target = min(self.target * (4 if is_full else 2), self.most)
