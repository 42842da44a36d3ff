"""Tasks that wait for their due time, for a host, for room on a disk: which of them may go on, and when to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.engine.retrying import LOCAL_WAIT_S
from tui_dl.engine.room import ROOM_REASONS, Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

POLL_S: Final = 0.25
"""How often a host that bears no more connections is looked at again; mostly the end of a task wakes us before."""


class WaitingTasks:
    """All of them, by id."""

    def __init__(self, context: EngineContext, wake: Callable[[], None]) -> None:
        self._context = context
        self._wake = wake
        self.lives: dict[int, LiveTask] = {}
        """In the order in which they began to wait."""
        self._due_at: dict[int, float] = {}
        self._room = Room(context, self._on_room)

    def add(self, live: LiveTask, due_at: float) -> None:
        """Have a task wait until this monotonic instant at least."""
        self.lives[live.task.id] = live
        self._due_at[live.task.id] = due_at
        if live.task.reason in ROOM_REASONS:
            self._room.enter(live.task)

    def remove(self, key: int) -> LiveTask:
        """End a task's waiting."""
        del self._due_at[key]
        self._room.leave(key)
        return self.lives.pop(key)

    def due(self, now: float) -> list[int]:
        """Return those whose time has come, the higher priority first, then those that waited longer."""
        due = [key for key, due_at in self._due_at.items() if due_at <= now]
        due.sort(key=lambda key: -self.lives[key].task.priority)
        return due

    def take(self, due: Iterable[int], now: float) -> LiveTask | None:
        """Remove and return the first of these that its hosts bear and that has room; else None."""
        for key in due:
            live = self.lives.get(key)
            if live is None or not self._bears(live, now):
                continue
            if live.task.reason in ROOM_REASONS and not self._room.is_there(live.task):
                self._due_at[key] = now + LOCAL_WAIT_S
                continue
            return self.remove(key)
        return None

    def is_open_for(self, task: DownloadTask) -> bool:
        """Whether a task may begin in its folder, or others wait for room there already."""
        return not self._room.is_closed(task.dir)

    def next_looks_s(self, now: float) -> Iterator[float]:
        """Yield for each the seconds until it may be able to go on."""
        budgets = self._context.budgets
        for key, due_at in self._due_at.items():
            live = self.lives[key]
            hosts = [live.task.host, live.waits_for] if live.waits_for else [live.task.host]
            wait_s = max(due_at - now, *(budgets[host].wait_s(now) for host in hosts))
            yield wait_s if wait_s > 0 else POLL_S

    async def aclose(self) -> None:
        """End all looks at disks."""
        await self._room.aclose()

    def _bears(self, live: LiveTask, now: float) -> bool:
        """Whether the hosts that a waiting task is known to ask bear it now."""
        budgets = self._context.budgets
        is_borne = budgets[live.task.host].can_admit(now, is_doubted=live.is_doubted and not live.waits_for)
        return is_borne and (not live.waits_for or budgets[live.waits_for].can_start(now))

    def _on_room(self, key: int) -> None:
        if key in self._due_at:
            self._due_at[key] = self._context.clock()
            self._wake()
