"""Durability and exclusive renames: what the standard library does not offer."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
from contextlib import suppress
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_RENAME_NOREPLACE: Final = 1
_NOT_OFFERED: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


class Guarantee(Enum):
    """How surely a rename replaced nothing."""

    ATOMIC = "atomic"
    """The kernel refused to replace (`renameat2`)."""
    LINKED = "linked"
    """`link()` refused to replace; a crash between it and `unlink()` leaves both names of the one file."""
    CHECKED = "checked"
    """Looked first, under a lock that other tui-dl processes honour; a foreign process could slip in between."""


def rename_noreplace(src: str, dst: str, *, src_dir_fd: int, dst_dir_fd: int) -> Guarantee:
    """Rename in or between open folders; raises `FileExistsError` where `dst` is there already."""
    try:
        _renameat2(src, dst, src_dir_fd, dst_dir_fd)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    else:
        return Guarantee.ATOMIC
    try:
        os.link(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        os.unlink(src, dir_fd=src_dir_fd)
        return Guarantee.LINKED
    _checked_rename(src, dst, src_dir_fd, dst_dir_fd)
    return Guarantee.CHECKED


def sync_file(fd: int) -> None:
    """Make the bytes and the length of a file durable."""
    getattr(os, "fdatasync", os.fsync)(fd)


def sync_folder(fd: int) -> None:
    """Make the names in a folder durable; file systems that cannot sync a folder are left to their own care."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_path(path: str) -> None:
    """Make a file, or the names in a folder, durable, blocking. Raises `OSError`."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_folder(fd)
    finally:
        os.close(fd)


def sync_group(folder_fd: int, file_fds: Sequence[int]) -> dict[int, OSError]:
    """Make these files of one file system durable, with one sync if it can be; returns the descriptors that failed.

    All descriptors must have been open since before the files were written: the kernel tells each of them once of an
    error in writing back. So after a failed sync of the whole (which may be another file's doing), asking each file
    is a true answer and no second try.
    """
    if _syncfs(folder_fd):
        return {}
    failures: dict[int, OSError] = {}
    for fd in file_fds:
        try:
            os.fsync(fd)
        except OSError as error:
            failures[fd] = error
    return failures


def _syncfs(fd: int) -> bool:
    call = _libc_function("syncfs")
    return call is not None and _is_syncfs_honest() and call(fd) == 0


@cache
def _is_syncfs_honest() -> bool:
    """Whether `syncfs()` reports errors of writing back (Linux 5.8)."""
    version = [int(part) for part in re.findall(r"\d+", os.uname().release)[:2]]
    return version >= [5, 8]


def _renameat2(src: str, dst: str, src_dir_fd: int, dst_dir_fd: int) -> None:
    call = _libc_function("renameat2")
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(src_dir_fd, os.fsencode(src), dst_dir_fd, os.fsencode(dst), _RENAME_NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), dst)


def _checked_rename(src: str, dst: str, src_dir_fd: int, dst_dir_fd: int) -> None:
    lock = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dst_dir_fd)
    try:
        # Where folders cannot be locked either (some network file systems) only the look is left.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            os.lstat(dst, dir_fd=dst_dir_fd)
        except FileNotFoundError:
            os.rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        else:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), dst)
    finally:
        os.close(lock)


@cache
def _libc_function(name: str) -> Callable[..., Any] | None:
    function: Callable[..., Any] | None = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    return function
