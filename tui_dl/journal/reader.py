"""A thread with its own connection, so that no question waits for a sync or blocks the loop; it can be broken off."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.carrying import carried
from tui_dl.journal.fault_map import condition_of, is_damage, journal_error

if TYPE_CHECKING:
    import sqlite3
    from asyncio import AbstractEventLoop
    from collections.abc import Callable
    from pathlib import Path

    from tui_dl.journal.writer import Job

_AGAIN_S: Final = 0.02
"""Until a job that was broken off and goes on is broken off again."""


class Reader:
    """Runs reading jobs one after another; each sees what was committed when it began."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, loop: AbstractEventLoop) -> None:
        self._connection = connection
        self._path = path
        self._loop = loop
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._damaged: Callable[[], None] = lambda: None
        self._ended: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._running: Job | None = None
        self._abandoned: set[int] = set()
        self._thread = threading.Thread(target=self._work, name="tui-dl-journal-reader", daemon=True)

    def start(self, on_damage: Callable[[], None]) -> None:
        """Begin; `on_damage` is called in the thread when the file turns out to be broken."""
        self._damaged = on_damage
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; never blocks."""
        self._queue.put(job)

    def abandon(self, job: Job) -> None:
        """Break a job off, or leave it out if its turn has not come; nobody waits for its answer. Never blocks."""
        with self._lock:
            if self._running is not job:
                self._abandoned.add(id(job))
                return
        self._break_off(job)

    def _break_off(self, job: Job) -> None:
        with self._lock:
            if self._running is not job:
                return
            self._connection.interrupt()
        # A statement that had not begun by then was not met.
        self._loop.call_later(_AGAIN_S, self._break_off, job)

    def end(self, ended: Callable[[], None]) -> None:
        """Finish what was submitted, close the connection, end the thread; `ended` is called on the loop then."""
        self._ended = ended
        self._queue.put(None)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                self._running = job
                is_wanted = id(job) not in self._abandoned
                self._abandoned.discard(id(job))
            answer = self._answer(job) if is_wanted else (None, None)
            with self._lock:  # from here on nothing of this job is there to be broken off
                self._running = None
            self._settle(job, *answer)
        self._connection.close()
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._ended)

    def _answer(self, job: Job) -> tuple[Any, BaseException | None]:
        result, error = carried(job.run, self._connection)
        if error is None:
            return result, None
        if is_damage(error):
            self._damaged()
        return None, error if condition_of(error) is None else journal_error(error, self._path)

    def _settle(self, job: Job, result: Any, error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(job.done, result, error)
