"""Which hosts answer: the others get half of the slots at most while there is work for those that do."""

from __future__ import annotations

from collections import Counter
from typing import Final

MOST_KNOWN: Final = 8192
"""Answering hosts that are remembered; of more the older half is forgotten, and counts as never met."""


class Reach:
    """Hosts that answered when they were asked last, and the slots that tasks of all others occupy."""

    def __init__(self) -> None:
        self._answering: dict[str, None] = {}
        self._held: Counter[str] = Counter()
        self._held_by_silent = 0

    def is_answering(self, host: str) -> bool:
        """Whether a host answered when it was asked last; one that was never asked did not."""
        return host in self._answering

    def is_crowded(self, slots: int) -> bool:
        """Whether hosts that do not answer occupy half of these slots already."""
        return self._held_by_silent >= max(1, slots // 2)

    def take(self, host: str) -> None:
        """Note that a task of a host takes a slot."""
        self._held[host] += 1
        self._held_by_silent += host not in self._answering

    def leave(self, host: str) -> None:
        """Note that it gives it back."""
        self._held_by_silent -= host not in self._answering
        self._held[host] -= 1
        if not self._held[host]:
            del self._held[host]

    def heard(self, host: str) -> None:
        """Note that a host answered, whatever it said."""
        if host in self._answering:
            return
        self._answering[host] = None
        self._held_by_silent -= self._held.get(host, 0)
        if len(self._answering) > MOST_KNOWN:
            for other in list(self._answering)[: MOST_KNOWN // 2]:
                self.lost(other)

    def lost(self, host: str) -> None:
        """Note that a host did not answer."""
        if host in self._answering:
            del self._answering[host]
            self._held_by_silent += self._held.get(host, 0)
