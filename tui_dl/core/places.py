"""Places in the queue as they are asked for: from its beginning, from where a row stands, or from its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Base(StrEnum):
    """From where a place is counted."""

    SET = "set"
    """From the first row that waits for its turn."""
    CURRENT = "cur"
    """From where the row stands."""
    END = "end"
    """From the last row."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is asked for."""

    offset: int
    """Rows from there, towards the end; negative towards the beginning."""
    base: Base = Base.SET
    """From where it is counted."""

    def index(self, current: int, others: int) -> int:
        """Return the place from 0 among so many others; what leads beyond an end is that end.

        `current` is how many of them stand before the row now.
        """
        start = {Base.SET: 0, Base.CURRENT: current, Base.END: others}[self.base]
        return max(0, min(start + self.offset, others))
