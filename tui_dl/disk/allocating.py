"""Room for a file's bytes, taken at once: fewer fragments, and a disk that is too full says so before a byte came."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOUNTS: Final = "/proc/self/mountinfo"
"""Device numbers and types of what is mounted (proc(5)), on Linux."""
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_KEEP_SIZE: Final = 1
"""`FALLOC_FL_KEEP_SIZE`: the length stays what was written, so that it never claims bytes that did not come."""
_NOT_OFFERED: Final = frozenset(
    {errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.ENODEV}
)
_F_PREALLOCATE: Final = 42
_F_ALLOCATEALL: Final = 4
_F_PEOFPOSMODE: Final = 3


def reserve(fd: int, length_bytes: int) -> bool:
    """Take room for the first `length_bytes` of a new file, blocking; False where the file system cannot.

    Its length does not change and what is not written reads as nothing or as zeros. Nothing is ever written for it:
    `posix_fallocate()` would write zeros where the file system cannot, and one in memory does so itself (0.28 s a GiB
    seen), with no fragments to be saved. Raises `OSError` ENOSPC, EDQUOT, EFBIG; what
    was taken until then goes with the file.
    """
    take = _taker()
    if take is None or length_bytes <= 0 or is_in_memory(os.fstat(fd).st_dev):
        return False
    try:
        take(fd, length_bytes)
    except OSError as error:
        if error.errno in _NOT_OFFERED:
            return False
        raise
    return True


@lru_cache(maxsize=64)
def is_in_memory(device: int) -> bool:
    """Whether a file system (`st_dev`) keeps its files in memory; False where nothing tells."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123  # text in, text out
            for line in lines:
                before, _, after = line.partition(" - ")
                if before.split(" ", 3)[2:3] == [wanted]:
                    return after.split(" ", 1)[0] in _IN_MEMORY
    except OSError:
        return False
    return False


@cache
def _taker() -> Callable[[int, int], None] | None:
    if sys.platform == "darwin":
        return _take_on_macos
    function = _fallocate()
    if function is None:
        return None

    def take(fd: int, length_bytes: int) -> None:
        while function(fd, _KEEP_SIZE, 0, length_bytes) != 0:
            number = ctypes.get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))

    return take


def _fallocate() -> Callable[..., Any] | None:
    library = ctypes.CDLL(None, use_errno=True)
    # The name with 64 is the one whose offsets are wide on every machine; musl has only wide ones.
    function = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return function


def _take_on_macos(fd: int, length_bytes: int) -> None:
    # fstore_t: flags, mode, offset, length, and room for the answer.
    fcntl.fcntl(fd, _F_PREALLOCATE, struct.pack("=IiqqQ", _F_ALLOCATEALL, _F_PEOFPOSMODE, 0, length_bytes, 0))
