"""Renames that replace nothing, on file systems of every ability, and group syncs that name the culprit."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from tui_dl.disk import durable
from tui_dl.disk.durable import Guarantee, rename_noreplace, sync_folder, sync_group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def dir_fd(folder: Path) -> Iterator[int]:
    """Give the open folder."""
    fd = os.open(folder, os.O_RDONLY)
    yield fd
    os.close(fd)


def _refuse(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


@pytest.fixture(params=list(Guarantee), ids=lambda guarantee: guarantee.value)
def guarantee(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Guarantee:
    """Take abilities from the file system until the guarantee is the best that is left."""
    wanted: Guarantee = request.param
    if wanted is not Guarantee.ATOMIC:
        monkeypatch.setattr(durable, "_libc_function", lambda _name: None)
    if wanted is Guarantee.CHECKED:
        monkeypatch.setattr(os, "link", lambda *_, **__: _refuse(errno.EPERM))
    return wanted


def test_rename_moves_and_says_how_surely(folder: Path, dir_fd: int, guarantee: Guarantee) -> None:
    """A free target gets the file, the source name goes, and the guarantee that held is returned."""
    (folder / "a").write_text("mine")
    assert rename_noreplace("a", "b", src_dir_fd=dir_fd, dst_dir_fd=dir_fd) is guarantee
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"b": "mine"}


def test_rename_replaces_nothing(folder: Path, dir_fd: int, guarantee: Guarantee) -> None:
    """A taken target stays as it is and so does the source."""
    (folder / "a").write_text("mine")
    (folder / "b").write_text("yours")
    with pytest.raises(FileExistsError):
        rename_noreplace("a", "b", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "mine", "b": "yours"}


def test_a_dangling_link_counts_as_taken(folder: Path, dir_fd: int, guarantee: Guarantee) -> None:
    """A symbolic link to nowhere is no free name."""
    (folder / "a").write_text("mine")
    (folder / "b").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        rename_noreplace("a", "b", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)


def test_a_folder_that_cannot_be_synced_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """EINVAL from a file system without folder syncs is no failure, EIO is one."""
    monkeypatch.setattr(os, "fsync", lambda _fd: _refuse(errno.EINVAL))
    sync_folder(0)
    monkeypatch.setattr(os, "fsync", lambda _fd: _refuse(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(0)


def test_a_failed_group_sync_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sync of the whole fails, each file is asked and only the culprit is returned."""
    monkeypatch.setattr(durable, "_syncfs", lambda _fd: False)
    monkeypatch.setattr(os, "fsync", lambda fd: _refuse(errno.EIO) if fd == 12 else None)
    assert list(sync_group(10, [11, 12, 13])) == [12]


def test_old_kernels_sync_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Linux 5.8 `syncfs` hides errors, so its word is not taken."""
    synced: list[int] = []
    durable._is_syncfs_honest.cache_clear()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "n", "5.4.0-1", "v", "m")))
    monkeypatch.setattr(os, "fsync", synced.append)
    assert sync_group(10, [11, 12]) == {}
    assert synced == [11, 12]
    durable._is_syncfs_honest.cache_clear()
