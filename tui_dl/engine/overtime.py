"""The longest time that a task may run, in all its attempts together; what it waits in between does not count."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.engine.outcome import End, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tui_dl.engine.live import LiveTask


class Stoppable(Protocol):
    """An attempt that can be ended with everything durable."""

    async def run(self) -> Outcome:
        """Make the attempt."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


def time_is_up(max_time_s: float) -> NetworkError:
    """Return the error of a task that ran too long; another attempt would begin with no time left."""
    return NetworkError(Reason.MAX_TIME, f"not done after {max_time_s:g} s of work")


async def run_in_time(attempt: Stoppable, live: LiveTask, max_time_s: float, clock: Callable[[], float]) -> Outcome:
    """Make an attempt within what is left of the task's time (0: without end); a stop by a person goes before."""
    if not max_time_s:
        return await attempt.run()
    was_ended = False

    def end() -> None:
        nonlocal was_ended
        was_ended = True
        attempt.stop()

    started_at = clock()
    timer = asyncio.get_running_loop().call_later(max(0.0, max_time_s - live.active_s), end)
    try:
        outcome = await attempt.run()
    finally:
        timer.cancel()
        live.active_s += clock() - started_at
    if was_ended and outcome.end is End.STOPPED:
        return Outcome(End.FAILED, time_is_up(max_time_s))
    return outcome


class StreamTime:
    """The time of a stream, whose reader may be slow: only what is spent within `counted()` counts."""

    def __init__(self, max_time_s: float, clock: Callable[[], float]) -> None:
        self._max_time_s = max_time_s
        self._clock = clock
        self._active_s = 0.0

    @asynccontextmanager
    async def counted(self) -> AsyncGenerator[None, None]:
        """Count this; raises `NetworkError` where the time is up."""
        started_at = self._clock()
        try:
            async with asyncio.timeout(self._max_time_s - self._active_s if self._max_time_s else None) as limit:
                yield
        except TimeoutError:
            if limit.expired():
                raise time_is_up(self._max_time_s) from None
            raise
        finally:
            self._active_s += self._clock() - started_at
