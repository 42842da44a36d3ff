"""Pending rows fetched ahead, in queue order; those of hosts that bear no more stand aside, each host for itself."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui_dl.core.task import DownloadTask


class ReadyQueue:
    """Taking one looks at a host once, however many of its rows wait: the others are not delayed by their number."""

    def __init__(self) -> None:
        self._line: deque[DownloadTask] = deque()
        self._aside: dict[str, deque[DownloadTask]] = {}

    def __bool__(self) -> bool:
        return bool(self._line or self._aside)

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts of all rows here."""
        return frozenset((*self._aside, *(task.host for task in self._line)))

    @property
    def hosts_aside(self) -> Iterable[str]:
        """Hosts whose rows stand aside."""
        return self._aside.keys()

    @property
    def highest_priority(self) -> int | None:
        """Priority of the first row, None where there is none."""
        firsts = [tasks[0] for tasks in (self._line, *self._aside.values()) if tasks]
        return max((task.priority for task in firsts), default=None)

    def clear(self) -> None:
        """Drop all: the journal knows them."""
        self._line.clear()
        self._aside.clear()

    def extend(self, tasks: Iterable[DownloadTask]) -> None:
        """Add rows in queue order behind those that are here."""
        self._line.extend(tasks)

    def take(self, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]) -> DownloadTask | None:
        """Remove and return the first row whose host bears one more task and that may start itself; else None."""
        task = self._take_aside(can_host, can_task)
        return task if task is not None else self._take_from_line(can_host, can_task)

    def _take_aside(
        self, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]
    ) -> DownloadTask | None:
        able = (next(filter(can_task, tasks), None) for host, tasks in self._aside.items() if can_host(host))
        first = min((task for task in able if task is not None), key=_order, default=None)
        if first is not None:
            tasks = self._aside[first.host]
            tasks.remove(first)
            if not tasks:
                del self._aside[first.host]
        return first

    def _take_from_line(
        self, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]
    ) -> DownloadTask | None:
        kept: list[DownloadTask] = []
        found = None
        while self._line and found is None:
            task = self._line.popleft()
            if task.host in self._aside or not can_host(task.host):
                self._aside.setdefault(task.host, deque()).append(task)
            elif can_task(task):
                found = task
            else:
                kept.append(task)
        self._line.extendleft(reversed(kept))
        return found


def _order(task: DownloadTask) -> tuple[int, int, int]:
    return (-task.priority, task.position, task.id)
