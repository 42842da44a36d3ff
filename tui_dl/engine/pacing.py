"""The engine's requests under `--rate`: each task's first one has its turn when it starts, all others wait in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.engine.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tui_dl.core.host_budget import HostBudget


class Pacing:
    """One per engine; without a rate it costs nothing."""

    def __init__(self, rate: str, clock: Callable[[], float]) -> None:
        """Raise `UsageError` for a text that is no rate."""
        self._limiter = RateLimiter(rate, clock=clock) if rate else None
        self._held: set[int] = set()

    @property
    def is_limited(self) -> bool:
        """Whether requests wait for a turn at all."""
        return self._limiter is not None

    def wait_s(self) -> float:
        """Return the seconds until one more task may start."""
        return 0.0 if self._limiter is None else self._limiter.wait_s()

    def started(self, task_id: int) -> None:
        """Take the turn of a task's first request."""
        if self._limiter is not None:
            self._limiter.take()
            self._held.add(task_id)

    def ended(self, task_id: int) -> None:
        """Give it back where the task ended without a request."""
        if self._limiter is not None and task_id in self._held:
            self._held.discard(task_id)
            self._limiter.give_back()

    async def enter(self, task_id: int, entering: Coroutine[None, None, HostBudget]) -> HostBudget:
        """Wait for a request's turn among all, then for its host; where that lets none in, the turn is given back."""
        if self._limiter is None:
            return await entering
        try:
            if task_id in self._held:
                self._held.discard(task_id)
            else:
                await self._limiter.acquire()
        except BaseException:
            entering.close()
            raise
        try:
            return await entering
        except BaseException:
            self._limiter.give_back()
            raise
