"""The system's errors get the reason and the words that a person needs."""

from __future__ import annotations

import errno

import pytest

from tui_dl.core.errors import Reason
from tui_dl.disk.os_errors import map_os_error


@pytest.mark.parametrize(
    ("number", "reason", "is_retryable"),
    [
        (errno.ENOSPC, Reason.DISK_FULL, True),
        (errno.EDQUOT, Reason.QUOTA_EXCEEDED, True),
        (errno.EROFS, Reason.READ_ONLY, False),
        (errno.EACCES, Reason.PERMISSION_DENIED, False),
        (errno.EPERM, Reason.PERMISSION_DENIED, False),
        (errno.ENOENT, Reason.FOLDER_MISSING, False),
        (errno.EIO, Reason.IO_ERROR, False),
        (errno.EFBIG, Reason.FILE_TOO_LARGE, False),
        (errno.EMFILE, Reason.TOO_MANY_FILES, True),
        (errno.ENAMETOOLONG, Reason.NAME_REFUSED, False),
        (errno.EXDEV, Reason.IO_ERROR, False),
    ],
)
def test_each_number_has_its_reason(number: int, reason: Reason, is_retryable: bool) -> None:
    """An error number leads to its documented reason, and only passing conditions are retryable."""
    error = map_os_error(OSError(number, "words"), "write /a/b")
    assert (error.reason, error.is_retryable) == (reason, is_retryable)


def test_message_names_path_and_cause() -> None:
    """The message says what was tried, on which path, and what the system said."""
    error = map_os_error(OSError(errno.ENOSPC, "x"), "write /a/b.part")
    assert error.message == "cannot write /a/b.part: No space left on device"


def test_error_without_a_number_is_an_io_error() -> None:
    """An OSError that carries words alone keeps them."""
    error = map_os_error(OSError("odd"), "read /a")
    assert (error.reason, error.message) == (Reason.IO_ERROR, "cannot read /a: odd")
