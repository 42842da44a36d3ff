"""Small files: grouped, recorded before their savers go on, and failing one by one."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError, Reason, TuiDlError
from tui_dl.core.task import OnExists
from tui_dl.disk import small_files, small_parts, writer
from tui_dl.disk.small_files import GROUP_FILES, GroupCommit, SavedFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tui_dl.disk.folder import Folder
    from tui_dl.disk.writer import DiskPool


class Journal:
    """Notes the groups that were reported to it."""

    def __init__(self) -> None:
        self.groups: list[list[SavedFile]] = []
        self.error: TuiDlError | None = None

    async def record(self, files: list[SavedFile]) -> None:
        """Take a group, or fail as it was told."""
        if self.error is not None:
            raise self.error
        self.groups.append(files)


@pytest.fixture
def journal() -> Journal:
    """Give an empty journal."""
    return Journal()


@pytest.fixture(params=[True, False], ids=["nameless", "named"])
async def small(request: pytest.FixtureRequest, pool: DiskPool, journal: Journal) -> AsyncIterator[GroupCommit]:
    """Give a saver that hides files until they are whole, and one that cannot."""
    saver = GroupCommit(pool, journal.record, is_nameless=request.param)
    yield saver
    assert await saver.aclose()


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files of a folder hold."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def make_private_and_link(folder: Path) -> None:
    """Put a private file `a` and a link `b` to it."""
    (folder / "a").write_text("old")
    (folder / "a").chmod(0o600)
    (folder / "b").symlink_to("a")


def replace(folder: Path) -> Path:
    """Rename a folder and put another in its place; returns where it went."""
    moved = folder.rename(folder.with_name("moved"))
    folder.mkdir()
    return moved


def descriptors() -> int:
    """Count the open descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another thread brings about."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - threads and files are no events
            await asyncio.sleep(0.001)


async def test_a_lone_file_goes_at_once(small: GroupCommit, journal: Journal, folder: Path) -> None:
    """One file alone is committed and reported without waiting for company."""
    async with asyncio.timeout(0.2):
        path = await small.save(str(folder), "a", [b"xy", b"z"], on_exists=OnExists.SKIP, token=7)
    assert journal.groups == [[SavedFile(7, path, 3)]]
    assert contents(folder) == {"a": b"xyz"}


async def test_many_files_share_their_groups(small: GroupCommit, journal: Journal, folder: Path) -> None:
    """Files saved at once are committed in few groups, none above its bound, each file once."""
    bodies = {f"f{number}": os.urandom(number) for number in range(600)}
    saves = [small.save(str(folder), name, [body], on_exists=OnExists.SKIP) for name, body in bodies.items()]
    await asyncio.gather(*saves)
    assert contents(folder) == bodies
    assert sum(map(len, journal.groups)) == 600
    assert len(journal.groups) < 60
    assert max(map(len, journal.groups)) <= GROUP_FILES


async def test_expected_company_is_waited_for(pool: DiskPool, journal: Journal, folder: Path) -> None:
    """While more files are expected a group stays open, but no longer than its time."""
    async with GroupCommit(pool, journal.record, expected=lambda: 1) as small:
        is_written = asyncio.Event()
        first = asyncio.create_task(
            small.save(str(folder), "a", [b"a"], on_exists=OnExists.SKIP, on_written=is_written.set)
        )
        await is_written.wait()
        second = asyncio.create_task(small.save(str(folder), "b", [b"b"], on_exists=OnExists.SKIP))
        await asyncio.gather(first, second)
    assert [len(group) for group in journal.groups] == [2]


async def test_savers_go_on_after_the_record(pool: DiskPool, folder: Path) -> None:
    """No saver hears of success before the journal's transaction ended."""
    gate = asyncio.Event()
    recorded: list[bool] = []

    async def record(_files: list[SavedFile]) -> None:
        await gate.wait()
        recorded.append(True)

    async with GroupCommit(pool, record) as small:
        save = asyncio.create_task(small.save(str(folder), "a", [b"a"], on_exists=OnExists.SKIP))
        await until(lambda: contents(folder))
        assert not save.done()
        gate.set()
        await save
        assert recorded


async def test_a_place_is_free_once_written(small: GroupCommit, folder: Path) -> None:
    """`on_written` is called once the bytes are handed over."""
    written: list[str] = []
    await small.save(str(folder), "a", [b"a"], on_exists=OnExists.SKIP, on_written=lambda: written.append("a"))
    assert written == ["a"]


