"""A file that is written beside its place and put there whole: who reads it sees the old one or the new one."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.disk.durable import sync_file, sync_folder
from tui_dl.disk.os_errors import map_os_error

if TYPE_CHECKING:
    from typing import BinaryIO

_SUFFIX: Final = ".tui-dl-new"
_MOST_NAME_BYTES: Final = 200
_WRITE_BYTES: Final = 1 << 20


class ReplacedFile:
    """An export under way. Until `commit()` the old file stays as it is; `discard()` leaves nothing behind.

    What a kill leaves is a hidden file that the next export to the same place takes over. A place that is no regular
    file (a pipe, a terminal) is written to directly. All methods block.
    """

    def __init__(self, path: Path) -> None:
        """Open it; raises `FileSystemError`, `TARGET_EXISTS` for a folder and `PART_BUSY` where another one writes."""
        self.path = Path(os.path.realpath(path))
        """Where it goes; links are followed."""
        self._beside: Path | None = None
        try:
            self.file = self._open()
        except OSError as error:
            raise map_os_error(error, f"write {path}") from error

    def _open(self) -> BinaryIO:
        mode = _mode_of(self.path)
        if mode is not None and stat.S_ISDIR(mode):
            raise FileSystemError(Reason.TARGET_EXISTS, f"{self.path} is a folder")
        if mode is not None and not stat.S_ISREG(mode):
            return self.path.open("wb", buffering=_WRITE_BYTES)
        if mode is not None and not os.access(self.path, os.W_OK):
            raise FileSystemError(Reason.PERMISSION_DENIED, f"{self.path} is write-protected")
        name = os.fsencode(self.path.name)[:_MOST_NAME_BYTES]
        self._beside = self.path.with_name(f".{os.fsdecode(name)}{_SUFFIX}")
        descriptor = _locked(self._beside)
        if mode is not None:
            with suppress(OSError):  # another owner's file: ours has our own mode
                os.fchmod(descriptor, stat.S_IMODE(mode))
        return os.fdopen(descriptor, "wb", buffering=_WRITE_BYTES)

    def commit(self) -> None:
        """Put it in its place, durably; raises `FileSystemError`, after which the old one is still there."""
        try:
            self.file.flush()
            if self._beside is None:
                self.file.close()
                return
            sync_file(self.file.fileno())
            self._beside.replace(self.path)
            self._beside = None
            self.file.close()
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                sync_folder(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise map_os_error(error, f"write {self.path}") from error

    def discard(self) -> None:
        """Forget it; after `commit()` this does nothing."""
        with suppress(OSError, ValueError):
            if self._beside is not None:
                self._beside.unlink()
        with suppress(OSError):
            self.file.close()


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _locked(path: Path) -> int:
    """Open a file that nobody else writes, empty."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have put it in its place meanwhile: then this is the finished file.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                os.ftruncate(descriptor, 0)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise FileSystemError(Reason.PART_BUSY, f"another tui-dl is writing {path}") from None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
