"""Room is taken at once where the file system can, and never at the price of a length that claims too much."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.task import OnExists
from tui_dl.disk import allocating
from tui_dl.disk.allocating import is_in_memory as find_in_memory
from tui_dl.disk.allocating import reserve
from tui_dl.disk.part_file import PartFile
from tui_dl.disk.space import taken_bytes
from tui_dl.disk.writer import sum_extents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool

MIB = 1 << 20
BODY = os.urandom(MIB)


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """Give an empty file."""
    fd = os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


@pytest.fixture(autouse=True)
def on_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the folder of the tests for one on a disk, wherever it is."""
    monkeypatch.setattr(allocating, "is_in_memory", lambda _device: False)


def taker(number: int) -> object:
    """Return what fails as a file system does that answers with this error."""

    def take(_fd: int, _length_bytes: int) -> None:
        raise OSError(number, os.strerror(number))

    return take


def test_room_is_taken_and_the_length_stays(fd: int) -> None:
    """The blocks are there, the file is still empty: size is no evidence of bytes."""
    if not reserve(fd, 4 * MIB):
        pytest.skip("this file system cannot reserve")
    assert os.fstat(fd).st_size == 0
    assert os.fstat(fd).st_blocks * 512 >= 4 * MIB


MOUNTS = """\
23 28 0:21 / /proc rw,nosuid - proc proc rw
31 28 0:27 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw
32 28 8:1 / /a\\040b rw - ext4 /dev/sda1 rw
33 28 0:40 / /ram rw - ramfs none rw
"""


@pytest.mark.parametrize(
    ("device", "is_there"),
    [(os.makedev(0, 27), True), (os.makedev(0, 40), True), (os.makedev(8, 1), False), (os.makedev(9, 9), False)],
)
def test_file_systems_in_memory_are_known_by_their_type(
    device: int, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking room there writes zeros, which is what reserving is to spare."""
    (tmp_path / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(allocating, "MOUNTS", str(tmp_path / "mounts"))
    find_in_memory.cache_clear()
    assert find_in_memory(device) is is_there
    find_in_memory.cache_clear()


def test_without_a_list_of_mounts_every_file_system_is_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems than Linux have none."""
    monkeypatch.setattr(allocating, "MOUNTS", "/nowhere")
    find_in_memory.cache_clear()
    assert not find_in_memory(os.makedev(0, 27))
    find_in_memory.cache_clear()


def test_nothing_is_taken_in_memory(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system is not even asked."""
    monkeypatch.setattr(allocating, "_taker", lambda: taker(errno.EIO))
    monkeypatch.setattr(allocating, "is_in_memory", lambda _device: True)
    assert not reserve(fd, MIB)


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_that_cannot_stays_sparse(fd: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written in its stead."""
    monkeypatch.setattr(allocating, "_taker", lambda: taker(number))
    assert not reserve(fd, MIB)
    assert os.fstat(fd).st_blocks == 0


async def test_a_part_without_room_says_so(pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is too full says so before a byte is written."""
    monkeypatch.setattr(allocating, "_taker", lambda: taker(errno.ENOSPC))
    part = await PartFile.open(pool, str(folder), "a", is_ordered=False, total_bytes=MIB)
    with pytest.raises(FileSystemError) as caught:
        await part.take_room(MIB)
    assert (caught.value.reason, caught.value.is_retryable) == (Reason.DISK_FULL, True)
    await part.close()


async def test_reserved_bytes_are_never_held(pool: DiskPool, folder: Path) -> None:
    """What was not written is missing or zero, and no sum of ours proves it."""
    part = await PartFile.open(pool, str(folder), "a", is_ordered=False, total_bytes=3 * MIB)
    await part.take_room(3 * MIB)
    await part.write([BODY], 2 * MIB)
    claimed = sum_extents([BODY], 0)
    assert await part.verify(claimed) == ([], claimed)
    assert await part.read(0, MIB) == bytes(MIB)
    await part.close()


async def test_taking_room_raises_no_alarm(pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes the file's time as a foreign write would, and is our own."""
    monkeypatch.setattr(allocating, "_taker", lambda: lambda fd, _length_bytes: os.utime(fd, (1, 1)))
    part = await PartFile.open(pool, str(folder), "a", is_ordered=False, total_bytes=MIB)
    assert await part.take_room(MIB)
    assert not await part.is_altered()
    await part.close()


async def test_a_reserved_part_ends_with_its_exact_length(pool: DiskPool, folder: Path) -> None:
    """Length and room of the finished file are those of its bytes."""
    total_bytes = 2 * MIB + 5
    part = await PartFile.open(pool, str(folder), "a", is_ordered=False, total_bytes=total_bytes)
    await part.take_room(total_bytes)
    for offset, piece in ((MIB, BODY), (0, BODY), (2 * MIB, b"12345")):
        await part.write([piece], offset)
    path = await part.commit("a", on_exists=OnExists.SKIP, expected_bytes=total_bytes)
    await part.close()
    assert os.stat(path).st_size == total_bytes  # noqa: PTH116  # text in
    assert await asyncio.to_thread(taken_bytes, path) < total_bytes + MIB


async def test_a_part_begun_anew_gives_its_room_back(pool: DiskPool, folder: Path) -> None:
    """Cut to nothing it takes nothing."""
    part = await PartFile.open(pool, str(folder), "a", is_ordered=False, total_bytes=8 * MIB)
    await part.take_room(8 * MIB)
    await part.truncate(0)
    await part.sync()
    assert await asyncio.to_thread(taken_bytes, part.path) < MIB
    await part.close()


def test_a_missing_file_takes_no_room(tmp_path: Path) -> None:
    """What is not there takes nothing, no exception."""
    assert taken_bytes(str(tmp_path / "none")) == 0
