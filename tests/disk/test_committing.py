"""The final name of a part file: given whole and durably or not at all, never over what is not ours."""

from __future__ import annotations

import asyncio
import errno
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from tests.disk.parts import BODY, contents, opened
from tui_dl.core.errors import ContentError, FileSystemError, Reason
from tui_dl.core.provenance import Provenance
from tui_dl.core.task import OnExists
from tui_dl.disk import part_file

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool


async def test_commit_gives_the_final_name(pool: DiskPool, folder: Path) -> None:
    """A whole file gets its name and time, and its part name is gone."""
    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        path = await part.commit("b.bin", on_exists=OnExists.SKIP, expected_bytes=len(BODY), provenance=Provenance(1e9))
        assert path == part.committed_path == str(folder / "b.bin")
    assert contents(folder) == {"b.bin": BODY}
    assert (folder / "b.bin").stat().st_mtime == 1e9


async def test_an_impossible_time_is_ignored(pool: DiskPool, folder: Path) -> None:
    """A server's time that no file can have does not hold up the commit."""
    async with opened(pool, folder) as part:
        assert await part.commit("b", on_exists=OnExists.SKIP, expected_bytes=0, provenance=Provenance(1e300))


@pytest.mark.parametrize("expected_bytes", [len(BODY) - 1, len(BODY) + 1])
async def test_a_wrong_length_is_not_committed(pool: DiskPool, folder: Path, expected_bytes: int) -> None:
    """One byte more or less than promised keeps the part name."""
    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        with pytest.raises(ContentError) as caught:
            await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=expected_bytes)
        assert caught.value.reason is Reason.LENGTH_MISMATCH
        assert contents(folder) == {"a.bin.part": BODY}
        await part.truncate(expected_bytes)
        await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=expected_bytes)


async def test_a_taken_name_gets_a_number(pool: DiskPool, folder: Path) -> None:
    """RENAME leaves what is there and takes the next free number."""
    (folder / "a.bin").write_text("yours")
    (folder / "a (1).bin").symlink_to("nowhere")
    async with opened(pool, folder) as part:
        path = await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=0)
    assert path == str(folder / "a (2).bin")
    assert (folder / "a.bin").read_text() == "yours"


async def test_skip_keeps_both(pool: DiskPool, folder: Path) -> None:
    """SKIP raises and leaves the target and the part."""
    (folder / "a.bin").write_text("yours")
    async with opened(pool, folder) as part:
        with pytest.raises(FileSystemError) as caught:
            await part.commit("a.bin", on_exists=OnExists.SKIP, expected_bytes=0)
    assert caught.value.reason is Reason.TARGET_EXISTS
    assert contents(folder) == {"a.bin": b"yours", "a.bin.part": b""}


async def test_overwrite_replaces_a_file_and_opens_it_to_nobody_new(pool: DiskPool, folder: Path) -> None:
    """OVERWRITE replaces a regular file and gives no permission that it did not give."""
    (folder / "a.bin").write_text("yours")
    (folder / "a.bin").chmod(0o600)
    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        await part.commit("a.bin", on_exists=OnExists.OVERWRITE, expected_bytes=len(BODY))
    assert contents(folder) == {"a.bin": BODY}
    assert stat.S_IMODE((folder / "a.bin").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["link", "folder"])
async def test_overwrite_replaces_nothing_but_files(pool: DiskPool, folder: Path, kind: str) -> None:
    """OVERWRITE follows and replaces no link and no folder."""
    other = folder.with_name("other")
    other.write_text("precious")
    if kind == "link":
        (folder / "a.bin").symlink_to(other)
    else:
        (folder / "a.bin").mkdir()
    async with opened(pool, folder) as part:
        with pytest.raises(FileSystemError) as caught:
            await part.commit("a.bin", on_exists=OnExists.OVERWRITE, expected_bytes=0)
        await part.delete()
    assert caught.value.reason is Reason.TARGET_EXISTS
    assert other.read_text() == "precious"
    assert (folder / "a.bin").is_symlink() is (kind == "link")


async def test_a_name_that_is_not_durable_is_taken_back(
    pool: DiskPool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the folder's sync fails, the file has its part name again and can be committed later."""

    def fails(_fd: int) -> None:
        raise OSError(errno.EIO, "io")

    async with opened(pool, folder) as part:
        await part.write([BODY], 0)
        with monkeypatch.context() as patch:
            patch.setattr(part_file, "sync_folder", fails)
            with pytest.raises(FileSystemError) as caught:
                await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=None)
        assert caught.value.reason is Reason.IO_ERROR
        assert contents(folder) == {"a.bin.part": BODY}
        assert await part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=None)


async def test_no_write_follows_the_commit(pool: DiskPool, folder: Path) -> None:
    """A write whose caller was cancelled lands before the rename, and a later one is refused."""
    async with opened(pool, folder) as part:
        gate = threading.Event()
        block = asyncio.create_task(part._writer.call(gate.wait))
        write = asyncio.create_task(part.write([b"late"], 0))
        await asyncio.sleep(0)
        write.cancel()
        commit = asyncio.create_task(part.commit("a.bin", on_exists=OnExists.RENAME, expected_bytes=4))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await part.write([b"x"], 0)
        await part._writer.sync_call(int)
        gate.set()
        await asyncio.gather(block, commit)
        with pytest.raises(RuntimeError):
            await part.write([b"x"], 0)
    assert contents(folder) == {"a.bin": b"late"}
