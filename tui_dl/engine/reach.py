"""Which hosts answer: others get a part of the slots while there is work for those that do, silent ones a small one."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

MOST_KNOWN: Final = 8192
"""Hosts that are remembered; of more the older half is forgotten, and counts as never asked."""
NOT_ANSWERING_PART: Final = 2
"""Hosts without an answer get at most one slot of so many while those with one have work."""
SILENT_PART: Final = 4
"""The same for those that were asked in vain."""


class Manner(Enum):
    """What is known of a host."""

    NEW = "new"
    """It was not asked yet."""
    ANSWERING = "answering"
    """It answered when it was asked last, whatever it said."""
    SILENT = "silent"
    """It gave no answer when it was asked last."""


class Reach:
    """How hosts were met last, and the slots that their tasks occupy."""

    def __init__(self) -> None:
        self._manners: dict[str, Manner] = {}
        self._hosts: dict[Manner, set[str]] = {Manner.ANSWERING: set(), Manner.SILENT: set()}
        self._slots_by_host: Counter[str] = Counter()
        self._slots_by_manner: Counter[Manner] = Counter()

    def take(self, host: str) -> None:
        """Note that a task of a host takes a slot."""
        self._count(host, 1)

    def leave(self, host: str) -> None:
        """Note that it gives it back."""
        self._count(host, -1)
        if not self._slots_by_host[host]:
            del self._slots_by_host[host]

    def heard(self, host: str) -> None:
        """Note that a host answered, whatever it said."""
        self._know(host, Manner.ANSWERING)

    def missed(self, host: str) -> None:
        """Note that a host gave no answer."""
        self._know(host, Manner.SILENT)

    def over_share(self, slots: int) -> Collection[str]:
        """Return the hosts that hold so many slots that others go first while they have work.

        It is counted as if one more host had some: only who looks for it finds out.
        """
        share = max(1, slots // (len(self._slots_by_host) + 1))
        return {host for host, held in self._slots_by_host.items() if held >= share}

    def preferences(self, slots: int) -> Iterator[Callable[[str], bool]]:
        """Yield which hosts may have the next of so many slots, the first that finds a task decides; the last is all.

        Only where it makes a difference: while few slots wait for an answer, every host is as good as another.
        """
        held = self._slots_by_manner
        unanswered = held[Manner.NEW] + held[Manner.SILENT]
        if unanswered >= max(1, slots // NOT_ANSWERING_PART):
            yield self._hosts[Manner.ANSWERING].__contains__
        if held[Manner.SILENT] >= max(1, slots // SILENT_PART):
            silent = self._hosts[Manner.SILENT]
            yield lambda host: host not in silent
        yield _any

    def _manner_of(self, host: str) -> Manner:
        return self._manners.get(host, Manner.NEW)

    def _count(self, host: str, change: int) -> None:
        self._slots_by_host[host] += change
        self._slots_by_manner[self._manner_of(host)] += change

    def _know(self, host: str, manner: Manner) -> None:
        known = self._manners.get(host)
        if known is manner:
            return
        if known is not None:
            self._hosts[known].discard(host)
        self._hosts[manner].add(host)
        held = self._slots_by_host.get(host, 0)
        self._slots_by_manner[self._manner_of(host)] -= held
        self._slots_by_manner[manner] += held
        self._manners[host] = manner
        if len(self._manners) > MOST_KNOWN:
            self._forget_older_half()

    def _forget_older_half(self) -> None:
        for host in [host for host in self._manners if host not in self._slots_by_host][: MOST_KNOWN // 2]:
            self._hosts[self._manners.pop(host)].discard(host)


def _any(_host: str) -> bool:
    return True
