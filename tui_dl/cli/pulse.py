"""How fast a batch goes and where it does not: counted from events and looks, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress

WINDOW_S: Final = 15.0
"""Files per second are those of this long."""
LEAST_WINDOW_S: Final = 1.0
"""Of less than this nothing is told: it would only jump."""
MOST_HOSTS: Final = 1_000
"""Hosts that are counted at once; beyond, those with the fewest failures are forgotten."""
SLOW_AFTER_S: Final = 3.0
"""A host is called slow for tasks that it has had for at least this long."""


class Pulse:
    """Files per second and the time left, from one look to the next."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def look(self, ended: int, at: float) -> None:
        """Take in how many tasks ended by now."""
        self._looks.append((at, ended))
        while len(self._looks) > 2 and at - self._looks[1][0] >= WINDOW_S:
            self._looks.popleft()

    @property
    def files_per_s(self) -> float | None:
        """Tasks that end per second lately; None while nothing can be said."""
        if not self._looks:
            return None
        (began_at, before), (at, ended) = self._looks[0], self._looks[-1]
        return (ended - before) / (at - began_at) if at - began_at >= LEAST_WINDOW_S else None

    def eta_s(self, left: int, live: Iterable[DownloadProgress]) -> float | None:
        """Return the seconds until `left` more tasks have ended; None where nothing can be said.

        The last ones in hand say it themselves; before that the files per second do.
        """
        running = list(live)
        if left <= len(running):
            etas = [one.eta_s for one in running]
            return max((one for one in etas if one is not None), default=None) if None not in etas else None
        rate = self.files_per_s
        return left / rate if rate else None


class HostCounts:
    """How often something happened at each host; exact for few hosts, the largest ones kept of many."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, host: str) -> None:
        """Count one."""
        self._counts[host] += 1
        if len(self._counts) > 2 * MOST_HOSTS:
            self._counts = Counter(dict(self._counts.most_common(MOST_HOSTS)))

    def most_common(self, number: int) -> list[tuple[str, int]]:
        """Return the hosts with the most, largest first."""
        return self._counts.most_common(number)

    def __len__(self) -> int:
        return len(self._counts)


@dataclass(slots=True)
class SlowHost:
    """A host whose tasks get on slowly."""

    host: str
    """Host and port; show it sanitised."""
    tasks: int = 0
    """Its tasks in hand."""
    speed_bps: float = 0.0
    """What they get together."""
    due_at: float | None = None
    """Unix time until which all of them wait; None while one of them runs."""

    @property
    def each_bps(self) -> float:
        """What one task gets."""
        return self.speed_bps / self.tasks if self.tasks else 0.0


def slowest_hosts(snapshot: EngineSnapshot, at: float, number: int) -> list[SlowHost]:
    """Return the hosts whose tasks in hand get less than the mean, slowest first, those that wait before all.

    Tasks that were just begun say nothing yet; where one host alone is asked there is none to compare it with.
    """
    hosts: dict[str, SlowHost] = {}
    for progress in snapshot.live.values():
        task = progress.task
        host = hosts.setdefault(task.host, SlowHost(task.host))
        if task.due_at is None and at - (task.started_at or at) < SLOW_AFTER_S:
            continue
        # One that runs is enough: then the host does not wait.
        is_waiting = task.due_at is not None and (host.due_at is not None or not host.tasks)
        host.due_at = max(task.due_at or 0.0, host.due_at or 0.0) if is_waiting else None
        host.tasks += 1
        host.speed_bps += progress.speed_bps
    if len(hosts) < 2:
        return []
    mean_bps = snapshot.speed_bps / len(snapshot.live)
    slow = [one for one in hosts.values() if one.tasks and (one.due_at is not None or one.each_bps < mean_bps)]
    return sorted(slow, key=lambda one: (one.due_at is None, one.each_bps, one.host))[:number]