async def test_one_failure_fails_one_file(small: GroupCommit, journal: Journal, folder: Path) -> None:
    """A taken name under SKIP fails that file alone and leaves no part behind."""
    (folder / "b").write_text("yours")
    saves = [small.save(str(folder), name, [b"mine"], on_exists=OnExists.SKIP) for name in "abc"]
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert [isinstance(outcome, FileSystemError) for outcome in outcomes] == [False, True, False]
    assert contents(folder) == {"a": b"mine", "b": b"yours", "c": b"mine"}
    assert sum(map(len, journal.groups)) == 2


async def test_same_names_are_numbered(small: GroupCommit, folder: Path) -> None:
    """Files of one name each get a number of their own."""
    await asyncio.gather(
        *(small.save(str(folder), "i.html", [bytes([n])], on_exists=OnExists.RENAME) for n in range(20))
    )
    assert set(contents(folder)) == {"i.html", *(f"i ({number}).html" for number in range(1, 20))}
    assert len(set(contents(folder).values())) == 20


async def test_overwrite_replaces_files_only(small: GroupCommit, folder: Path) -> None:
    """OVERWRITE replaces a regular file with no more permissions, refuses a link, and leaves no part."""
    make_private_and_link(folder)
    await small.save(str(folder), "a", [b"new"], on_exists=OnExists.OVERWRITE)
    with pytest.raises(FileSystemError):
        await small.save(str(folder), "b", [b"new"], on_exists=OnExists.OVERWRITE)
    assert set(contents(folder)) == {"a", "b"}
    assert (folder / "a").read_text() == "new"
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600


