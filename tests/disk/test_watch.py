"""Changes of others between our writes are noticed, ours are not; empty part files that nobody holds are taken up."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tui_dl.disk.part_file import PartFile
from tui_dl.disk.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Make an open file whose last change lies well before the present tick of the clock."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    os.utime(path, (1_000, 1_000))
    fd = os.open(path, os.O_RDWR)
    yield path, fd
    os.close(fd)


def test_our_own_writes_are_no_alarm(watched: tuple[Path, int]) -> None:
    """A write between the two looks is ours."""
    _, fd = watched
    watch = Watch(fd)
    watch.before_change()
    os.pwrite(fd, b"more", 5)
    watch.after_change()
    watch.before_change()
    assert not watch.is_alarmed


@pytest.mark.parametrize("harm", [lambda path: os.truncate(path, 2), lambda path: path.write_bytes(b"54321")])
def test_a_change_of_another_is_noticed_for_good(watched: tuple[Path, int], harm: object) -> None:
    """A cut, and a change that keeps the length, raise the alarm, and our next write does not end it."""
    path, fd = watched
    watch = Watch(fd)
    assert callable(harm)
    harm(path)
    watch.before_change()
    watch.after_change()
    watch.before_change()
    assert watch.is_alarmed


async def test_an_empty_part_file_of_nobody_is_taken_up(folder: Path, pool: DiskPool) -> None:
    """A crash between the making of a part file and its record leaves no debris."""
    (folder / "f.bin.tui-dl.part").touch()
    part = await PartFile.open(pool, str(folder), "f.bin", is_ordered=False)
    assert part.path == str(folder / "f.bin.tui-dl.part")
    assert part.was_there
    await part.close()


async def test_an_empty_part_file_that_is_to_be_avoided_is_left_alone(folder: Path, pool: DiskPool) -> None:
    """It may be another task's, which only the journal knows."""
    (folder / "f.bin.tui-dl.part").touch()
    avoided = frozenset({"f.bin.tui-dl.part"})
    part = await PartFile.open(pool, str(folder), "f.bin", is_ordered=False, avoided=avoided)
    assert (part.path, part.was_there) == (str(folder / "f (1).bin.tui-dl.part"), False)
    await part.close()


@pytest.mark.parametrize("content", [b"x", b""])
async def test_a_part_file_of_somebody_is_left_alone(folder: Path, pool: DiskPool, content: bytes) -> None:
    """One that holds bytes, or that a living process holds, keeps its name."""
    taken = folder / "f.bin.tui-dl.part"
    taken.write_bytes(content)
    with taken.open("rb") as held:
        if not content:
            fcntl.flock(held, fcntl.LOCK_EX)
        part = await PartFile.open(pool, str(folder), "f.bin", is_ordered=False)
        assert part.path == str(folder / "f (1).bin.tui-dl.part")
        await part.close()
    assert taken.read_bytes() == content
