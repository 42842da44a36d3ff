"""Map what SQLite and the file system report about the journal's own file to errors for people."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from pathlib import Path

_PRIMARY: Final = 0xFF
"""Extended result codes carry the primary one in their low byte (sqlite.org/rescode.html)."""

_BY_CODE: Final = {
    sqlite3.SQLITE_FULL: Reason.DISK_FULL,
    sqlite3.SQLITE_BUSY: Reason.JOURNAL_BUSY,
    sqlite3.SQLITE_LOCKED: Reason.JOURNAL_BUSY,
    sqlite3.SQLITE_PROTOCOL: Reason.JOURNAL_BUSY,
    sqlite3.SQLITE_READONLY: Reason.READ_ONLY,
    sqlite3.SQLITE_PERM: Reason.PERMISSION_DENIED,
    sqlite3.SQLITE_AUTH: Reason.PERMISSION_DENIED,
    sqlite3.SQLITE_CANTOPEN: Reason.PERMISSION_DENIED,
    sqlite3.SQLITE_CORRUPT: Reason.JOURNAL_DAMAGED,
    sqlite3.SQLITE_NOTADB: Reason.JOURNAL_DAMAGED,
    sqlite3.SQLITE_IOERR: Reason.IO_ERROR,
    sqlite3.SQLITE_NOMEM: Reason.IO_ERROR,
}
"""Conditions of the file as a whole; any other code is the fault of one statement."""

_BY_ERRNO: Final = {
    errno.ENOSPC: Reason.DISK_FULL,
    errno.EDQUOT: Reason.QUOTA_EXCEEDED,
    errno.EROFS: Reason.READ_ONLY,
    errno.EACCES: Reason.PERMISSION_DENIED,
    errno.EPERM: Reason.PERMISSION_DENIED,
    errno.EISDIR: Reason.PERMISSION_DENIED,
    errno.ELOOP: Reason.PERMISSION_DENIED,
    errno.ENOENT: Reason.FOLDER_MISSING,
    errno.ENOTDIR: Reason.FOLDER_MISSING,
    errno.EMFILE: Reason.TOO_MANY_FILES,
    errno.ENFILE: Reason.TOO_MANY_FILES,
}

_RETRYABLE: Final = frozenset({Reason.DISK_FULL, Reason.QUOTA_EXCEEDED, Reason.JOURNAL_BUSY})


def condition_of(error: BaseException) -> Reason | None:
    """Return what is wrong with the journal's file as a whole, None where one statement alone is at fault."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None:
            return _BY_CODE.get(code & _PRIMARY)
        # Python raises without a code where the text of a broken row cannot be decoded.
        return Reason.JOURNAL_DAMAGED if isinstance(error, sqlite3.OperationalError) else None
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, Reason.IO_ERROR)
    return None


def journal_error(error: BaseException, path: Path | None) -> FileSystemError:
    """Return the error to raise for what SQLite or the file system reported about this journal; it may look there."""
    reason, words = condition_of(error) or Reason.IO_ERROR, str(error)
    if path is not None and _cannot_open(error) and (cause := _refusal(path)) is not None:
        reason, words = condition_of(cause) or Reason.IO_ERROR, f"{words}: {cause.strerror}"
    place = "the journal in memory" if path is None else f"the journal {path}"
    return FileSystemError(reason, f"{place}: {words}", is_retryable=reason in _RETRYABLE)


def _cannot_open(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & _PRIMARY == (
        sqlite3.SQLITE_CANTOPEN
    )


def _refusal(path: Path) -> OSError | None:
    """Return what the system says to opening a file that SQLite could not open; it tells nobody why."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return error
    return None


def is_damage(error: BaseException) -> bool:
    """Whether the error says that the file itself is broken."""
    if isinstance(error, FileSystemError):
        return error.reason is Reason.JOURNAL_DAMAGED
    return isinstance(error, sqlite3.Error) and condition_of(error) is Reason.JOURNAL_DAMAGED
