"""How long to wait before another attempt: exponential with full jitter, capped, `Retry-After` first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_DOUBLINGS: Final = 62
"""Beyond this every cap is reached; keeps the power finite."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The delays between attempts that make no progress."""

    base_s: float = 1.0
    """Longest delay after the first attempt, in seconds (`--retry-delay`)."""
    cap_s: float = 60.0
    """Longest delay of all that we choose ourselves, in seconds; a server may ask for more."""

    def delay_s(self, attempt: int, *, random: float, retry_after_s: float | None = None) -> float:
        """Return the seconds to wait after attempt 1, 2, ... without progress, with `random` from 0 up to 1.

        Full jitter spreads many tasks over the whole delay. What the server asked for is never shortened.
        """
        doublings = min(max(attempt - 1, 0), _MOST_DOUBLINGS)
        chosen_s = random * min(self.cap_s, self.base_s * 2.0**doublings)
        return chosen_s if retry_after_s is None else max(chosen_s, retry_after_s)


def count_attempt(attempts: int, *, has_progressed: bool) -> int:
    """Return the attempts without progress after one more has ended: bytes that arrived reset the count to nothing."""
    return 0 if has_progressed else attempts + 1
