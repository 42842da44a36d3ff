"""Where a file came from is noted as each platform knows it, and never at the price of the file."""

from __future__ import annotations

import errno
import os
import plistlib
import sys
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.provenance import NO_PROVENANCE, Provenance
from tui_dl.core.task import OnExists
from tui_dl.disk.origin import linux_attributes, macos_attributes, windows_stream
from tui_dl.disk.part_file import PartFile
from tui_dl.disk.small_files import GroupCommit, SavedFile

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool

NOTED = Provenance(1e9, "https://h.example/a.bin", "https://h.example/page")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the names of Linux")


async def record(_files: list[SavedFile]) -> None:
    """Keep nothing."""


def attributes(path: str) -> dict[str, bytes]:
    """Return a file's attributes of ours, or skip where the file system has none."""
    try:
        names = os.listxattr(path)
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.EOPNOTSUPP}:
            pytest.skip("no attributes here")
        raise
    return {name: os.getxattr(path, name) for name in names if name.startswith("user.xdg.")}


async def committed(pool: DiskPool, folder: Path, provenance: Provenance) -> str:
    """Commit a part file with this to note."""
    part = await PartFile.open(pool, str(folder), "a", is_ordered=False)
    await part.write([b"abc"], 0)
    path = await part.commit("a", on_exists=OnExists.SKIP, expected_bytes=3, provenance=provenance)
    await part.close()
    return path


@ON_LINUX
async def test_a_part_file_gets_time_and_origin(pool: DiskPool, folder: Path) -> None:
    """Both are there under the final name."""
    path = await committed(pool, folder, NOTED)
    assert os.stat(path).st_mtime == 1e9  # noqa: PTH116  # text in
    assert attributes(path) == linux_attributes(NOTED)


@ON_LINUX
@pytest.mark.parametrize("is_nameless", [True, False])
async def test_a_small_file_gets_time_and_origin(pool: DiskPool, folder: Path, is_nameless: bool) -> None:
    """Files that come in groups get the same."""
    async with GroupCommit(pool, record, is_nameless=is_nameless) as small:
        path = await small.save(str(folder), "a", [b"abc"], on_exists=OnExists.SKIP, provenance=NOTED)
    assert os.stat(path).st_mtime == 1e9  # noqa: PTH116  # text in
    assert attributes(path) == linux_attributes(NOTED)


@ON_LINUX
async def test_nothing_is_noted_unasked(pool: DiskPool, folder: Path) -> None:
    """Without an origin to note there is no attribute."""
    assert attributes(await committed(pool, folder, NO_PROVENANCE)) == {}


@ON_LINUX
@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSPC, errno.E2BIG])
async def test_a_file_system_without_attributes_is_no_failure(
    pool: DiskPool, folder: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is committed without them."""

    def refuse(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "setxattr", refuse)
    assert attributes(await committed(pool, folder, NOTED)) == {}


def test_macos_has_a_list_and_a_mark() -> None:
    """Forms as the Finder and the gatekeeper read them; not run on macOS here."""
    found = macos_attributes(NOTED, 1_700_000_000.5)
    assert plistlib.loads(found["com.apple.metadata:kMDItemWhereFroms"]) == [NOTED.origin_url, NOTED.referrer_url]
    assert found["com.apple.quarantine"] == b"0081;6553f100;tui-dl;"


def test_windows_has_a_stream() -> None:
    """The form of the attachment manager; not run on Windows here."""
    assert (
        windows_stream(Provenance(origin_url="https://h/a")) == b"[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=https://h/a\r\n"
    )
    assert b"ReferrerUrl=https://h.example/page\r\n" in windows_stream(NOTED)
