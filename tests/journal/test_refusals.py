"""What SQLite says when it cannot open a file names no cause: the system is asked for it."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING, NoReturn

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.journal.fault_map import journal_error

if TYPE_CHECKING:
    from pathlib import Path


def refused(folder: Path) -> FileSystemError:
    """Return what a journal fails with in whose place a folder is."""
    with pytest.raises(sqlite3.OperationalError) as failure:
        sqlite3.connect(folder)
    return journal_error(failure.value, folder)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EMFILE, Reason.TOO_MANY_FILES),
        (errno.EACCES, Reason.PERMISSION_DENIED),
        (errno.EROFS, Reason.READ_ONLY),
        (errno.EIO, Reason.IO_ERROR),
    ],
)
def test_the_cause_is_that_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: Reason
) -> None:
    """Too many open files are no matter of permissions."""

    def refuse(*_args: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as system:
        system.setattr(os, "open", refuse)
        error = refused(tmp_path)
    assert error.reason is reason
    assert os.strerror(number) in error.message


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    """The words say what is there."""
    error = refused(tmp_path)
    assert error.reason is Reason.PERMISSION_DENIED
    assert os.strerror(errno.EISDIR) in error.message
