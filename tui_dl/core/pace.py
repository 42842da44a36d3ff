"""How fast each connection of a task went lately, and which of them lags so far behind that another does better."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW_S: Final = 5.0
"""A connection is judged by what it brought in this time, and not before."""
LAG_RATIO: Final = 0.3
"""One that brings less than this part of the mean of all lags behind."""
WORTH_RATIO: Final = 2.0
"""A replacement that is not this many times as fast as what it replaced was in vain."""
MOST_FUTILE: Final = 3
"""After so many replacements in vain in a row the host is left to give what it gives."""
SPACING_S: Final = 1.0
"""Between two replacements of a task: each costs the host a request."""


class Pace:
    """Bytes of one connection over the last seconds; instants are monotonic seconds."""

    __slots__ = ("_marks",)

    def __init__(self, now: float, received_bytes: int) -> None:
        self._marks = deque([(now, received_bytes)])

    def mark(self, now: float, received_bytes: int) -> None:
        """Note how much it has brought by now, over its life."""
        self._marks.append((now, received_bytes))
        while len(self._marks) > 1 and now - self._marks[1][0] >= WINDOW_S:
            self._marks.popleft()

    def restart(self, now: float, received_bytes: int) -> None:
        """Judge it from here on: it waited for something else than its server."""
        self._marks.clear()
        self._marks.append((now, received_bytes))

    @property
    def rate_bps(self) -> float | None:
        """Bytes per second over the window; None before it was watched for so long."""
        (first_at, first_bytes), (last_at, last_bytes) = self._marks[0], self._marks[-1]
        elapsed_s = last_at - first_at
        return (last_bytes - first_bytes) / elapsed_s if elapsed_s >= WINDOW_S else None


class Replacing:
    """Decides which connection of a task to replace, and stops once that brings nothing."""

    def __init__(self) -> None:
        self.mean_bps: float | None = None
        """Mean of a connection while several worked; what the last one left is measured by."""
        self._futile = 0
        self._last_at = float("-inf")

    def observe(self, rates_bps: Iterable[float | None]) -> None:
        """Take over the rates of all connections at work; None for one that is too young."""
        known = [rate for rate in rates_bps if rate is not None]
        if len(known) > 1:
            self.mean_bps = sum(known) / len(known)

    def is_laggard(self, rate_bps: float | None, now: float) -> bool:
        """Whether one with this rate is to be replaced now."""
        if rate_bps is None or self.mean_bps is None or self._futile >= MOST_FUTILE:
            return False
        return rate_bps < LAG_RATIO * self.mean_bps and now - self._last_at >= SPACING_S

    def replaced(self, now: float) -> None:
        """Note a replacement; it counts as futile until `judged()` says otherwise."""
        self._last_at = now
        self._futile += 1

    def judged(self, old_bps: float, new_bps: float) -> None:
        """Compare what a replacement brings with what it replaced."""
        is_worth_it = new_bps > WORTH_RATIO * old_bps and (
            self.mean_bps is None or new_bps >= LAG_RATIO * self.mean_bps
        )
        if is_worth_it:
            self._futile = 0
