"""The part file of one task: opened safely, written, proven, and given its final name only when whole."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from tui_dl.core.errors import ContentError, FileSystemError, Reason
from tui_dl.core.provenance import NO_PROVENANCE, Provenance
from tui_dl.disk.allocating import reserve
from tui_dl.disk.cloning import clone
from tui_dl.disk.durable import rename_noreplace, sync_file, sync_folder
from tui_dl.disk.folder import require_in_place
from tui_dl.disk.opening import abandon_part, create_part, is_ours, reopen_part, unlink_part
from tui_dl.disk.origin import give_provenance
from tui_dl.disk.placing import ORDERED_SUFFIX, SCATTERED_SUFFIX, Placing
from tui_dl.disk.proving import grouped, read_exactly, read_some, split_proven
from tui_dl.disk.watch import Watch
from tui_dl.disk.writer import write_extents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.core.ports import Chunk
    from tui_dl.core.task import OnExists
    from tui_dl.disk.backlog import Backlog
    from tui_dl.disk.opening import OpenPart
    from tui_dl.disk.writer import DiskPool, DiskWriter


class PartFile:
    """An open, locked part file; every method but `open()` raises `RuntimeError` once it is closed.

    The coroutines may be cancelled: what they began in a thread is then still finished there, in order, before
    anything submitted later. After a failed sync nothing since the last good one is known to be on the disk, and
    no later sync would tell (the kernel forgets): `is_distrusted` stays until `renew_trust()`.
    """

    def __init__(self, writer: DiskWriter, opened: OpenPart) -> None:
        self._folder = opened.folder
        self._writer = writer
        self._fd = opened.fd
        self._name = opened.name
        self._is_closed = False
        self._is_committing = False
        self.is_new = opened.is_new
        """Whether `open()` made it."""
        self.was_there = opened.was_there
        """Whether it is an empty one that was there, and may be another task's."""
        self.is_locked = opened.is_locked
        """False where the file system has no locks."""
        self.size_bytes = opened.size_bytes
        """Length when it was opened; no evidence of what it holds."""
        self.is_distrusted = False
        """Whether a sync failed: all beyond the last good one must be fetched and written again."""
        self._watch = Watch(opened.fd)
        self.committed_path = ""
        """Final path once committed, also where the caller of `commit()` was cancelled."""

    @classmethod
    async def open(
        cls,
        pool: DiskPool,
        folder: str,
        name: str,
        *,
        is_ordered: bool,
        part_path: str = "",
        total_bytes: int | None = None,
        create_folder: bool = False,
        avoided: Collection[str] = (),
    ) -> PartFile:
        """Open a new part file for `name`, or the one at `part_path` that a task of ours left.

        A new one takes the first free name of `NAME.part`, `NAME (1).part`... that is not `avoided`, and is never laid
        over a foreign file.
        Raises `FileSystemError`: PART_LOST where `part_path` is missing or no plain file, PART_BUSY where another
        process holds it, FILE_TOO_LARGE where `total_bytes` is beyond what files can have.
        """
        where = os.path.dirname(part_path) if part_path else folder  # noqa: PTH120 - text in, text out
        held, writer = await pool.open_folder(where, create=create_folder)
        suffix = ORDERED_SUFFIX if is_ordered else SCATTERED_SUFFIX
        if part_path:
            work = partial(reopen_part, held, os.path.basename(part_path))  # noqa: PTH119 - text in, text out
        else:
            work = partial(create_part, held, name, suffix, total_bytes, avoided)
        what = f"open the part file {part_path or held.join(name + suffix)}"
        return cls(writer, await writer.call(work, what=what, undo=abandon_part))

    @property
    def path(self) -> str:
        """Absolute path of the part file."""
        return self._folder.join(self._name)

    @property
    def backlog(self) -> Backlog:
        """What arrived for its disk and is not written."""
        return self._writer.backlog

    async def take_room(self, length_bytes: int) -> bool:
        """Take the room of its first `length_bytes` at once; False where the file system cannot.

        Raises `FileSystemError` DISK_FULL and QUOTA_EXCEEDED where there is none: what was taken until then goes with
        the file.
        """
        self._require_open()
        what = f"take room for {length_bytes} bytes in {self.path}"
        # Beside the writes of other files, before any of its own: some file systems take their time over it.
        return await self._writer.sync_call(self._take_room_now, length_bytes, what=what)

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Write all buffers from `offset` on; returns what the kernel now holds, with its sums.

        After an error, and after a cancellation, nothing of it counts as held.
        """
        self._require_open()
        return await self._writer.call(self._write_now, buffers, offset, what=f"write {self.path}")

    async def clone(self, source_fd: int) -> bool:
        """Let it share the content of another file, instead of writing it; False where the file system cannot."""
        self._require_open()
        return await self._writer.call(self._clone_now, source_fd, what=f"write {self.path}")

    async def sync(self) -> None:
        """Make all that was written before durable; a failure distrusts the file for good."""
        self._require_open()
        await self._writer.sync_call(self._sync_now, what=f"sync {self.path}")

    def renew_trust(self) -> None:
        """Say that all beyond the last good sync was dropped and will be written again."""
        self.is_distrusted = False

    async def read(self, offset: int, length_bytes: int) -> bytes:
        """Return bytes, fewer at the end of the file; for small pieces (up to about 1 MiB)."""
        self._require_open()
        return await self._writer.call(read_exactly, self._fd, length_bytes, offset, what=f"read {self.path}")

    async def verify(self, extents: Sequence[Extent]) -> tuple[list[Extent], list[Extent]]:
        """Read extents back and compare their sums: those that agree, and those that do not or cannot be read."""
        good: list[Extent] = []
        bad: list[Extent] = []
        for group in grouped(extents):
            self._require_open()
            proven, refuted = await self._writer.sync_call(split_proven, self._fd, group, what=f"read {self.path}")
            good += proven
            bad += refuted
        return good, bad

    async def read_through(self, take: Callable[[bytes], object], start: int = 0, end: int | None = None) -> int:
        """Read from `start` to `end` (None: of the file) in order; return where the file ended before that, or `end`.

        `take` gets the pieces, of 1 MiB at most, in the thread that reads, apart from the one that writes.
        """
        offset = start
        while end is None or offset < end:
            self._require_open()
            reached = await self._writer.digest_call(read_some, self._fd, offset, take, end, what=f"read {self.path}")
            if reached == offset:
                break
            offset = reached
        return offset

    async def is_altered(self) -> bool:
        """Whether somebody else may have changed its content since it was opened: then sums must be compared."""
        self._require_open()
        await self._writer.call(self._watch.before_change, what=f"look at {self.path}")
        return self._watch.is_alarmed

    async def is_intact_file(self) -> bool:
        """Whether its path still leads to it: not deleted, not replaced, folder in its place."""
        self._require_open()
        try:
            await self._writer.call(self._require_intact, what=f"look at {self.path}")
        except FileSystemError as error:
            if error.reason in {Reason.PART_LOST, Reason.FOLDER_MISSING}:
                return False
            raise
        return True

    async def truncate(self, length_bytes: int) -> None:
        """Cut it to a length, or lengthen it by a hole."""
        self._require_open()
        await self._writer.call(self._truncate_now, length_bytes, what=f"cut {self.path}")

    async def commit(
        self,
        target_name: str,
        *,
        on_exists: OnExists,
        expected_bytes: int | None,
        provenance: Provenance = NO_PROVENANCE,
    ) -> str:
        """Give it its final name, durably, and return the final path; `close()` is still to be called.

        Checks the length (`expected_bytes`, None where unknown) and that the path still leads to the file, syncs,
        renames without replacing (OVERWRITE: over a regular file), syncs the folder. After an error it has its part
        name again (or, if even that rename failed, a `committed_path`). A cancelled caller finds the outcome in
        `committed_path` after `close()`. Raises `ContentError` LENGTH_MISMATCH and `FileSystemError` TARGET_EXISTS,
        PART_LOST, FOLDER_MISSING and what writing can raise.
        """
        self._require_open()
        self._is_committing = True
        try:
            # Behind writes whose callers were cancelled: none may follow the rename.
            await self._writer.call(int)
            work = partial(self._commit_now, target_name, on_exists, expected_bytes, provenance)
            return await self._writer.sync_call(work, what=f"commit {self.path}")
        finally:
            self._is_committing = False

    async def close(self) -> None:
        """Close and unlock it behind everything that was submitted; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._writer.close(self._fd, self._folder.fd)

    async def delete(self) -> None:
        """Remove it, if its name still leads to it, and close it."""
        self._require_open()
        try:
            await self._writer.call(unlink_part, self._folder, self._name, self._fd, what=f"remove {self.path}")
        finally:
            await self.close()

    def _require_open(self) -> None:
        if self._is_closed or self._is_committing or self.committed_path:
            raise RuntimeError(f"{self.path} is closed or committed")

    def _require_trust(self) -> None:
        if self.is_distrusted:
            text = f"{self.path}: an earlier sync failed, what was written since may be lost"
            raise FileSystemError(Reason.IO_ERROR, text)

    def _write_now(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        self._watch.before_change()
        try:
            return write_extents(self._fd, buffers, offset)
        finally:
            self._watch.after_change()

    def _clone_now(self, source_fd: int) -> bool:
        self._watch.before_change()
        try:
            return clone(source_fd, self._fd)
        finally:
            self._watch.after_change()

    def _take_room_now(self, length_bytes: int) -> bool:
        self._watch.before_change()
        try:
            return reserve(self._fd, length_bytes)
        finally:
            self._watch.after_change()

    def _truncate_now(self, length_bytes: int) -> None:
        self._watch.before_change()
        os.ftruncate(self._fd, length_bytes)
        self._watch.after_change()

    def _sync_now(self) -> None:
        # Both in the thread: the sync before this one may have failed after this one was asked, and the caller that
        # would have heard of it may have been cancelled; the kernel would let this one succeed.
        self._require_trust()
        try:
            sync_file(self._fd)
        except OSError:
            self.is_distrusted = True
            raise

    def _require_intact(self) -> None:
        require_in_place(self._folder)
        if not is_ours(self._folder, self._name, self._fd):
            raise FileSystemError(Reason.PART_LOST, f"{self.path} was removed or replaced")

    def _commit_now(
        self, target_name: str, on_exists: OnExists, expected_bytes: int | None, provenance: Provenance
    ) -> str:
        self._require_intact()
        length_bytes = os.fstat(self._fd).st_size
        if expected_bytes is not None and length_bytes != expected_bytes:
            text = f"{self.path} has {length_bytes} bytes instead of {expected_bytes}"
            raise ContentError(Reason.LENGTH_MISMATCH, text)
        give_provenance(self._fd, self.path, provenance)
        self._sync_now()
        final_name = Placing().place(self._folder, self._name, self._fd, target_name, on_exists)
        try:
            sync_folder(self._folder.fd)
        except OSError:
            self._take_back(final_name)
            raise
        self.committed_path = self._folder.join(final_name)
        return self.committed_path

    def _take_back(self, final_name: str) -> None:
        """Undo a rename that is not durable: not acknowledged, hence not visible."""
        try:
            rename_noreplace(final_name, self._name, src_dir_fd=self._folder.fd, dst_dir_fd=self._folder.fd)
        except OSError:
            self.committed_path = self._folder.join(final_name)
