"""Real grounds for local faults: small file systems, read-only mounts, and the filling and freeing of disks."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

Test = TypeVar("Test", bound="Callable[..., Any]")
FILLER_PIECE_BYTES: Final = 1 << 16
EXT4_IOC_SHUTDOWN: Final = 0x8004587D
NO_LOG_FLUSH: Final = 2


@cache
def can_mount() -> bool:
    """Whether we may mount: root with the capability."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


def needs_root(function: Test) -> Test:
    """Mark a test that mounts; it is skipped visibly elsewhere."""
    skipped = pytest.mark.skipif(not can_mount(), reason="needs root and the right to mount")
    marked: Test = pytest.mark.needs_root(skipped(function))
    return marked


@contextmanager
def tmpfs(path: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system in memory for a while."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        unmount(path)


def unmount(path: Path) -> None:
    """Take a mount away, also while somebody uses it."""
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Make a folder read-only by mounting it over itself."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        yield
    finally:
        unmount(path)


class PowerlessDisk:
    """An ext4 file system in a file, whose power can be cut: what was not synced is gone after `restore()`."""

    def __init__(self, home: Path, size_bytes: int) -> None:
        self._image = home / "disk.img"
        self.path = home / "disk"
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(size_bytes)
        subprocess.run(["mkfs.ext4", "-qF", str(self._image)], check=True)
        self.restore()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unmount(self.path)

    def cut(self) -> None:
        """Drop all that is not on the disk; every call on the file system fails from now on."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def restore(self) -> None:
        """Mount what the disk holds; its journal is replayed as after a power cut."""
        if os.path.ismount(self.path):
            subprocess.run(["umount", str(self.path)], check=True)
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.path)], check=True)


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Fill a file system but for so many bytes and return the file that does it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(FILLER_PIECE_BYTES))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        file.truncate(max(0, file.tell() - leave_bytes))
    return filler
