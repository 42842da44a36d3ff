"""Part files are made, found again, locked and removed here, and only our own."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.filename import numbered
from tui_dl.disk.folder import require_component
from tui_dl.disk.placing import SCATTERED_SUFFIX, first_free

if TYPE_CHECKING:
    from collections.abc import Collection

    from tui_dl.disk.folder import Folder

_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking, or a named pipe put in the part file's place would hang the thread.
_REOPEN: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
_NOT_A_PART: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.EISDIR, errno.ENXIO})
_MOST_FILE_BYTES: Final = (1 << 63) - 1


class OpenPart(NamedTuple):
    """An open part file and what was seen when it was opened."""

    folder: Folder
    """The folder that it is in."""
    fd: int
    """Descriptor for reading and writing."""
    name: str
    """Its name in its folder."""
    size_bytes: int
    """Its length."""
    is_new: bool
    """Whether it was made now."""
    is_locked: bool
    """Whether the lock was taken; False where the file system has none."""
    was_there: bool = False
    """Whether an empty one was taken up: whoever knows the other tasks has to ask whether it is one of theirs."""


def create_part(
    folder: Folder, name: str, suffix: str, total_bytes: int | None, avoided: Collection[str] = ()
) -> OpenPart:
    """Make a part file under the first free of `NAME`, `NAME (1)`... with the suffix; mode `0666 & ~umask`.

    An empty scattered one that nobody holds is taken up: a crash came between its making and its record. Those of
    the names `avoided` are left alone. Takes the folder over: it is closed where this fails.
    """
    fd = -1

    is_locked = was_there = False

    def take(free_name: str) -> None:
        nonlocal fd, is_locked, was_there
        if free_name + suffix in avoided:
            raise _taken(free_name + suffix)
        fd, is_locked, was_there = _make_or_take_up(folder, free_name + suffix)

    try:
        require_component(name)
        _require_possible(name, total_bytes)
        part_name = numbered(name, first_free(name, take)) + suffix
        return OpenPart(folder, fd, part_name, 0, is_new=True, is_locked=is_locked, was_there=was_there)
    except BaseException:
        _close(fd, folder.fd)
        raise


def reopen_part(folder: Folder, part_name: str) -> OpenPart:
    """Open a part file that a task of ours left; what stands in its place instead is refused and untouched.

    Takes the folder over: it is closed where this fails.
    """
    fd = -1
    try:
        require_component(part_name)
        fd = _open_existing(folder, part_name)
        size_bytes = _require_plain(folder, part_name, fd)
        is_locked = _lock(folder, part_name, fd)
        return OpenPart(folder, fd, part_name, size_bytes, is_new=False, is_locked=is_locked)
    except BaseException:
        _close(fd, folder.fd)
        raise


def abandon_part(part: OpenPart) -> None:
    """Close a part file that nobody waits for any more; one that was made now is removed."""
    if part.is_new:
        unlink_part(part.folder, part.name, part.fd)
    _close(part.fd, part.folder.fd)


def is_ours(folder: Folder, name: str, fd: int) -> bool:
    """Whether a name in the folder leads to the open file itself, not to a link or another file."""
    try:
        there = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def unlink_part(folder: Folder, name: str, fd: int) -> None:
    """Remove a name if it leads to the open file."""
    if is_ours(folder, name, fd):
        os.unlink(name, dir_fd=folder.fd)


def _require_possible(name: str, total_bytes: int | None) -> None:
    if total_bytes is not None and total_bytes > _MOST_FILE_BYTES:
        raise FileSystemError(Reason.FILE_TOO_LARGE, f"{name} would have {total_bytes} bytes")


def _make_or_take_up(folder: Folder, part_name: str) -> tuple[int, bool, bool]:
    """Return the descriptor of an empty part file, whether it is locked, and whether it was there before.

    Raises `FileExistsError` where what is there is not empty, or somebody's. Between its making and its lock another
    process of ours may take it up: then the name is taken.
    """
    was_there = False
    try:
        fd = os.open(part_name, _CREATE, 0o666, dir_fd=folder.fd)
    except FileExistsError:
        if not part_name.endswith(SCATTERED_SUFFIX):
            raise
        was_there = True
        fd = _reopen_or_leave(part_name, folder)
    try:
        is_locked = _lock(folder, part_name, fd)
        _require_empty(part_name, fd)
    except BaseException as error:
        os.close(fd)
        if isinstance(error, FileSystemError) and error.reason is Reason.PART_BUSY:
            raise _taken(part_name) from error
        raise
    return fd, is_locked, was_there


def _reopen_or_leave(part_name: str, folder: Folder) -> int:
    try:
        return os.open(part_name, _REOPEN, dir_fd=folder.fd)
    except OSError as error:
        if error.errno not in {*_NOT_A_PART, errno.EACCES, errno.EPERM}:
            raise
        raise _taken(part_name) from error


def _require_empty(part_name: str, fd: int) -> None:
    facts = os.fstat(fd)
    is_plain = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and facts.st_uid == os.geteuid()
    if not is_plain or facts.st_size:
        raise _taken(part_name)


def _taken(part_name: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), part_name)


def _open_existing(folder: Folder, part_name: str) -> int:
    try:
        return os.open(part_name, _REOPEN, dir_fd=folder.fd)
    except OSError as error:
        if error.errno not in _NOT_A_PART:
            raise
        raise FileSystemError(Reason.PART_LOST, f"{folder.join(part_name)} was removed or replaced") from error


def _require_plain(folder: Folder, part_name: str, fd: int) -> int:
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        raise FileSystemError(Reason.PART_LOST, f"{folder.join(part_name)} was replaced by something else")
    return facts.st_size


def _close(*fds: int) -> None:
    for fd in fds:
        if fd >= 0:
            os.close(fd)


def _lock(folder: Folder, part_name: str, fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        text = f"another process works on {folder.join(part_name)}"
        raise FileSystemError(Reason.PART_BUSY, text) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
