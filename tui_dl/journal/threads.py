"""The threads of an open journal, asked from the event loop: in order, behind what was told, answered on the loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.journal.opening import SUSPECT_SUFFIX
from tui_dl.journal.reader import Reader
from tui_dl.journal.records import Records
from tui_dl.journal.writer import Job, Need, State, Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.opening import Opened

T = TypeVar("T")

GROUP_S: Final = 0.25
"""How long records that nobody waits for are gathered before they are written together."""


class JournalThreads:
    """The threads of one open journal, and what is not told to them yet; belongs to one event loop."""

    def __init__(self, path: Path | None, opened: Opened) -> None:
        self.state = opened.state
        """What is known of the file without asking, as of the latest answer."""
        self.unsaved: dict[int, DownloadTask] = {}
        """Latest states of tasks that are not committed yet, by id."""
        self._path = path
        self._instance_id = opened.owner.instance
        self._loop = asyncio.get_running_loop()
        self._records = Records()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._writer = Writer(opened.connection, path, self._loop, self.publish)
        self._reader = Reader(opened.reading, path, self._loop) if opened.reading is not None else None
        self._looker = Reader(opened.looking, path, self._loop) if opened.looking is not None else None
        self._writer.start(self._mark_damaged)
        for thread in (self._reader, self._looker):
            if thread is not None:
                thread.start(self._mark_damaged)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._is_closed

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Ask in the reader thread what may take long; sees what was committed before. Cancelled, it is broken off."""
        return await self._read_in(self._reader, run)

    async def look(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Ask in a thread of its own what is answered by an index: it waits for no view of a million rows."""
        return await self._read_in(self._looker, run)

    async def _read_in(self, reader: Reader | None, run: Callable[[sqlite3.Connection], T]) -> T:
        if reader is None:
            return await self.ask(run, Need.READ)
        self._refuse_closed()
        future: asyncio.Future[T] = self._loop.create_future()
        job = Job(run, Need.READ, partial(_resolve, future))
        reader.submit(job)
        try:
            return await future
        except asyncio.CancelledError:
            reader.abandon(job)
            raise

    async def ask(self, run: Callable[[sqlite3.Connection], T], need: Need) -> T:
        """Ask in the writer thread, after all that was told before."""
        self._refuse_closed()
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.submit([*self._gathered(), Job(run, need, partial(_resolve, future))])
        return await future

    def tell(self) -> Records:
        """Return where records are gathered, to be written within `GROUP_S`."""
        if self._timer is None and not self._is_closed:
            self._timer = self._loop.call_later(GROUP_S, self._write_group)
        return self._records

    def take_back(self, task_id: int) -> None:
        """Leave a task's gathered state out: a newer one is on its way."""
        self._records.saves.pop(task_id, None)

    def forget_unsaved(self, tasks: Sequence[DownloadTask]) -> None:
        """Take these states for committed, or for given up."""
        for task in tasks:
            if self.unsaved.get(task.id) is task:
                del self.unsaved[task.id]

    def publish(self, state: State) -> None:
        """Take in what is known now."""
        if state.generation < self.state.generation:
            # Two threads answer: the other one saw a later commit.
            state = replace(self.state, trouble=state.trouble)
        self.state = state

    async def aclose(self) -> None:
        """Take no more questions, and end both threads after what was asked."""
        self._is_closed = True
        # The writer closes last: the last connection moves the log into the file, and a reading one cannot.
        for thread in (self._reader, self._looker, self._writer):
            if thread is not None:
                ended = self._loop.create_future()
                thread.end(partial(_finish, ended))
                await ended

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise FileSystemError(Reason.JOURNAL_BUSY, "the journal has been closed")

    def _write_group(self) -> None:
        self._writer.submit(self._gathered())

    def _gathered(self) -> list[Job]:
        """Return the job that writes the grouped records, if there are any."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._records:
            return []
        records, self._records = self._records, Records()
        saved = tuple(records.saves.values())
        return [
            Job(
                lambda connection: records.write(connection, self._instance_id),
                Need.WRITE,
                lambda _result, _error: self.forget_unsaved(saved),
                records,
            )
        ]

    def _mark_damaged(self) -> None:
        """Let the next process that opens the journal look at every page; called in any thread."""
        if self._path is not None:
            with suppress(OSError):
                self._path.with_name(self._path.name + SUSPECT_SUFFIX).touch(mode=0o600)


def _resolve(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # whoever asked was cancelled meanwhile
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
