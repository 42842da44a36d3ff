"""Pending rows fetched ahead, in queue order; those of hosts that bear no more stand aside, each host for itself."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, KeysView

    from tui_dl.core.task import DownloadTask


class ReadyQueue:
    """Taking one looks at a host once, however many of its rows wait: the others are not delayed by their number."""

    def __init__(self) -> None:
        self._line: deque[DownloadTask] = deque()
        self._aside: dict[str, deque[DownloadTask]] = {}
        self._count = 0
        self._heads: list[tuple[tuple[int, int, int], str]] = []
        """Order of the first row of each host that stands aside, sorted."""

    def __len__(self) -> int:
        return self._count

    @property
    def ids(self) -> list[int]:
        """Ids of all rows here."""
        return [task.id for tasks in (self._line, *self._aside.values()) for task in tasks]

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts of all rows here."""
        return frozenset((*self._aside, *(task.host for task in self._line)))

    @property
    def hosts_sorted(self) -> KeysView[str] | None:
        """Hosts of all rows here, where all of them stand aside; None where some were not looked at."""
        return None if self._line else self._aside.keys()

    @property
    def hosts_aside(self) -> Iterable[str]:
        """Hosts whose rows stand aside."""
        return self._aside.keys()

    @property
    def highest_priority(self) -> int | None:
        """Priority of the first row, None where there is none."""
        firsts = [_order(self._line[0])] if self._line else []
        if self._heads:
            firsts.append(self._heads[0][0])
        return -min(firsts)[0] if firsts else None

    def clear(self) -> None:
        """Drop all: the journal knows them."""
        self._line.clear()
        self._aside.clear()
        self._heads.clear()
        self._count = 0

    def extend(self, tasks: Iterable[DownloadTask]) -> None:
        """Add rows in queue order behind those that are here."""
        before = len(self._line)
        self._line.extend(tasks)
        self._count += len(self._line) - before

    def take(self, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]) -> DownloadTask | None:
        """Remove and return the first row whose host bears one more task and that may start itself; else None."""
        task = self._take_aside(can_host, can_task) or self._take_from_line(can_host, can_task)
        self._count -= task is not None
        return task

    def _take_aside(
        self, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]
    ) -> DownloadTask | None:
        """Look at the hosts in the order of their first rows: most often the first one that is able has the task."""
        best: DownloadTask | None = None
        for order, host in self._heads:
            if best is not None and order > _order(best):
                break
            if not can_host(host):
                continue
            task = next(filter(can_task, self._aside[host]), None)
            if task is not None and (best is None or _order(task) < _order(best)):
                best = task
        if best is not None:
            self._take_out(best)
        return best

    def _take_out(self, task: DownloadTask) -> None:
        tasks = self._aside[task.host]
        head = (_order(tasks[0]), task.host)
        if tasks[0] is task:
            tasks.popleft()
        else:
            tasks.remove(task)
            return
        if tasks and len(self._heads) == 1:
            self._heads[0] = (_order(tasks[0]), task.host)
            return
        del self._heads[bisect_left(self._heads, head)]
        if tasks:
            insort(self._heads, (_order(tasks[0]), task.host))
        else:
            del self._aside[task.host]

    def _put_aside(self, task: DownloadTask) -> None:
        tasks = self._aside.get(task.host)
        if tasks is None:
            self._aside[task.host] = deque((task,))
            insort(self._heads, (_order(task), task.host))
        else:
            tasks.append(task)

    def _take_from_line(
        self, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]
    ) -> DownloadTask | None:
        kept: list[DownloadTask] = []
        found = None
        while self._line and found is None:
            task = self._line.popleft()
            if task.host in self._aside or not can_host(task.host):
                self._put_aside(task)
            elif can_task(task):
                found = task
            else:
                kept.append(task)
        self._line.extendleft(reversed(kept))
        return found


def _order(task: DownloadTask) -> tuple[int, int, int]:
    return (-task.priority, task.position, task.id)
