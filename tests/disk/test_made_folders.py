"""Folders that we made are removed again, others never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.disk import made_folders
from tui_dl.disk.made_folders import MadeFolders

if TYPE_CHECKING:
    from pathlib import Path


def _removed(made: MadeFolders, *kept: Path) -> list[str]:
    made.start_removal()
    return made.remove_empty({str(one) for one in kept})


def test_what_was_made_and_is_empty_goes_with_its_parents(tmp_path: Path) -> None:
    """The folder that was there before stays."""
    made = MadeFolders()
    made.make(str(tmp_path / "a" / "b" / "c"))
    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert len(_removed(made)) == 3
    assert list(tmp_path.iterdir()) == []


def test_what_holds_something_stays_with_its_parents(tmp_path: Path) -> None:
    """Whoever put it there."""
    made = MadeFolders()
    made.make(str(tmp_path / "a" / "b"))
    made.make(str(tmp_path / "a" / "c"))
    (tmp_path / "a" / "b" / "mine").touch()
    assert _removed(made) == [str(tmp_path / "a" / "c")]
    (tmp_path / "a" / "b" / "mine").unlink()
    assert len(_removed(made)) == 2


def test_what_others_made_stays(tmp_path: Path) -> None:
    """Also where it stands in the place of ours."""
    made = MadeFolders()
    (tmp_path / "theirs").mkdir()
    made.make(str(tmp_path / "theirs"))
    made.make(str(tmp_path / "ours"))
    (tmp_path / "ours").rename(tmp_path / "elsewhere")
    (tmp_path / "ours").mkdir()
    assert _removed(made) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["elsewhere", "ours", "theirs"]


def test_what_is_wanted_meanwhile_stays(tmp_path: Path) -> None:
    """A task that begins in that moment finds its folder."""
    made = MadeFolders()
    for name in ("kept", "asked", "free"):
        made.make(str(tmp_path / name))
    made.start_removal()
    made.make(str(tmp_path / "asked"))
    assert made.remove_empty({str(tmp_path / "kept")}) == [str(tmp_path / "free")]
    assert len(_removed(made)) == 2


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    """It is not replaced."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "a", tmp_path / "file"):
        with pytest.raises(FileSystemError, match="file is a file") as caught:
            MadeFolders().make(str(path))
        assert caught.value.reason is Reason.FOLDER_MISSING


def test_only_the_latest_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of a million folders takes no memory for it."""
    monkeypatch.setattr(made_folders, "MOST_REMEMBERED", 2)
    made = MadeFolders()
    for name in "abc":
        made.make(str(tmp_path / name))
    assert len(_removed(made)) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
