"""Room for a file's bytes, taken at once: fewer fragments, and a disk that is too full says so before a byte came."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

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
    `posix_fallocate()` would write zeros where the file system cannot. Raises `OSError` ENOSPC, EDQUOT, EFBIG; what
    was taken until then goes with the file.
    """
    take = _taker()
    if take is None or length_bytes <= 0:
        return False
    try:
        take(fd, length_bytes)
    except OSError as error:
        if error.errno in _NOT_OFFERED:
            return False
        raise
    return True


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
