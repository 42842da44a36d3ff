"""A folder of tar shards: the staging folder inside it, the part file of a shard, and its final name once whole."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TypeVar

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.sharding import FILES, STAGING
from tui_dl.disk import tar_part
from tui_dl.disk.durable import rename_noreplace, sync_folder
from tui_dl.disk.folder import Folder, close_folder, open_folder
from tui_dl.disk.lane import Lane
from tui_dl.disk.os_errors import map_os_error
from tui_dl.disk.writer import CLOSE_PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.sharding import Sample, Shard

T = TypeVar("T")

_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REOPEN: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_OPEN_STAGING: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF})
_ASIDE: Final = ".damaged"
_MOST_ASIDE: Final = 1_000
_MOST_OPENINGS: Final = 100


class ShardFolder:
    """One folder for shards, ours alone while it is open; its disk work is done in a thread of its own.

    A staged file is removed only by `remove()`, and only where it is the very file that was packed.
    """

    def __init__(self, target: Folder, staging: Folder, lane: Lane) -> None:
        self.path = target.path
        """The folder, absolute."""
        self.files = staging.join(FILES)
        """Where files arrive that are to be packed."""
        self._target, self._staging, self._lane = target, staging, lane

    @classmethod
    async def open(cls, path: str) -> Self:
        """Open a folder, made where it is missing.

        Raises `FileSystemError`, PART_BUSY where another process writes shards there.
        """
        lane = Lane("disk-shards")
        try:
            target, staging = await _run(lane, f"open the folder {path}", partial(_open, path))
        except BaseException:
            await lane.aclose(CLOSE_PATIENCE_S)
            raise
        return cls(target, staging, lane)

    async def aclose(self) -> bool:
        """Let go of the folder; what is empty in the staging folder is removed, and the folder too if nothing is left.

        False where the disk hangs.
        """
        self._lane.submit(partial(_leave, self._target, self._staging), _ignore)
        return await self._lane.aclose(CLOSE_PATIENCE_S)

    def join(self, name: str) -> str:
        """Return the path of a shard with its final name."""
        return self._target.join(name)

    def part_path(self, shard: Shard) -> str:
        """Return the path of a shard that is not whole."""
        return self._staging.join(shard.part_name)

    async def is_free(self, shard: Shard, *, has_part: bool = False) -> bool:
        """Whether nothing has the final name of a shard, nor that of its part file if it has none yet."""
        taken = partial(_is_taken, self._target, self._staging, shard, has_part=has_part)
        return not await _run(self._lane, f"look for {shard.name}", taken)

    async def begin(self, shard: Shard) -> int:
        """Make the part file of a shard and return its descriptor."""
        return await _run(self._lane, f"make {self.part_path(shard)}", partial(_begin, self._staging, shard), os.close)

    async def reopen(self, shard: Shard) -> int | None:
        """Return the descriptor of a part file that holds what the journal says; None where there is no such file."""
        work = partial(_reopen, self._staging, shard)
        return await _run(self._lane, f"open {self.part_path(shard)}", work, _close)

    async def is_whole(self, shard: Shard) -> bool:
        """Whether that very shard, whole, has its final name already."""
        return await _run(self._lane, f"read {self.join(shard.name)}", partial(_is_whole, self._target, shard))

    async def set_aside(self, shard: Shard) -> None:
        """Rename a part file that is not what the journal says; it is kept."""
        await _run(self._lane, f"rename {self.part_path(shard)}", partial(_set_aside, self._staging, shard.part_name))

    async def sizes(self, paths: Sequence[str]) -> list[int | None]:
        """Return the lengths of files, None for what is no file."""
        return await _run(self._lane, "look at finished files", partial(_sizes, paths))

    async def append(self, fd: int, offset: int, samples: Sequence[Sample]) -> tuple[int, str]:
        """Append samples behind `offset`, durably; return where the next begins, and what `remove()` wants."""
        return await _run(
            self._lane, f"write a shard in {self.path}", partial(_append, fd, offset, tuple(samples), self.files)
        )

    async def remove(self, leftovers: str) -> None:
        """Remove the files that were packed."""
        await _run(self._lane, "remove packed files", partial(_remove, leftovers, self.files))

    async def end(self, fd: int, shard: Shard) -> None:
        """End the archive and give it its final name, durably; raises TARGET_EXISTS where that is taken."""
        work = partial(_end, self._target, self._staging, fd, shard)
        await _run(self._lane, f"finish {self.join(shard.name)}", work)

    async def discard(self, shard: Shard) -> None:
        """Remove the part file of a shard that holds nothing."""
        await _run(self._lane, f"remove {self.part_path(shard)}", partial(_discard, self._staging, shard))

    def close(self, fd: int) -> None:
        """Close a part file after all that was asked before."""
        self._lane.submit(partial(os.close, fd), _ignore)


async def _run(lane: Lane, what: str, work: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
    try:
        return await lane.run(work, undo=undo)
    except OSError as error:
        raise map_os_error(error, what) from error


def _open(path: str) -> tuple[Folder, Folder]:
    target = open_folder(path, create=True)
    try:
        for _ in range(_MOST_OPENINGS):
            with suppress(FileExistsError):
                os.mkdir(STAGING, dir_fd=target.fd)  # relative to the open folder
            fd = os.open(STAGING, _OPEN_STAGING, dir_fd=target.fd)
            facts = os.fstat(fd)
            staging = Folder(target.join(STAGING), fd, facts.st_dev, facts.st_ino)
            try:
                if _lock(staging):
                    return target, staging
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
    except BaseException:
        close_folder(target)
        raise
    close_folder(target)
    raise FileSystemError(Reason.FOLDER_MISSING, f"the folder {target.join(STAGING)} vanishes again and again")


def _lock(staging: Folder) -> bool:
    """Take the folder for us alone; False where it was removed by the one who had it."""
    try:
        fcntl.flock(staging.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = f"another tui-dl writes shards into {os.path.dirname(staging.path)}"  # noqa: PTH120  # text in, text out
        raise FileSystemError(Reason.PART_BUSY, text) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        there = os.stat(staging.path, follow_symlinks=False)  # noqa: PTH116  # text in
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (staging.device, staging.inode)


def _leave(target: Folder, staging: Folder) -> None:
    files = staging.join(FILES)
    for folder, _, _ in os.walk(files, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106  # text in
    with suppress(OSError):
        # Not where files are left: half ones go on with the next run.
        os.rmdir(STAGING, dir_fd=target.fd)  # relative to the open folder
    close_folder(staging)
    close_folder(target)


def _is_taken(target: Folder, staging: Folder, shard: Shard, *, has_part: bool) -> bool:
    return _is_there(target, shard.name) or (not has_part and _is_there(staging, shard.part_name))


def _is_there(folder: Folder, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _begin(staging: Folder, shard: Shard) -> int:
    fd = os.open(shard.part_name, _CREATE, 0o666, dir_fd=staging.fd)
    try:
        sync_folder(staging.fd)
    except BaseException:
        os.close(fd)
        with suppress(OSError):
            os.unlink(shard.part_name, dir_fd=staging.fd)
        raise
    return fd


def _reopen(staging: Folder, shard: Shard) -> int | None:
    try:
        fd = os.open(shard.part_name, _REOPEN, dir_fd=staging.fd)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.EISDIR, errno.ENXIO):
            return None
        raise
    try:
        is_ours = stat.S_ISREG(os.fstat(fd).st_mode) and tar_part.holds(
            fd, shard.number, shard.samples, shard.size_bytes
        )
        if is_ours:
            os.ftruncate(fd, shard.size_bytes)
    except BaseException:
        os.close(fd)
        raise
    if not is_ours:
        os.close(fd)
        return None
    return fd


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)


def _is_whole(target: Folder, shard: Shard) -> bool:
    try:
        fd = os.open(shard.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=target.fd)
    except OSError:
        return False
    try:
        facts = os.fstat(fd)
        return stat.S_ISREG(facts.st_mode) and tar_part.is_whole(fd, shard.number, shard.samples, shard.size_bytes)
    finally:
        os.close(fd)


def _set_aside(staging: Folder, part_name: str) -> None:
    for number in range(_MOST_ASIDE):
        aside = part_name + _ASIDE + (f"-{number}" if number else "")
        try:
            rename_noreplace(part_name, aside, src_dir_fd=staging.fd, dst_dir_fd=staging.fd)
        except FileExistsError:
            continue
        except FileNotFoundError:
            return
        return


def _discard(staging: Folder, shard: Shard) -> None:
    with suppress(FileNotFoundError):
        os.unlink(shard.part_name, dir_fd=staging.fd)


def _sizes(paths: Sequence[str]) -> list[int | None]:
    return [_size(path) for path in paths]


def _size(path: str) -> int | None:
    try:
        facts = os.stat(path, follow_symlinks=False)  # noqa: PTH116  # text in
    except OSError:
        return None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _append(fd: int, offset: int, samples: tuple[Sample, ...], files: str) -> tuple[int, str]:
    end, packed = tar_part.append_samples(fd, offset, samples)
    left = [(one.path.removeprefix(files + "/"), one.inode, one.mtime_ns) for one in packed]
    return end, json.dumps(left, separators=(",", ":"))


def _remove(leftovers: str, files: str) -> None:
    for name, inode, mtime_ns in json.loads(leftovers):
        path = os.path.join(files, name)  # noqa: PTH118  # names from outside may not be normalised
        with suppress(FileNotFoundError):
            facts = os.stat(path, follow_symlinks=False)  # noqa: PTH116  # text in
            # Another file may have got the name of one that was removed.
            if (facts.st_ino, facts.st_mtime_ns) == (inode, mtime_ns):
                os.unlink(path)  # noqa: PTH108  # text in


def _end(target: Folder, staging: Folder, fd: int, shard: Shard) -> None:
    tar_part.write_end(fd, shard.size_bytes)
    rename_noreplace(shard.part_name, shard.name, src_dir_fd=staging.fd, dst_dir_fd=target.fd)
    sync_folder(target.fd)
    sync_folder(staging.fd)


def _ignore(_result: object, _error: BaseException | None) -> None:
    """Nobody waits for what is closed."""