async def test_a_failed_write_leaves_nothing(small: GroupCommit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is reported as one that will pass, and no part of the file stays."""

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(small_parts, "write_all", fails)
    with pytest.raises(FileSystemError) as caught:
        await small.save(str(folder), "a", [b"x"], on_exists=OnExists.RENAME)
    assert (caught.value.reason, caught.value.is_retryable) == (Reason.DISK_FULL, True)
    await asyncio.sleep(0)
    assert contents(folder) == {}


async def test_a_failed_sync_fails_the_file_concerned(
    small: GroupCommit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a group whose sync failed only the culprit fails, and it has no final name."""

    def fails(_folder_fd: int, fds: list[int]) -> dict[int, OSError]:
        return {fd: OSError(errno.EIO, "io") for fd in fds if os.fstat(fd).st_size == 13}

    monkeypatch.setattr(small_parts, "sync_group", fails)
    saves = [small.save(str(folder), str(size), [bytes(size)], on_exists=OnExists.SKIP) for size in (12, 13, 14)]
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert isinstance(outcomes[1], FileSystemError)
    assert set(contents(folder)) == {"12", "14"}


async def test_a_folder_sync_that_fails_takes_names_back(
    small: GroupCommit, journal: Journal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that are not durable are neither reported nor visible."""

    def fails(_fd: int) -> None:
        raise OSError(errno.EIO, "io")

    monkeypatch.setattr(small_parts, "sync_folder", fails)
    with pytest.raises(FileSystemError):
        await small.save(str(folder), "a", [b"x"], on_exists=OnExists.SKIP)
    assert contents(folder) == {}
    assert journal.groups == []


async def test_a_replaced_folder_is_noticed_and_found_anew(small: GroupCommit, folder: Path) -> None:
    """The first file after a folder was replaced fails with the reason, the next goes to the new folder."""
    await small.save(str(folder), "a", [b"x"], on_exists=OnExists.SKIP)
    moved = replace(folder)
    with pytest.raises(FileSystemError) as caught:
        await small.save(str(folder), "b", [b"x"], on_exists=OnExists.SKIP)
    assert caught.value.reason is Reason.FOLDER_MISSING
    await small.save(str(folder), "c", [b"x"], on_exists=OnExists.SKIP)
    assert (set(contents(moved)), set(contents(folder))) == ({"a"}, {"c"})


async def test_a_journal_that_fails_is_heard_by_every_saver(small: GroupCommit, journal: Journal, folder: Path) -> None:
    """Savers get the journal's error, and the next group is tried as ever."""
    journal.error = FileSystemError(Reason.DISK_FULL, "journal")
    outcomes = await asyncio.gather(
        *(small.save(str(folder), name, [b"x"], on_exists=OnExists.SKIP) for name in "ab"), return_exceptions=True
    )
    assert outcomes == [journal.error] * 2
    journal.error = None
    assert await small.save(str(folder), "c", [b"x"], on_exists=OnExists.SKIP)


async def test_a_saver_cancelled_early_leaves_nothing(pool: DiskPool, journal: Journal, folder: Path) -> None:
    """A file whose saver is gone before its group began is neither named nor reported."""
    async with GroupCommit(pool, journal.record, expected=lambda: 1, is_nameless=False) as small:
        save = asyncio.create_task(small.save(str(folder), "a", [b"x"], on_exists=OnExists.SKIP))
        await until(lambda: contents(folder))
        save.cancel()
        await small.aclose()
    _, threads = held = await pool.open_folder(str(folder))
    await threads.drain()
    await threads.close(held[0].fd)
    assert contents(folder) == {}
    assert journal.groups == []


async def test_nothing_has_a_name_before_it_is_whole(
    pool: DiskPool, journal: Journal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a nameless file is being written its folder is empty: a crash leaves no debris."""
    gate, began = threading.Event(), threading.Event()
    whole = writer.write_all

    def slow(fd: int, buffers: list[bytes], offset: int) -> None:
        whole(fd, buffers, offset)
        began.set()
        gate.wait()

    monkeypatch.setattr(small_parts, "write_all", slow)
    async with GroupCommit(pool, journal.record) as small:
        save = asyncio.create_task(small.save(str(folder), "a", [b"x"], on_exists=OnExists.SKIP))
        await until(began.is_set)
        assert contents(folder) == {}
        gate.set()
        await save


async def test_without_nameless_files_the_part_is_named(
    pool: DiskPool, journal: Journal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that cannot keep nameless files gets the same outcome by way of a part file."""

    def refuses(_folder: Folder) -> None:
        return None

    monkeypatch.setattr(small_parts, "_open_nameless", refuses)
    async with GroupCommit(pool, journal.record) as small:
        await small.save(str(folder), "a", [b"x"], on_exists=OnExists.SKIP)
    assert contents(folder) == {"a": b"x"}


async def test_aclose_commits_what_was_given(
    pool: DiskPool, journal: Journal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing does not wait for company and loses no file; afterwards nothing is taken."""
    monkeypatch.setattr(small_files, "GROUP_WAIT_S", 60.0)
    small = GroupCommit(pool, journal.record, expected=lambda: 9)
    is_written = asyncio.Event()
    save = asyncio.create_task(small.save(str(folder), "a", [b"x"], on_exists=OnExists.SKIP, on_written=is_written.set))
    await is_written.wait()
    assert await small.aclose()
    assert (await save).endswith("/a")
    with pytest.raises(RuntimeError):
        await small.save(str(folder), "b", [b"x"], on_exists=OnExists.SKIP)


async def test_descriptors_do_not_pile_up(pool: DiskPool, journal: Journal, tmp_path: Path) -> None:
    """Files in a hundred folders leave no more than a few folders open, and none after closing."""
    before = descriptors()
    async with GroupCommit(pool, journal.record) as small:
        for number in range(100):
            where = str(tmp_path / f"d{number}")
            await small.save(where, "a", [b"x"], on_exists=OnExists.SKIP, create_folder=True)
        _, threads = held = await pool.open_folder(str(tmp_path))
        await threads.drain()
        assert descriptors() <= before + 40
    await threads.drain()
    await threads.close(held[0].fd)
    assert descriptors() <= before


@pytest.mark.parametrize(("there", "name"), [(b"same", "a"), (b"else", "a (1)")])
async def test_a_twin_is_adopted_only_if_it_is_the_same(
    small: GroupCommit, journal: Journal, folder: Path, there: bytes, name: str
) -> None:
    """After a crash a file of the same bytes counts as the one committed; any other is left alone."""
    (folder / "a").write_bytes(there)
    path = await small.save(str(folder), "a", [b"same"], on_exists=OnExists.RENAME, adopts_twin=True)
    assert path == journal.groups[0][0].path == str(folder / name)
    assert contents(folder) == {"a": there, name: b"same"}


async def test_without_a_crash_no_twin_is_adopted(small: GroupCommit, folder: Path) -> None:
    """Two files of the same name and bytes are two files."""
    (folder / "a").write_bytes(b"same")
    path = await small.save(str(folder), "a", [b"same"], on_exists=OnExists.RENAME)
    assert path == str(folder / "a (1)")
