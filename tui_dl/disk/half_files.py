"""Half files that other tools left: found, read, and taken over; the file itself is not touched before that."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.aria2_control import MOST_CONTROL_BYTES
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.extents import MOST_EXTENT_BYTES, Extent
from tui_dl.core.filename import numbered
from tui_dl.disk.durable import rename_noreplace, sync_folder
from tui_dl.disk.opening import is_ours
from tui_dl.disk.placing import ORDERED_SUFFIX, first_free
from tui_dl.disk.proving import read_exactly
from tui_dl.disk.writer import sum_extents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.disk.folder import Folder

CONTROL_SUFFIX: Final = ".aria2"
BLOCK_BYTES: Final = 64 * 1024
"""Blocks of nothing but zeros are looked for in this size: a crash leaves such where bytes were lost."""
_ZEROS: Final = bytes(BLOCK_BYTES)
_OPEN: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NOT_THERE: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.EISDIR, errno.ENXIO})


class HalfFile(NamedTuple):
    """An open half file."""

    folder: Folder
    """Where it is; owned by whoever found it."""
    name: str
    """Its name there."""
    fd: int
    """Descriptor for reading and writing."""
    size_bytes: int
    """Its length when it was opened."""
    prefix_bytes: int
    """Bytes before its first hole, of whatever value."""
    modified_ns: int
    """Time of its last change when it was opened."""
    control: bytes | None
    """What aria2's control file says; None without one."""
    trouble: str
    """Why it cannot be taken over as it is; empty if nothing stands against it."""
    is_busy: bool
    """Whether that is because somebody else works on it."""

    @property
    def path(self) -> str:
        """Absolute path."""
        return self.folder.join(self.name)


class Stretch(NamedTuple):
    """A stretch of a half file that was read."""

    extents: list[Extent]
    """Its sums."""
    blank: list[int]
    """Offsets of its blocks that hold nothing but zeros."""


def find_half(folder: Folder, name: str) -> list[HalfFile]:
    """Open what other tools may have left for `name`, likeliest first, blocking: NAME (with NAME.aria2), NAME.part."""
    found: list[HalfFile] = []
    try:
        for candidate in (name, name + ORDERED_SUFFIX):
            half = _open(folder, candidate)
            if half is not None:
                found.append(half)
    except BaseException:
        close_half(found)
        raise
    return found


def close_half(halves: Iterable[HalfFile]) -> None:
    """Close them."""
    for half in halves:
        os.close(half.fd)


def read_stretch(half: HalfFile, start: int, end: int) -> Stretch:
    """Read a stretch of at most a few MiB, blocking; it ends early where the file does."""
    extents: list[Extent] = []
    blank: list[int] = []
    while start < end and (piece := read_exactly(half.fd, min(MOST_EXTENT_BYTES, end - start), start)):
        extents += sum_extents([piece], start)
        blank += [start + at for at in range(0, len(piece), BLOCK_BYTES) if piece.startswith(_ZEROS, at)]
        start += len(piece)
    return Stretch(extents, blank)


def data_end(half: HalfFile, end: int) -> int:
    """Return where the bytes before `end` end that are not zeros, up to whole blocks, blocking.

    What a crash cut off, or a tool that reserves room never wrote, reads as zeros.
    """
    while end > 0:
        start = (end - 1) // BLOCK_BYTES * BLOCK_BYTES
        if any(read_exactly(half.fd, end - start, start)):
            return end
        end = start
    return 0


def part_name_for(folder: Folder, name: str, suffix: str) -> str:
    """Return a free name of a part file for `name`, blocking."""

    def look(free_name: str) -> None:
        if os.path.lexists(folder.join(free_name + suffix)):
            raise FileExistsError

    return numbered(name, first_free(name, look)) + suffix


def take_over(half: HalfFile, part_name: str) -> None:
    """Give a half file the name of a part file of ours, durably, blocking; where that fails it is as it was.

    Raises `FileSystemError` PART_BUSY where it was changed since it was opened, PART_LOST where it was replaced.
    """
    folder, facts = half.folder, os.fstat(half.fd)
    if (facts.st_size, facts.st_mtime_ns) != (half.size_bytes, half.modified_ns) or _is_open_elsewhere(half.fd):
        raise FileSystemError(Reason.PART_BUSY, f"another program writes to {half.path}; end it, then retry")
    if not is_ours(folder, half.name, half.fd):
        raise FileSystemError(Reason.PART_LOST, f"{half.path} was removed or replaced")
    # As every part file of ours: another of our processes keeps off.
    fcntl.flock(half.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if half.name != part_name:
        rename_noreplace(half.name, part_name, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
    sync_folder(folder.fd)


def drop_control(half: HalfFile) -> None:
    """Remove the control file of a half file that was taken over, blocking: it speaks of a file that is ours now."""
    if half.control is not None:
        with suppress(FileNotFoundError):
            os.unlink(half.name + CONTROL_SUFFIX, dir_fd=half.folder.fd)


def _open(folder: Folder, name: str) -> HalfFile | None:
    try:
        fd = os.open(name, _OPEN, dir_fd=folder.fd)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            os.close(fd)
            return None
        control = _control_of(folder, name)
        busy = _who_works_on(folder.join(name), fd)
        trouble = busy or (
            "" if facts.st_nlink == 1 else f"{folder.join(name)} has other names, which stand for it too"
        )
        return HalfFile(
            folder, name, fd, facts.st_size, _prefix_bytes(fd), facts.st_mtime_ns, control, trouble, bool(busy)
        )
    except BaseException:
        os.close(fd)
        raise


def _who_works_on(path: str, fd: int) -> str:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_UN)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return f"another tui-dl works on {path}"
    return f"another program has {path} open" if _is_open_elsewhere(fd) else ""


def _is_open_elsewhere(fd: int) -> bool:
    """Whether anybody else has the file open, as far as the system tells: a write lease is given to the only one."""
    lease = getattr(fcntl, "F_SETLEASE", None)
    if lease is None:
        return False
    try:
        # Whoever opens it in this very moment would send SIGIO, which ends a process; SIGURG does not.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, lease, fcntl.F_WRLCK)
        fcntl.fcntl(fd, lease, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def _prefix_bytes(fd: int) -> int:
    try:
        return os.lseek(fd, 0, os.SEEK_HOLE)
    except OSError:  # an empty file, or a file system that does not tell
        return os.fstat(fd).st_size


def _control_of(folder: Folder, name: str) -> bytes | None:
    try:
        fd = os.open(
            name + CONTROL_SUFFIX, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder.fd
        )
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return read_exactly(fd, MOST_CONTROL_BYTES, 0)
    finally:
        os.close(fd)
