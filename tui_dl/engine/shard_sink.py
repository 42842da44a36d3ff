"""Finished files into tar shards: in groups, each durable in the shard and in the journal before its files go."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.filename import numbered
from tui_dl.core.sharding import Shard, key_of, sample_of
from tui_dl.core.status import LIVE, Status
from tui_dl.disk.shard_folder import ShardFolder
from tui_dl.journal.shards import Member

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.sharding import Sample, ShardPattern
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.journal import Journal

logger = logging.getLogger(__name__)

GROUP_FILES: Final = 500
"""Files that are worth a group."""
MOST_FILES: Final = 2_000
"""Most files of one group, where a slow disk let more of them wait: each group costs the same few syncs."""
GROUP_BYTES: Final = 64 << 20
"""A group is full with this; one file may be longer."""
TOLD_AT_ONCE: Final = 100
"""Files that listeners hear of before the loop gets its turn."""
GROUP_WAIT_S: Final = 0.5
"""Longest that a finished file waits for company."""
PATIENCE_S: Final = 5.0
"""Pause before a disk that refused is tried again."""


@dataclass(frozen=True, slots=True)
class ShardWish:
    """How shards are wanted."""

    folder: str
    """Absolute folder of the shards."""
    samples: int
    """Samples of a shard; the last one of a run may have fewer."""
    pattern: ShardPattern
    """Their names."""


@dataclass(slots=True)
class _Open:
    """The shard that is being filled."""

    shard: Shard
    """What is durable of it, in the journal too."""
    fd: int
    """Its part file."""
    is_named: bool = False
    """Whether it has its final name, which is not recorded yet."""


class ShardSink:
    """Packs finished files of the staging folder; `take()` says that there is one.

    The order of each group: bytes into the part file, synced; the journal's one transaction; then the files go. What
    a crash leaves of that is taken up by `start()`: the part file is cut to what the journal holds, and what the
    journal says to be packed is removed. A full disk is waited for; another refusal ends the packing, and is raised by
    `finish()`. Nothing is lost by that: the files stay where they are, and the next run packs them.
    """

    def __init__(
        self,
        wish: ShardWish,
        journal: Journal,
        tell: Callable[[DownloadTask], None],
        lose: Callable[[DownloadTask], None],
    ) -> None:
        self._wish, self._journal = wish, journal
        self._tell, self._lose = tell, lose
        self._folder: ShardFolder
        self._open: _Open | None = None
        self._queue: deque[int] = deque()
        self._task: asyncio.Task[None] | None = None
        self._work = asyncio.Event()
        self._full = asyncio.Event()
        self._is_last = False
        self._most_files = MOST_FILES
        """Files of the next group: a full disk gets smaller ones, each of which frees the room of its files."""
        self.moving = asyncio.Lock()
        """Held while files change their place: who looks whether a row's file is there must hold it too."""
        self.made: list[Shard] = []
        """The shards that this run finished."""
        self.trouble = ""
        """What a person should know as long as it lasts: the disk refuses."""

    @property
    def files(self) -> str:
        """Folder that finished files are taken from."""
        return self._folder.files

    async def start(self) -> None:
        """Open the folder, take up what was left, begin. Raises `FileSystemError`."""
        self._folder = await ShardFolder.open(self._wish.folder)
        try:
            await self._recover()
        except BaseException:
            await self._folder.aclose()
            raise
        self._task = asyncio.ensure_future(self._run())

    def take(self, task_id: int) -> None:
        """Note that a file of the staging folder is finished and recorded."""
        self._queue.append(task_id)
        self._work.set()
        if len(self._queue) >= GROUP_FILES:
            self._full.set()

    async def finish(self) -> None:
        """Pack all that was noted and give the last shard its name; raises `FileSystemError` where that cannot be."""
        assert self._task is not None
        self._is_last = True
        self._work.set()
        self._full.set()
        await self._task

    async def aclose(self) -> None:
        """Stop where it is; what is not packed or not named goes on with the next run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._open is not None:
            self._folder.close(self._open.fd)
            self._open = None
        await self._folder.aclose()

    # -- taking up -----------------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        folder, book = self._folder, self._journal.shards
        unfinished, leavers = await book.unfinished(folder.path)
        for shard in leavers:
            await folder.remove(shard.leftovers)
        for shard in unfinished:
            await self._take_up(replace(shard, leftovers=""))
        self._queue.extend(await book.staged(folder.files))

    async def _take_up(self, shard: Shard) -> None:
        folder, book = self._folder, self._journal.shards
        fd = await folder.reopen(shard)
        if fd is not None:
            if self._open is not None:
                await self._end(self._open)
            self._open = _Open(shard, fd)
            if shard.samples >= self._wish.samples:
                await self._end(self._open)
        elif await folder.is_whole(shard):
            # Killed between its naming and the record of that.
            await book.end(shard, folder.join(shard.name))
        else:
            logger.warning("%s is not what was written: its files are fetched again", folder.part_path(shard))
            await folder.set_aside(shard)
            await book.forget(shard)

    # -- packing -------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._gather()
            try:
                if self._queue:
                    await self._pack_group()
                elif self._open is not None:
                    await self._end(self._open)
                else:
                    return
            except FileSystemError as error:
                if not error.is_retryable:
                    self.trouble = f"No more goes into shards: {error.message}. {error.hint}"
                    raise
                await self._give_way(error)
            else:
                self.trouble = ""
                self._most_files = min(MOST_FILES, 2 * self._most_files)

    async def _give_way(self, error: FileSystemError) -> None:
        """Try a smaller group at once, or wait where there is none."""
        if self._most_files > 1:
            self._most_files //= 2
            return
        if not self.trouble:
            logger.warning("shards wait: %s", error.message)
        self.trouble = f"Shards wait: {error.message}. {error.hint}"
        await asyncio.sleep(PATIENCE_S)

    async def _gather(self) -> None:
        """Wait until there is a group, or nobody else will join it."""
        while not (self._queue or self._is_last):
            self._work.clear()
            await self._work.wait()
        if self._is_last or len(self._queue) >= GROUP_FILES:
            return
        self._full.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(GROUP_WAIT_S):
                await self._full.wait()

    async def _pack_group(self) -> None:
        opened = self._open or await self._begin()
        room = min(self._most_files, self._wish.samples - opened.shard.samples, len(self._queue))
        ids = [self._queue[index] for index in range(room)]
        rows = await self._journal.rows(ids)
        group, lost = await self._present([row for row in rows if self._is_staged(row)])
        if group:
            await self._pack(opened, group)
        for row in lost:
            await self._journal.shards.lose(row.id)
            self._lose(row)
        for row in rows:
            if row.member:
                self._tell(replace(row, path=self._folder.join(opened.shard.name)))
        left = {row.id for row in rows if self._is_staged(row) or row.status in LIVE} - {
            row.id for row in (*group, *lost)
        }
        for _ in ids:
            self._queue.popleft()
        self._queue.extendleft(one for one in reversed(ids) if one in left)
        if opened.shard.samples >= self._wish.samples:
            await self._end(opened)
        elif len(left) == len(ids):
            # The journal's disk refuses to record that they are finished.
            await asyncio.sleep(PATIENCE_S)

    def _is_staged(self, row: DownloadTask) -> bool:
        return row.status is Status.COMPLETED and not row.member and row.path.startswith(self.files + "/")

    async def _present(self, rows: Sequence[DownloadTask]) -> tuple[list[DownloadTask], list[DownloadTask]]:
        """Return the first rows that make a group, and those before them whose file was taken away or changed."""
        sizes = await self._folder.sizes([row.path for row in rows])
        group: list[DownloadTask] = []
        lost: list[DownloadTask] = []
        total_bytes = 0
        for row, size in zip(rows, sizes, strict=True):
            if size is None or (row.total_bytes is not None and size != row.total_bytes):
                lost.append(row)
                continue
            if group and total_bytes + size > GROUP_BYTES:
                break
            group.append(row)
            total_bytes += size
        return group, lost

    async def _pack(self, opened: _Open, group: Sequence[DownloadTask]) -> None:
        folder, book, shard = self._folder, self._journal.shards, opened.shard
        samples = await asyncio.to_thread(_samples_of, group, shard, folder.files)
        end, leftovers = await folder.append(opened.fd, shard.size_bytes, samples)
        grown = replace(shard, samples=shard.samples + len(group), size_bytes=end, leftovers=leftovers)
        members = [Member(row.id, sample.payload) for row, sample in zip(group, samples, strict=True)]
        async with self.moving:
            try:
                await book.add(grown, folder.part_path(shard), members)
            except FileSystemError:
                # Whatever came of it: what the journal says is how it is.
                opened.shard = await book.read(shard)
                raise
            opened.shard = grown
            await folder.remove(leftovers)
        path = folder.join(grown.name)
        for index, (row, sample) in enumerate(zip(group, samples, strict=True)):
            self._tell(replace(row, path=path, member=sample.payload))
            if index % TOLD_AT_ONCE == TOLD_AT_ONCE - 1:
                await asyncio.sleep(0)

    # -- shards --------------------------------------------------------------------------------------------------------

    async def _begin(self) -> _Open:
        folder, book = self._folder, self._journal.shards
        number = await book.next_number(folder.path)
        while not await folder.is_free(Shard(0, number, self._wish.pattern.name(number))):
            number += 1
        shard = await book.begin(folder.path, number, self._wish.pattern.name(number))
        self._open = _Open(shard, await folder.begin(shard))
        return self._open

    async def _end(self, opened: _Open) -> None:
        """Give a shard its name; an empty one is dropped."""
        folder, book = self._folder, self._journal.shards
        if not opened.shard.samples:
            await folder.discard(opened.shard)
            await book.forget(opened.shard)
            folder.close(opened.fd)
            self._open = None
            return
        async with self.moving:
            while not opened.is_named:
                try:
                    await folder.end(opened.fd, opened.shard)
                    opened.is_named = True
                except FileSystemError as error:
                    if error.reason is not Reason.TARGET_EXISTS:
                        raise
                    opened.shard = await self._renamed(opened.shard)
            await book.end(opened.shard, folder.join(opened.shard.name))
        folder.close(opened.fd)
        self.made.append(opened.shard)
        self._open = None

    async def _renamed(self, shard: Shard) -> Shard:
        """Return a shard with a name that nobody took meanwhile, entered before it gets it."""
        wanted = self._wish.pattern.name(shard.number)
        for number in count(1):
            other = replace(shard, name=numbered(wanted, number))
            if await self._folder.is_free(other, has_part=True):
                break
        await self._journal.shards.rename(other)
        return other


def _samples_of(group: Sequence[DownloadTask], shard: Shard, files: str) -> list[Sample]:
    first = shard.samples
    return [sample_of(row, key_of(shard.number, first + index), files) for index, row in enumerate(group)]
