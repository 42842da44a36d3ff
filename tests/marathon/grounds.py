"""Real grounds for local faults: small file systems, read-only mounts, and the filling and freeing of disks."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Test = TypeVar("Test", bound="Callable[..., Any]")
FILLER_PIECE_BYTES: Final = 1 << 16


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
