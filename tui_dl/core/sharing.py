"""How tasks of different priority share what is scarce: bandwidth by weight, connections by fair parts.

What one task does not want the others get, and a task that runs is never left with nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

NORMAL_WEIGHT: Final = 2


class Priority(StrEnum):
    """Priorities in words; tasks hold them as 1, 0 and -1."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


NUMBERS: Final[Mapping[Priority, int]] = {Priority.HIGH: 1, Priority.NORMAL: 0, Priority.LOW: -1}
LOWEST: Final = min(NUMBERS.values())
HIGHEST: Final = max(NUMBERS.values())


def priority_number(word: str) -> int:
    """Return 1, 0 or -1 for `high`, `normal` or `low`. Raises `UsageError`."""
    try:
        return NUMBERS[Priority(word.strip().lower())]
    except ValueError:
        raise UsageError(f"priority {word!r} is none of {', '.join(Priority)}") from None


def priority_word(number: int) -> str:
    """Return `high`, `normal` or `low`."""
    if number == 0:
        return Priority.NORMAL.value
    return Priority.HIGH.value if number > 0 else Priority.LOW.value


@dataclass(frozen=True, slots=True)
class PriorityChange:
    """A new priority, or a step from the old one."""

    number: int
    """1, 0 or -1; or by how much it grows."""
    is_relative: bool = False
    """Whether it is a step."""

    def of(self, priority: int) -> int:
        """Return what becomes of a priority."""
        return max(LOWEST, min(priority + self.number, HIGHEST)) if self.is_relative else self.number


def weight_of(priority: int) -> int:
    """Return a task's part of what is scarce beside others': 4, 2 or 1 for high, normal and low."""
    if priority == 0:
        return NORMAL_WEIGHT
    return 2 * NORMAL_WEIGHT if priority > 0 else NORMAL_WEIGHT // 2


@dataclass(frozen=True, slots=True)
class Claim:
    """One running task at a host."""

    weight: int
    """Its part beside others'."""
    wanted: int
    """Connections that it would use now, at least 1."""


def connection_shares(allowed: int, claims: Mapping[int, Claim]) -> dict[int, int]:
    """Return how many connections each task may have where together they may have `allowed`; at least 1 each.

    One is dealt at a time, to whoever has the least for its weight and wants more; the heavier first, then the older.
    """
    shares = dict.fromkeys(claims, 1)
    left = allowed - len(claims)
    open_keys = [key for key, claim in claims.items() if claim.wanted > 1]
    while left > 0 and open_keys:
        key = min(open_keys, key=lambda one: (shares[one] / claims[one].weight, -claims[one].weight, one))
        shares[key] += 1
        left -= 1
        if shares[key] >= claims[key].wanted:
            open_keys.remove(key)
    return shares
