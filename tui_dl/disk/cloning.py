"""Copies that share their blocks, where the file system can do that, and plain ones where it cannot."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.disk.durable import sync_file

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE_BYTES: Final = 1 << 20
"""Read at once."""
_FICLONE: Final = 0x4004_9409
"""`ioctl` that lets a file share all blocks of another (Linux: Btrfs, XFS, bcachefs, OCFS2)."""
_CANNOT: Final = frozenset(
    (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EISDIR)
)
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def clone(source_fd: int, target_fd: int) -> bool:
    """Let an empty file share the content of another, blocking; False where that cannot be."""
    try:
        from fcntl import ioctl  # noqa: PLC0415  # there is none on Windows
    except ImportError:
        return False
    try:
        ioctl(target_fd, _FICLONE, source_fd)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True


def open_unchanged(path: str, is_unchanged: Callable[[os.stat_result], bool]) -> int:
    """Open a regular file to read; -1 where it is gone, cannot be read, or is not as it was."""
    try:
        fd = os.open(path, _READ)
    except OSError:
        return -1
    facts = os.fstat(fd)
    if stat.S_ISREG(facts.st_mode) and is_unchanged(facts):
        return fd
    os.close(fd)
    return -1


def copy_whole(source: str, target: str) -> tuple[int, str]:
    """Put a whole copy of a file somewhere, in place of an older one; return its time (ns) and SHA-256.

    Blocking; raises `OSError`. A power cut may lose the name, never leave half a copy under it.
    """
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120  # text in, text out
    made = f"{target}.{os.getpid()}.part"
    source_fd = os.open(source, _READ)
    try:
        target_fd = os.open(made, _CREATE, 0o600)
        try:
            sha256 = _fill(source_fd, target_fd)
            sync_file(target_fd)
            os.rename(made, target)  # noqa: PTH104  # text in, text out
            return os.fstat(target_fd).st_mtime_ns, sha256
        except BaseException:
            with suppress(OSError):
                os.unlink(made)  # noqa: PTH108  # text in, text out
            raise
        finally:
            os.close(target_fd)
    finally:
        os.close(source_fd)


def _fill(source_fd: int, target_fd: int) -> str:
    is_cloned = clone(source_fd, target_fd)
    sha256 = hashlib.sha256()
    offset = 0
    while piece := os.pread(source_fd, PIECE_BYTES, offset):
        sha256.update(piece)
        view = memoryview(piece)
        while view and not is_cloned:
            view = view[os.write(target_fd, view) :]
        offset += len(piece)
    return sha256.hexdigest()
