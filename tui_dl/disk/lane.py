"""One thread that does disk jobs in order and hands their results back in batches."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, TypeVarTuple

from tui_dl.core.carrying import carried

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

MOST_BATCH_S: Final = 0.005
"""Longest that a finished job waits for its batch while the thread goes on to the next ones."""


class _Job(NamedTuple):
    """What to do in the thread, and whom to tell on the loop."""

    work: Callable[[], Any]
    done: Callable[[Any, BaseException | None], None]


class _Finished(NamedTuple):
    """A job that was done, on its way back to the loop."""

    done: Callable[[Any, BaseException | None], None]
    result: Any
    error: BaseException | None


class Lane:
    """A daemon thread with a queue, started by its first job; it belongs to the loop of that job.

    Jobs run one after another in the order of `submit()`. The queue has no bound of its own: whoever submits awaits
    the end of the job, so it holds about one job of each caller. The thread is a daemon because one that hangs in
    the kernel (a dead mount) must not keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[list[_Job] | None] = SimpleQueue()
        self._fresh: list[_Job] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._undoable: dict[asyncio.Future[Any], Callable[[], object]] = {}
        self.pending = 0
        """Jobs whose end the loop has not heard of."""

    def submit(self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        """Do `work()` in the thread, then call `done(result, error)` on the loop."""
        if self._is_closed:
            raise RuntimeError(f"{self._name} is closed")
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._run, args=(self._loop,), name=self._name, daemon=True).start()
        self._put(work, done)

    async def run(
        self,
        work: Callable[[*Arguments], Result],
        *arguments: *Arguments,
        undo: Callable[[Result], object] | None = None,
    ) -> Result:
        """Return what `work(*arguments)` returns or raise what it raises.

        A cancelled caller returns at once while the job still runs in its turn; what it then returned is given to
        `undo`, in the thread, so that an opened descriptor does not leak. That is done before any job that was
        submitted after the cancellation: who opens the same file next finds it in nobody's hands.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        job = partial(work, *arguments)
        if undo is not None:
            job = partial(self._undoably, job, future, undo)
        self.submit(job, partial(self._settle, future))
        return await future

    async def aclose(self, patience_s: float) -> bool:
        """End the thread after the jobs that wait; False where it did not end within `patience_s` seconds."""
        if self._is_closed or self._loop is None:
            self._is_closed = True
            return True
        ended: asyncio.Future[None] = self._loop.create_future()
        self.submit(_nothing, partial(self._settle, ended))
        self._is_closed = True
        done, _ = await asyncio.wait([ended], timeout=patience_s)
        # Only now: what the last jobs had to undo was queued when their results arrived.
        self._send()
        self._jobs.put(None)
        return bool(done)

    def _put(self, work: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        self.pending += 1
        self._fresh.append(_Job(work, done))
        if len(self._fresh) == 1:
            # All jobs of one turn of the loop go at once: waking the thread for each costs more than most of them do.
            assert self._loop is not None
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        fresh, self._fresh = self._fresh, []
        if fresh:
            self._jobs.put(fresh)

    def _undoably(
        self, work: Callable[[], Result], future: asyncio.Future[Result], undo: Callable[[Result], object]
    ) -> Result:
        result = work()
        self._undoable[future] = partial(undo, result)
        return result

    def _undo_abandoned(self) -> None:
        """Undo, in the thread, what nobody waits for any more."""
        for future in tuple(self._undoable):
            if future.cancelled() and (undo := self._undoable.pop(future, None)) is not None:
                _finish(_Job(undo, _ignore))

    def _settle(self, future: asyncio.Future[Result], result: Result, error: BaseException | None) -> None:
        if not future.done():
            self._undoable.pop(future, None)
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        elif future in self._undoable:
            # The thread does it before its next job, and this is one.
            self._put(_nothing, _ignore)

    def _deliver(self, finished: list[_Finished]) -> None:
        self.pending -= len(finished)
        for done, result, error in finished:
            done(result, error)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._jobs.get()
        while jobs is not None:
            finished: list[_Finished] = []
            due = time.monotonic() + MOST_BATCH_S
            for job in jobs:
                if self._undoable:
                    self._undo_abandoned()
                finished.append(_finish(job))
                if time.monotonic() >= due:
                    self._hand_back(loop, finished)
                    finished, due = [], time.monotonic() + MOST_BATCH_S
            self._hand_back(loop, finished)
            jobs = self._jobs.get()

    def _hand_back(self, loop: asyncio.AbstractEventLoop, finished: list[_Finished]) -> None:
        if finished:
            # The loop may have ended while a job hung in the kernel: then nobody waits for this batch.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._deliver, finished)


def _finish(job: _Job) -> _Finished:
    return _Finished(job.done, *carried(job.work))


def _ignore(_result: object, _error: BaseException | None) -> None:
    """Nobody waits for what was undone."""


def _nothing() -> None:
    """Do nothing, in turn: whoever waits for it knows that all earlier jobs are done."""
