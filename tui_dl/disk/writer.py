"""Writes, syncs and small operations on one file system, in threads of their own."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, TypeVarTuple

from tui_dl.core.crc32 import crc32
from tui_dl.core.extents import MOST_EXTENT_BYTES, Extent
from tui_dl.disk.backlog import Backlog
from tui_dl.disk.durable import sync_file
from tui_dl.disk.folder import Folder, close_folder, open_folder
from tui_dl.disk.lane import Lane
from tui_dl.disk.made_folders import MadeFolders
from tui_dl.disk.os_errors import map_os_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tui_dl.core.ports import Chunk

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

MOST_BUFFERS: Final = 1024
"""Buffers of one `pwritev` (IOV_MAX on Linux and macOS)."""
MOST_SCOUTS: Final = 16
"""Threads for paths whose file system is not known; all of them busy means dead mounts."""
CLOSE_PATIENCE_S: Final = 2.0
"""How long `DiskPool.aclose()` waits for threads; one that hangs in the kernel is left behind."""


class DiskWriter:
    """Three threads for one file system: one writes, one syncs, one computes digests, so that none delays another.

    Whatever was submitted to a thread is done in that order and never cut short: a cancelled coroutine stops
    waiting, its job stays. Hence a descriptor is closed with `close()`, which queues behind all that uses it.
    All `OSError`s arrive as `FileSystemError`.
    """

    def __init__(self, st_dev: int) -> None:
        self.backlog = Backlog()
        """What arrived for this file system and is not written."""
        self._writes = Lane(f"disk-write-{st_dev}")
        self._syncs = Lane(f"disk-sync-{st_dev}")
        self._digests = Lane(f"disk-digest-{st_dev}")
        self._has_digests = False

    async def write(self, fd: int, buffers: Sequence[Chunk], offset: int, *, what: str = "write") -> list[Extent]:
        """Write all buffers one after another from `offset` on; the extents that now are the kernel's.

        After an error nothing counts as written, although some of it may have been.
        """
        return await _mapped(self._writes, what, partial(write_extents, fd, buffers, offset))

    async def sync(self, fd: int, *, what: str = "sync") -> None:
        """Make what was written durable (`fdatasync`), beside the writes."""
        await _mapped(self._syncs, what, partial(sync_file, fd))

    async def call(
        self,
        function: Callable[[*Arguments], Result],
        *arguments: *Arguments,
        what: str = "access",
        undo: Callable[[Result], object] | None = None,
    ) -> Result:
        """Do a short operation in the writing thread, after all writes submitted before."""
        return await _mapped(self._writes, what, partial(function, *arguments), undo)

    async def sync_call(
        self,
        function: Callable[[*Arguments], Result],
        *arguments: *Arguments,
        what: str = "access",
        undo: Callable[[Result], object] | None = None,
    ) -> Result:
        """Do a long operation in the syncing thread, beside the writes."""
        return await _mapped(self._syncs, what, partial(function, *arguments), undo)

    async def digest_call(self, function: Callable[[*Arguments], Result], *arguments: *Arguments, what: str) -> Result:
        """Read and compute in the thread for digests, beside writes and syncs."""
        self._has_digests = True
        return await _mapped(self._digests, what, partial(function, *arguments))

    def submit(self, work: Callable[[], Result], done: Callable[[Result, BaseException | None], None]) -> None:
        """Do `work()` in the writing thread, then `done(result, error)` on the loop: the cheapest hop, unmapped."""
        self._writes.submit(work, done)

    async def drain(self) -> None:
        """Wait for all that was submitted to the threads so far."""
        lanes = (self._writes, self._syncs, *((self._digests,) if self._has_digests else ()))
        await asyncio.gather(*(lane.run(int) for lane in lanes))

    async def close(self, *fds: int) -> None:
        """Close descriptors behind all that was submitted so far; done even if the caller is cancelled."""
        closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def closed(_result: object, _error: BaseException | None) -> None:
            if not closing.done():
                closing.set_result(None)

        def synced(_result: object, _error: BaseException | None) -> None:
            self._writes.submit(partial(_close_all, fds), closed)

        def digested(_result: object, _error: BaseException | None) -> None:
            self._syncs.submit(int, synced)

        if self._has_digests:
            self._digests.submit(int, digested)
        else:
            digested(None, None)
        await closing

    async def aclose(self, patience_s: float = CLOSE_PATIENCE_S) -> bool:
        """End the threads when their work is done; False where one hangs."""
        has_digested = await self._digests.aclose(patience_s)
        has_synced = await self._syncs.aclose(patience_s)
        return await self._writes.aclose(patience_s) and has_synced and has_digested


class DiskPool:
    """The writers of all file systems, each made when the first file on it is opened."""

    def __init__(self) -> None:
        self._writers: dict[int, DiskWriter] = {}
        self._scouts: list[Lane] = []
        self.made = MadeFolders()
        """Folders made for files."""

    def writer_for(self, st_dev: int) -> DiskWriter:
        """Return the writer of a file system by the `st_dev` of a file on it."""
        writer = self._writers.get(st_dev)
        if writer is None:
            writer = self._writers[st_dev] = DiskWriter(st_dev)
        return writer

    async def scout(self, function: Callable[[*Arguments], Result], *arguments: *Arguments, what: str) -> Result:
        """Do a short operation on a path whose file system is not known yet.

        It may hang with a dead mount, so it gets a thread that nothing else waits for.
        """
        return await _mapped(self._idle_scout(), what, partial(function, *arguments))

    async def open_folder(self, path: str, *, create: bool = False) -> tuple[Folder, DiskWriter]:
        """Open a folder, once, so that its replacement is noticed; the writer of its file system comes with it."""
        work = partial(open_folder, path, create=create, made=self.made)
        folder = await _mapped(self._idle_scout(), f"open the folder {path}", work, close_folder)
        return folder, self.writer_for(folder.device)

    async def aclose(self, patience_s: float = CLOSE_PATIENCE_S) -> bool:
        """End all threads; False where one hangs in the kernel and was left behind."""
        writers, scouts = list(self._writers.values()), self._scouts
        self._writers, self._scouts = {}, []
        closings = [writer.aclose(patience_s) for writer in writers] + [scout.aclose(patience_s) for scout in scouts]
        return all(await asyncio.gather(*closings))

    def _idle_scout(self) -> Lane:
        for scout in self._scouts:
            if not scout.pending:
                return scout
        if len(self._scouts) >= MOST_SCOUTS:
            return min(self._scouts, key=lambda scout: scout.pending)
        scout = Lane(f"disk-scout-{len(self._scouts)}")
        self._scouts.append(scout)
        return scout


def write_extents(fd: int, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
    """Write all buffers from `offset` on, blocking, and return what was written with its sums."""
    write_all(fd, buffers, offset)
    return sum_extents(buffers, offset)


def write_all(fd: int, buffers: Sequence[Chunk], offset: int) -> None:
    """Write all buffers from `offset` on, blocking; a short write is continued where it ended."""
    for first in range(0, len(buffers), MOST_BUFFERS):
        group: list[Chunk] = list(buffers[first : first + MOST_BUFFERS])
        left = sum(map(len, group))
        while left:
            count = os.pwritev(fd, group, offset)
            if count == 0:
                # POSIX leaves it open; the next write of nothing would spin for ever.
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            offset += count
            left -= count
            if left:
                group = _after(group, count)


def sum_extents(buffers: Sequence[Chunk], offset: int) -> list[Extent]:
    """Return the extents of buffers that begin at `offset`, each at most `MOST_EXTENT_BYTES` long."""
    extents: list[Extent] = []
    start = end = offset
    sum_32 = 0
    for buffer in buffers:
        view = memoryview(buffer)
        while view:
            piece = view[: start + MOST_EXTENT_BYTES - end]
            sum_32 = crc32(piece, sum_32)
            end += len(piece)
            view = view[len(piece) :]
            if end - start == MOST_EXTENT_BYTES:
                extents.append(Extent(start, end, sum_32))
                start, sum_32 = end, 0
    if end > start:
        extents.append(Extent(start, end, sum_32))
    return extents


def _after(group: list[Chunk], count: int) -> list[Chunk]:
    for index, buffer in enumerate(group):
        if count < len(buffer):
            return [memoryview(buffer)[count:], *group[index + 1 :]]
        count -= len(buffer)
    return []


def _close_all(fds: Iterable[int]) -> None:
    # An error of closing says nothing that the syncs did not say.
    for fd in fds:
        with suppress(OSError):
            os.close(fd)


async def _mapped(
    lane: Lane, what: str, work: Callable[[], Result], undo: Callable[[Result], object] | None = None
) -> Result:
    try:
        return await lane.run(work, undo=undo)
    except OSError as error:
        raise map_os_error(error, what) from error
