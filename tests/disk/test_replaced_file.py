"""An export replaces its file at once and whole, or not at all."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.disk.replaced_file import ReplacedFile

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(one.name for one in folder.iterdir())


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """A reader at any instant sees one or the other; its mode stays."""
    path = tmp_path / "list.txt"
    path.write_text("old")
    path.chmod(0o640)
    export = ReplacedFile(path)
    export.file.write(b"new")
    assert path.read_text() == "old"
    export.commit()
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)
    assert names(tmp_path) == ["list.txt"]


def test_a_discarded_export_leaves_nothing(tmp_path: Path) -> None:
    """Neither a file nor a change of the old one."""
    export = ReplacedFile(tmp_path / "list.txt")
    export.file.write(b"new")
    export.discard()
    assert names(tmp_path) == []


def test_what_a_kill_left_is_taken_over(tmp_path: Path) -> None:
    """The hidden file of an attempt that died is begun anew, and nothing of it remains."""
    (tmp_path / ".list.txt.tui-dl-new").write_text("half of a very long export")
    export = ReplacedFile(tmp_path / "list.txt")
    export.file.write(b"new")
    export.commit()
    assert (tmp_path / "list.txt").read_text() == "new"
    assert names(tmp_path) == ["list.txt"]


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    """Their lines would be mixed."""
    one = ReplacedFile(tmp_path / "list.txt")
    with pytest.raises(FileSystemError) as refusal:
        ReplacedFile(tmp_path / "list.txt")
    assert refusal.value.reason is Reason.PART_BUSY
    one.commit()
    ReplacedFile(tmp_path / "list.txt").discard()


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What it leads to is replaced, not the link."""
    (tmp_path / "real.txt").touch()
    (tmp_path / "link.txt").symlink_to("real.txt")
    export = ReplacedFile(tmp_path / "link.txt")
    export.file.write(b"new")
    export.commit()
    assert (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "link.txt").is_symlink()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """`--failed-list >(sort)` works."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(path.read_text()))
    reader.start()
    export = ReplacedFile(path)
    export.file.write(b"new")
    export.commit()
    reader.join(5)
    assert got == ["new"]
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize(("make", "reason"), [("folder", Reason.TARGET_EXISTS), ("nothing", Reason.FOLDER_MISSING)])
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, make: str, reason: Reason) -> None:
    """A folder of that name, and a folder that is not there."""
    path = tmp_path / "folder" if make == "folder" else tmp_path / "missing" / "list.txt"
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileSystemError) as refusal:
        ReplacedFile(path)
    assert refusal.value.reason is reason
