"""Tasks that wait for their due time, for a host, for room on a disk: which of them may go on, and when to look."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.engine.retrying import LOCAL_WAIT_S
from tui_dl.engine.room import ROOM_REASONS, Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

POLL_S: Final = 0.25
"""How often a host that bears no more connections is looked at again; mostly the end of a task wakes us before."""
LEAST_STALE: Final = 64
"""So many due times that hold no more are let lie."""


class _Group(NamedTuple):
    """Tasks that the same hosts must bear; all of it stays as it is while a task waits."""

    host: str
    """Of their addresses."""
    waits_for: str
    """Where these led and where there was no place; empty for nowhere."""
    is_doubted: bool
    """Whether they were forbidden while others of the host worked."""


class WaitingTasks:
    """All of them, by id; a look costs what there are of hosts, however many tasks wait."""

    def __init__(self, context: EngineContext, wake: Callable[[], None]) -> None:
        self._context = context
        self._wake = wake
        self.lives: dict[int, LiveTask] = {}
        """In the order in which they began to wait."""
        self._due_at: dict[int, float] = {}
        self._due: list[tuple[float, int]] = []
        self._ripe: dict[_Group, dict[int, dict[int, None]]] = {}
        self._places: dict[int, tuple[_Group, int]] = {}
        self._room = Room(context, self._on_room)

    def add(self, live: LiveTask, due_at: float) -> None:
        """Have a task wait until this monotonic instant at least."""
        self.lives[live.task.id] = live
        self._schedule(live.task.id, due_at)
        if live.task.reason in ROOM_REASONS:
            self._room.enter(live.task)

    def remove(self, key: int) -> LiveTask:
        """End a task's waiting."""
        del self._due_at[key]
        self._unripe(key)
        self._room.leave(key)
        return self.lives.pop(key)

    def postpone(self, key: int, due_at: float) -> None:
        """Have a task that waits do so until this monotonic instant, if that is later."""
        self._schedule(key, max(due_at, self._due_at[key]))

    def sort_in(self, key: int) -> None:
        """Take a task's priority, that was changed, into account."""
        if key in self._places:
            self._unripe(key)
            self._ripen(key)

    def highest_priority(self, now: float, can_host: Callable[[str], bool]) -> int | None:
        """Return that of the tasks whose time has come and whose hosts bear them; None where there is none."""
        self._ripen_due(now)
        highest: int | None = None
        for group, lines in self._ripe.items():
            priority = max(lines)
            is_higher = highest is None or priority > highest
            if is_higher and can_host(group.host) and self._bears(group, now):
                highest = priority
        return highest

    def take(
        self, now: float, can_host: Callable[[str], bool], can_task: Callable[[DownloadTask], bool]
    ) -> LiveTask | None:
        """Remove and return the first whose time has come, that its hosts bear and that has room; else None.

        The higher priority goes first, then what was due earlier.
        """
        self._ripen_due(now)
        lines = [
            (-priority, self._due_at[next(iter(keys))], group)
            for group, by_priority in self._ripe.items()
            if can_host(group.host)
            for priority, keys in by_priority.items()
        ]
        for negative, _, group in sorted(lines):
            if not self._bears(group, now):
                continue
            for key in tuple(self._ripe[group][-negative]):
                live = self.lives[key]
                if not can_task(live.task):
                    continue
                if live.task.reason not in ROOM_REASONS or self._room.is_there(live.task):
                    return self.remove(key)
                self._schedule(key, now + LOCAL_WAIT_S)
        return None

    def is_open_for(self, task: DownloadTask) -> bool:
        """Whether a task may begin in its folder, or others wait for room there already."""
        return not self._room.is_closed(task.dir)

    def next_looks_s(self, now: float) -> Iterator[float]:
        """Yield the seconds until the next due time, and until those whose time has come may be able to go on."""
        while self._due and self._due_at.get(self._due[0][1]) != self._due[0][0]:
            heappop(self._due)
        if self._due:
            yield self._due[0][0] - now
        budgets = self._context.budgets
        for group in self._ripe:
            wait_s = budgets[group.host].start_wait_s(now)
            wait_s = max(wait_s, budgets.parking.wait_s(group.host, now))
            if group.waits_for:
                wait_s = max(wait_s, budgets[group.waits_for].wait_s(now))
            yield wait_s or POLL_S

    async def aclose(self) -> None:
        """End all looks at disks."""
        await self._room.aclose()

    # -- within --------------------------------------------------------------------------------------------------------

    def _schedule(self, key: int, due_at: float) -> None:
        self._unripe(key)
        self._due_at[key] = due_at
        heappush(self._due, (due_at, key))
        if len(self._due) > 2 * len(self._due_at) + LEAST_STALE:
            self._due = [(due_at, key) for key, due_at in self._due_at.items() if key not in self._places]
            heapify(self._due)

    def _ripen_due(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            due_at, key = heappop(self._due)
            if self._due_at.get(key) == due_at and key not in self._places:
                self._ripen(key)

    def _ripen(self, key: int) -> None:
        live = self.lives[key]
        group = _Group(live.task.host, live.waits_for, live.is_doubted)
        self._ripe.setdefault(group, {}).setdefault(live.task.priority, {})[key] = None
        self._places[key] = (group, live.task.priority)

    def _unripe(self, key: int) -> None:
        place = self._places.pop(key, None)
        if place is None:
            return
        group, priority = place
        lines = self._ripe[group]
        del lines[priority][key]
        if not lines[priority]:
            del lines[priority]
        if not lines:
            del self._ripe[group]

    def _bears(self, group: _Group, now: float) -> bool:
        """Whether the hosts that waiting tasks are known to ask bear one of them now."""
        budgets = self._context.budgets
        is_doubted = group.is_doubted and not group.waits_for
        is_borne = budgets[group.host].can_admit(now, is_doubted=is_doubted)
        return is_borne and (not group.waits_for or budgets[group.waits_for].can_start(now))

    def _on_room(self, key: int) -> None:
        if key in self._due_at:
            self._schedule(key, self._context.clock())
            self._wake()
