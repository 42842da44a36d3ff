"""What outlives the rows of the queue, as the engine asks for it: the runs of batches and what was done before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui_dl.journal import archive, runs
from tui_dl.journal.adding import Batch, BatchKind, batch_id_of
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.name_set import NameSet
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.archive import ArchiveEntry, Kept
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

    # -- what was done once ----------------------------------------------------------------------------------------

    async def start(self, *, is_archiving: bool, is_keeping: bool) -> None:
        """Note from now on which addresses and digests are done, and which version each finished file is."""
        if is_archiving:
            await self._threads.ask(archive.start_archiving, Need.WRITE)
        await self._threads.ask(partial(archive.start_keeping, is_wanted=is_keeping), Need.WRITE)

    async def archived(self, keys: Sequence[tuple[str, str]]) -> list[bool]:
        """Return which of these kinds and keys were done before, with all that was told before."""
        return await self._threads.ask(partial(archive.read_archived, keys=tuple(keys)), Need.READ)

    async def archive_entries(self, after: tuple[str, str], most: int) -> list[ArchiveEntry]:
        """Return entries of the archive in their order, from behind a kind and key on."""
        return await self._threads.read(partial(archive.read_entries, after=after, most=most))

    async def forget_archived(self, keys: Sequence[str]) -> int:
        """Take addresses and digests out of the archive; return how many were there; durable."""
        return await self._threads.ask(partial(archive.forget, keys=tuple(keys)), Need.DURABLE)

    async def keep(self, files: Sequence[Kept]) -> None:
        """Record which version finished files are; durable."""
        await self._threads.ask(partial(archive.keep, files=tuple(files)), Need.DURABLE)

    async def kept(self, url: str, *, sha256: str = "") -> list[Kept]:
        """Return the files of a digest, or without one those of an address, the latest first."""
        return await self._threads.ask(partial(archive.read_kept, url=url, sha256=sha256), Need.READ)

    async def drop_kept(self, path: str) -> None:
        """Forget a file that is not what it was."""
        await self._threads.ask(partial(archive.drop_kept, path=path), Need.WRITE)
