"""The border where the system's errors become reasons that a person can act on."""

from __future__ import annotations

import errno
import os
from typing import Final

from tui_dl.core.errors import FileSystemError, Reason

_REASONS: Final[dict[int, Reason]] = {
    errno.ENOSPC: Reason.DISK_FULL,
    errno.EDQUOT: Reason.QUOTA_EXCEEDED,
    errno.EROFS: Reason.READ_ONLY,
    errno.EACCES: Reason.PERMISSION_DENIED,
    errno.EPERM: Reason.PERMISSION_DENIED,
    errno.ENOENT: Reason.FOLDER_MISSING,
    errno.ENOTDIR: Reason.FOLDER_MISSING,
    errno.ESTALE: Reason.FOLDER_MISSING,
    errno.EEXIST: Reason.TARGET_EXISTS,
    errno.EFBIG: Reason.FILE_TOO_LARGE,
    errno.EMFILE: Reason.TOO_MANY_FILES,
    errno.ENFILE: Reason.TOO_MANY_FILES,
    errno.ENAMETOOLONG: Reason.NAME_REFUSED,
    errno.EILSEQ: Reason.NAME_REFUSED,
}

_PASSING: Final = frozenset({Reason.DISK_FULL, Reason.QUOTA_EXCEEDED, Reason.TOO_MANY_FILES})
"""Conditions that end without a person acting on the task: it waits and goes on by itself."""


def map_os_error(error: OSError, what: str) -> FileSystemError:
    """Return the error for a person; `what` says what was tried on which path ("write to /a/b.part")."""
    reason = _REASONS.get(error.errno or 0, Reason.IO_ERROR)
    words = os.strerror(error.errno) if error.errno else str(error)
    return FileSystemError(reason, f"cannot {what}: {words}", is_retryable=reason in _PASSING)
