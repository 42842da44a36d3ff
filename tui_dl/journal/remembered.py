"""What outlives the rows of the queue, as the engine asks for it: the runs of batches and what was done before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui_dl.journal import runs
from tui_dl.journal.adding import Batch, BatchKind, batch_id_of
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    from tui_dl.core.name_set import NameSet
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.runs import Claims, Run
    from tui_dl.journal.threads import JournalThreads


class Remembered:
    """Belongs to an open journal; raises what that raises."""

    def __init__(self, threads: JournalThreads) -> None:
        self._threads = threads

    async def begin_run(self, name: str, *, kind: BatchKind, at: float) -> Run:
        """Note that a batch begins, or that a process goes on with it where none came to its end; durable."""
        batch = Batch(name, kind, at)
        return await self._threads.ask(
            lambda connection: runs.begin(connection, batch_id_of(connection, batch), at), Need.DURABLE
        )

    async def end_run(self, batch_id: int) -> None:
        """Note that all of a batch was looked at; added again, it begins anew."""
        await self._threads.ask(partial(runs.end, batch_id=batch_id), Need.WRITE)

    async def run_of(self, task: DownloadTask) -> Run:
        """Return the run that a row of an earlier process belongs to."""
        return await self._threads.read(partial(runs.read_run, task=task))

    async def completed_paths(self, batch_id: int) -> NameSet:
        """Return the paths of the files that a batch completed, with all that was told before."""
        await self._threads.ask(lambda _: None, Need.WRITE)
        return await self._threads.read(partial(runs.read_completed, batch_id=batch_id))

    async def claims(self, run: Run) -> Claims:
        """Return which paths the addresses of a batch took, with all that was told before."""
        await self._threads.ask(lambda _: None, Need.WRITE)
        return await self._threads.read(partial(runs.read_claims, run=run))
