"""Part files: opened without touching what is foreign, proven, and committed whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from tests.disk.parts import BODY, contents, opened
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.task import OnExists
from tui_dl.disk import part_file, placing
from tui_dl.disk.part_file import PartFile

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool


def move_away(folder: Path, *, is_replaced: bool) -> Path:
    """Rename a folder, perhaps with another put in its place; returns where it went."""
    moved = folder.rename(folder.with_name("moved"))
    if is_replaced:
        folder.mkdir()
    return moved


def damage(path: Path) -> None:
    """Alter a byte of the second body of three and cut off the last byte."""
    with path.open("r+b") as foreign:
        foreign.seek(len(BODY) + 7)
        foreign.write(b"x")
        foreign.truncate(3 * len(BODY) - 1)


@pytest.mark.parametrize(("is_ordered", "name"), [(True, "a.bin.part"), (False, "a.bin.tui-dl.part")])
async def test_name_tells_holes_from_prefixes(pool: DiskPool, folder: Path, is_ordered: bool, name: str) -> None:
    """A part file with holes has a name that no other tool takes up."""
    async with opened(pool, folder, is_ordered=is_ordered) as part:
        assert part.path == str(folder / name)
        assert part.is_new


async def test_foreign_part_files_are_left_alone(pool: DiskPool, folder: Path) -> None:
    """A taken part name, even by a dangling link, moves ours to the next number."""
    (folder / "a.bin.part").write_text("foreign")
    (folder / "a (1).bin.part").symlink_to("nowhere")
    async with opened(pool, folder) as part:
        assert part.path == str(folder / "a (2).bin.part")
        await part.write([b"x"], 0)
    assert (folder / "a.bin.part").read_text() == "foreign"
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize("mask", [0o022, 0o077])
async def test_mode_follows_the_umask(pool: DiskPool, folder: Path, mask: int) -> None:
    """A final file has the permissions that any other new file would have."""
    before = os.umask(mask)
    try:
        async with opened(pool, folder) as part:
            await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=0)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "a.bin").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\0b", "a\ud800"])
async def test_a_path_is_no_name(pool: DiskPool, folder: Path, name: str) -> None:
    """Whatever is not one component is refused before anything is made."""
    with pytest.raises(FileSystemError) as caught:
        await PartFile.open(pool, str(folder), name, is_ordered=True)
    assert caught.value.reason is Reason.NAME_REFUSED
    assert contents(folder) == {}


async def test_a_missing_folder_is_made_only_when_asked(pool: DiskPool, folder: Path) -> None:
    """A folder that is gone is an error with its reason, unless it is to be made."""
    target = folder / "x" / "y"
    with pytest.raises(FileSystemError) as caught:
        await PartFile.open(pool, str(target), "a", is_ordered=True)
    assert caught.value.reason is Reason.FOLDER_MISSING
    part = await PartFile.open(pool, str(target), "a", is_ordered=True, create_folder=True)
    await part.close()
    assert contents(target) == {"a.part": b""}


async def test_reopening_keeps_what_it_holds(pool: DiskPool, folder: Path) -> None:
    """A part file that was closed is found again with its bytes."""
    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
    async with opened(pool, folder, part_path=part.path) as again:
        assert (again.is_new, again.size_bytes) == (False, len(BODY))
        assert await again.read(9_995, 100) == BODY[9_995:]


async def test_a_busy_part_file_is_refused(pool: DiskPool, folder: Path) -> None:
    """Two cannot work on one part file, and closing ends the claim."""
    async with opened(pool, folder) as part:
        with pytest.raises(FileSystemError) as caught:
            await PartFile.open(pool, str(folder), "a.bin", is_ordered=True, part_path=part.path)
        assert caught.value.reason is Reason.PART_BUSY
    async with opened(pool, folder, part_path=part.path):
        pass


@pytest.mark.parametrize("kind", ["missing", "link", "hard link", "folder", "pipe"])
async def test_what_is_not_our_part_file_is_refused(pool: DiskPool, folder: Path, kind: str) -> None:
    """Only a plain file of one name is taken up again; anything else is PART_LOST and untouched."""
    path, other = folder / "a.bin.part", folder / "other"
    other.write_text("precious")
    if kind == "link":
        path.symlink_to(other)
    elif kind == "hard link":
        path.hardlink_to(other)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(FileSystemError) as caught:
        await PartFile.open(pool, str(folder), "a.bin", is_ordered=True, part_path=str(path))
    assert caught.value.reason is Reason.PART_LOST
    assert other.read_text() == "precious"


async def test_a_file_system_without_locks_is_used(
    pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where locks are not offered the part file says so and works."""

    def flock(_fd: int, _operation: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    async with opened(pool, folder) as part:
        assert not part.is_locked


async def test_a_cancelled_open_leaves_nothing(pool: DiskPool, folder: Path) -> None:
    """A part file made for a caller that is gone is removed again."""
    _, writer = held = await pool.open_folder(str(folder))
    gate = threading.Event()
    block = asyncio.create_task(writer.call(gate.wait))
    opening = asyncio.create_task(PartFile.open(pool, str(folder), "a", is_ordered=True))
    for _ in range(1000):
        if writer._writes.pending == 2:
            break
        await asyncio.sleep(0.001)
    opening.cancel()
    gate.set()
    await block
    await writer.drain()
    await writer.close(held[0].fd)
    assert opening.cancelled()
    assert contents(folder) == {}


async def test_verify_finds_altered_and_missing_bytes(pool: DiskPool, folder: Path) -> None:
    """Extents that were altered or cut off are told from those that are intact."""
    async with opened(pool, folder) as part:
        first = await part.write([BODY], 0)
        second = await part.write([BODY], len(BODY))
        third = await part.write([BODY], 2 * len(BODY))
        damage(folder / "a.bin.part")
        assert await part.verify(first + second + third) == (first, second + third)


async def test_a_long_verification_lets_syncs_in_between(pool: DiskPool, folder: Path) -> None:
    """Reading back many mebibytes is cut into jobs, so that a sync asked meanwhile is not last."""
    async with opened(pool, folder, is_ordered=False) as part:
        extents = await part.write([bytes(1 << 20)] * 24, 0)
        verification = asyncio.create_task(part.verify(extents))
        await asyncio.sleep(0)
        await part.sync()
        assert not verification.done()
        assert await verification == (extents, [])


async def test_a_failed_sync_distrusts_the_file(pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync neither another sync nor a commit pretends, until the loss is accepted."""

    def fails(_fd: int) -> None:
        raise OSError(errno.EIO, "io")

    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        with monkeypatch.context() as patch:
            patch.setattr(part_file, "sync_file", fails)
            with pytest.raises(FileSystemError):
                await part.sync()
        assert part.is_distrusted
        with pytest.raises(FileSystemError, match="earlier sync failed"):
            await part.sync()
        with pytest.raises(FileSystemError, match="earlier sync failed"):
            await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=None)
        part.renew_trust()
        await part.write([BODY], 0)
        await part.sync()


async def test_a_failed_sync_is_known_although_its_caller_was_cancelled(
    pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that fails after its caller was cancelled still distrusts the file."""
    gate = threading.Event()

    def fails(_fd: int) -> None:
        gate.wait()
        raise OSError(errno.EIO, "io")

    monkeypatch.setattr(part_file, "sync_file", fails)
    async with opened(pool, folder) as part:
        sync = asyncio.create_task(part.sync())
        await asyncio.sleep(0)
        sync.cancel()
        gate.set()
        await part._writer.drain()
        assert part.is_distrusted


async def test_a_sync_asked_before_another_failed_does_not_pretend(
    pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two syncs under way the second would succeed after the first failed, and is refused instead."""
    outcomes = iter([OSError(errno.EIO, "io"), None])

    def fails_once(_fd: int) -> None:
        if error := next(outcomes):
            raise error

    monkeypatch.setattr(part_file, "sync_file", fails_once)
    async with opened(pool, folder) as part:
        both = await asyncio.gather(part.sync(), part.sync(), return_exceptions=True)
    assert [isinstance(outcome, FileSystemError) for outcome in both] == [True, True]


async def test_a_removed_or_replaced_part_file_is_noticed(pool: DiskPool, folder: Path) -> None:
    """A path that leads nowhere or to another file is not intact and is never committed."""
    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        assert await part.is_intact_file()
        (folder / "a.bin.part").unlink()
        assert not await part.is_intact_file()
        (folder / "a.bin.part").write_bytes(BODY)
        assert not await part.is_intact_file()
        with pytest.raises(FileSystemError) as caught:
            await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=len(BODY))
    assert caught.value.reason is Reason.PART_LOST
    assert contents(folder) == {"a.bin.part": BODY}


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_folder_that_went_is_noticed(pool: DiskPool, folder: Path, is_replaced: bool) -> None:
    """A folder renamed away, also with another in its place, refuses the commit and keeps the part."""
    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        moved = move_away(folder, is_replaced=is_replaced)
        with pytest.raises(FileSystemError) as caught:
            await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=len(BODY))
    assert caught.value.reason is Reason.FOLDER_MISSING
    assert contents(moved) == {"a.bin.part": BODY}


async def test_a_removed_folder_refuses_new_parts(pool: DiskPool, folder: Path) -> None:
    """Removing the whole folder gives the reason that a person can act on."""
    async with opened(pool, folder) as part:
        shutil.rmtree(folder)
        assert not await part.is_intact_file()
    with pytest.raises(FileSystemError) as caught:
        await PartFile.open(pool, str(folder), "b", is_ordered=True)
    assert caught.value.reason is Reason.FOLDER_MISSING


async def test_delete_removes_ours_alone(pool: DiskPool, folder: Path) -> None:
    """A part file is removed; another file that took its name is not."""
    async with opened(pool, folder) as part:
        await part.delete()
    assert contents(folder) == {}
    async with opened(pool, folder) as part:
        (folder / "a.bin.part").unlink()
        (folder / "a.bin.part").write_text("foreign")
        await part.delete()
    assert contents(folder) == {"a.bin.part": b"foreign"}


async def test_closing_twice_is_closing_once(pool: DiskPool, folder: Path) -> None:
    """A second close touches no descriptor, which might be another's by then."""
    async with opened(pool, folder) as part:
        await part.close()
    with pytest.raises(RuntimeError):
        await part.sync()


async def test_thousands_of_one_name_do_not_try_every_number(
    folder: Path, pool: DiskPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last number of a name is remembered, so the next file of it needs two tries."""
    tries: list[str] = []
    monkeypatch.setattr(placing, "_take", lambda _folder, _part, _fd, name: tries.append(name))
    held, writer = await pool.open_folder(str(folder))
    names = placing.Placing()
    names._numbers[held.device, held.inode, "a"] = 5000
    assert names.place(held, "x", 0, "a", OnExists.RENAME) == "a (5000)"
    assert tries == ["a (5000)"]
    await writer.close(held.fd)


async def test_it_is_read_through_in_order_outside_the_loop(pool: DiskPool, folder: Path) -> None:
    """Beyond one job's bytes too, in pieces of 1 MiB at most, none of them in the loop's thread."""
    body = os.urandom((9 << 20) + 5)
    pieces: list[bytes] = []
    threads: set[int] = set()

    def take(piece: bytes) -> None:
        pieces.append(piece)
        threads.add(threading.get_ident())

    async with opened(pool, folder) as part:
        await part.write([body], 0)
        await part.read_through(take)
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 1 << 20
    assert threading.get_ident() not in threads
