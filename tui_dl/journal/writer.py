"""The one thread that writes: jobs in order, grouped into transactions, retried where the disk recovers."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.carrying import carried
from tui_dl.core.errors import FileSystemError
from tui_dl.core.status import FINISHED, Status
from tui_dl.journal.fault_map import condition_of, is_damage, journal_error

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tui_dl.journal.records import Records

logger = logging.getLogger(__name__)

_MOST_JOBS: Final = 256
"""Jobs in one transaction; more wait for the next."""
_RETRY_S: Final = 1.0
"""Pause before grouped records are tried again after the disk refused them."""


class Need(Enum):
    """What a job needs of its transaction."""

    READ = "read"
    """Sees all that was submitted before; writes nothing."""
    WRITE = "write"
    """A commit that survives a crash of the process."""
    DURABLE = "durable"
    """A commit that survives a power cut: it and all before it are synced."""


@dataclass(slots=True)
class Job:
    """One piece of work on the connection. It may run twice, the first time rolled back."""

    run: Callable[[sqlite3.Connection], Any]
    need: Need
    done: Callable[[Any, BaseException | None], None]
    """Called on the loop with the result or the error."""
    records: Records | None = None
    """Set for grouped records, which are kept and tried again instead of failing."""


@dataclass(frozen=True, slots=True)
class State:
    """What every part of the program may know without asking the database."""

    counts: dict[Status, int] = field(default_factory=dict)
    """Rows of the default view by status."""
    generation: int = 0
    """Grows with every row added, removed, moved or changed in status, by any process."""
    trouble: FileSystemError | None = None
    """Why grouped records could not be written, None while all is well."""


def read_state(connection: sqlite3.Connection, trouble: FileSystemError | None = None) -> State:
    """Return counts and generation as the database maintains them."""
    counts = dict.fromkeys(Status, 0)
    generation = 0
    for is_get, word, tasks, changes in connection.execute("SELECT is_get, status, tasks, changes FROM counts"):
        generation += changes
        status = Status(word)
        # Finished rows of a `get` are history, not part of the screen's default view.
        if not (is_get and status in FINISHED):
            counts[status] += tasks
    return State(counts, generation, trouble)


class Writer:
    """Runs jobs on its connection in the order of their submission."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path | None,
        loop: AbstractEventLoop,
        publish: Callable[[State], None],
    ) -> None:
        self._connection = connection
        self._path = path
        self._loop = loop
        self._publish = publish
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._kept: Job | None = None
        self._is_full: bool | None = None
        self._has_unsynced = False
        self._changes = -1
        self._state = State()
        self._damaged: Callable[[], None] = lambda: None
        self._ended: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._work, name="tui-dl-journal", daemon=True)

    def start(self, on_damage: Callable[[], None]) -> None:
        """Begin; `on_damage` is called in the thread when the file turns out to be broken."""
        self._damaged = on_damage
        self._thread.start()

    def submit(self, jobs: list[Job]) -> None:
        """Queue jobs; never blocks."""
        self._queue.put(jobs)

    def end(self, ended: Callable[[], None]) -> None:
        """Finish what was submitted, close the connection, end the thread; `ended` is called on the loop then."""
        self._ended = ended
        self._queue.put(None)

    def _work(self) -> None:
        is_ending = False
        while not is_ending:
            jobs, is_ending = self._take()
            if self._kept is not None:
                jobs.insert(0, self._kept)
                self._kept = None
            if jobs:
                self._process(jobs)
        self._connection.close()
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._ended)

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for jobs; return them and whether these are the last."""
        jobs: list[Job] = []
        try:
            group = self._queue.get(timeout=_RETRY_S if self._kept is not None else None)
            while group is not None:
                jobs.extend(group)
                if len(jobs) >= _MOST_JOBS:
                    return jobs, False
                group = self._queue.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _process(self, jobs: list[Job]) -> None:
        results, error = carried(self._transact, jobs)
        if error is not None:
            self._roll_back()
            self._fail(jobs, error)
            return
        has_recovered = self._state.trouble is not None and any(job.need is not Need.READ for job in jobs)
        if self._connection.total_changes != self._changes or has_recovered:
            self._changes = self._connection.total_changes
            self._state = read_state(self._connection, None if has_recovered else self._state.trouble)
        self._settle([(job, result, None) for job, result in zip(jobs, results or (), strict=True)])

    def _transact(self, jobs: list[Job]) -> list[Any]:
        is_durable = any(job.need is Need.DURABLE for job in jobs)
        is_writing = is_durable or any(job.need is Need.WRITE for job in jobs)
        # With WAL, FULL syncs the log at each commit and NORMAL never does; the switch costs 1.4 us and is
        # legal between transactions only.
        if is_writing and self._is_full is not is_durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
            self._is_full = is_durable
        self._connection.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        results = [job.run(self._connection) for job in jobs]
        if is_durable and self._has_unsynced:
            # A commit that changes no page syncs nothing, not even what was committed before it.
            self._connection.execute("UPDATE marks SET value = value + 1 WHERE name = 'flushes'")
        self._connection.execute("COMMIT")
        if is_writing:
            self._has_unsynced = not is_durable
        return results

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _fail(self, jobs: list[Job], error: Exception) -> None:
        condition = condition_of(error)
        if condition is None and len(jobs) > 1:
            # One of them is at fault; the others must not suffer.
            for job in jobs:
                self._process([job])
            return
        raised: Exception = error
        if condition is not None or isinstance(error, sqlite3.Error):
            raised = journal_error(error, self._path)
        if is_damage(error):
            self._damaged()
        failed = []
        for job in jobs:
            if job.need is Need.READ and len(jobs) > 1:
                # Questions are answered without room on the disk, from what is committed.
                self._process([job])
            elif job.records is not None and condition is not None:
                self._keep(job)
            else:
                if job.records is not None:
                    # Nobody awaits grouped records: without this line a fault of ours would lose them in silence.
                    logger.error("grouped records were not written", exc_info=error)
                failed.append((job, None, raised))
        if condition is not None and isinstance(raised, FileSystemError):
            self._state = State(self._state.counts, self._state.generation, raised)
        self._settle(failed)

    def _keep(self, job: Job) -> None:
        if self._kept is None or self._kept.records is None or job.records is None:
            self._kept = job
            return
        self._kept.records.absorb(job.records)
        earlier, later = self._kept.done, job.done

        def done(result: Any, error: BaseException | None) -> None:
            earlier(result, error)
            later(result, error)

        self._kept.done = done

    def _settle(self, outcomes: Sequence[tuple[Job, Any, BaseException | None]]) -> None:
        state = self._state

        def settle() -> None:
            self._publish(state)
            for job, result, error in outcomes:
                job.done(result, error)

        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(settle)
