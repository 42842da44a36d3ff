"""A disk that is really full: the reason, no debris, and going on when there is room again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.task import OnExists
from tui_dl.disk.part_file import PartFile
from tui_dl.disk.small_files import GroupCommit, SavedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool

pytestmark = [pytest.mark.needs_root, pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")]

BODY = os.urandom(3 << 20)


def mount(*options: str) -> bool:
    """Mount a tmpfs, or change one; False where that is not allowed."""
    return subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files of a folder hold."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of one mebibyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)):
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_part_goes_on_when_there_is_room(pool: DiskPool, small_disk: Path) -> None:
    """A write to a full disk waits for room by its reason; with room the same part file ends bit-exact."""
    part = await PartFile.open(pool, str(small_disk), "a", is_ordered=True)
    held = await part.write([BODY[: 1 << 19]], 0)
    with pytest.raises(FileSystemError) as caught:
        await part.write([BODY[1 << 19 :]], 1 << 19)
    assert (caught.value.reason, caught.value.is_retryable) == (Reason.DISK_FULL, True)
    assert await part.verify(held) == (held, [])
    assert mount("-o", "remount,size=8m", str(small_disk))
    await part.write([BODY[1 << 19 :]], 1 << 19)
    await part.commit("a", on_exists=OnExists.SKIP, expected_bytes=len(BODY))
    await part.close()
    assert contents(small_disk) == {"a": BODY}


async def test_a_small_file_leaves_nothing_on_a_full_disk(pool: DiskPool, small_disk: Path) -> None:
    """A small file that does not fit takes no room afterwards and comes whole when there is some."""

    async def record(_files: list[SavedFile]) -> None:
        """Keep nothing."""

    body = BODY[: (1 << 20) - 100]
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 19))
    async with GroupCommit(pool, record) as small:
        with pytest.raises(FileSystemError) as caught:
            await small.save(str(small_disk), "a", [body], on_exists=OnExists.SKIP)
        assert caught.value.reason is Reason.DISK_FULL
        ballast.unlink()
        await small.save(str(small_disk), "a", [body[: 1 << 19]], on_exists=OnExists.SKIP)
    assert contents(small_disk) == {"a": body[: 1 << 19]}


async def test_a_read_only_file_system_says_so(pool: DiskPool, small_disk: Path) -> None:
    """A folder that became read-only is named as such."""
    assert mount("-o", "remount,ro", str(small_disk))
    with pytest.raises(FileSystemError) as caught:
        await PartFile.open(pool, str(small_disk), "a", is_ordered=True)
    assert caught.value.reason is Reason.READ_ONLY
