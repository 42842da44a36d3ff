"""Free space is answered for folders that are there, and for those that are yet to be made."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tui_dl.disk.space import free_bytes

if TYPE_CHECKING:
    from pathlib import Path


def test_free_bytes_is_what_the_system_says(tmp_path: Path) -> None:
    """The figure is the one that the standard library gives, up to what others write meanwhile."""
    assert abs((free_bytes(str(tmp_path)) or 0) - shutil.disk_usage(tmp_path).free) < 1 << 30


def test_a_missing_folder_is_answered_by_its_parent(tmp_path: Path) -> None:
    """A folder that is not made yet has the space of the one that it will be in."""
    assert free_bytes(str(tmp_path / "a" / "b")) is not None


def test_an_impossible_path_has_no_answer(tmp_path: Path) -> None:
    """A path through a file is unknown, no exception."""
    (tmp_path / "file").touch()
    assert free_bytes(str(tmp_path / "file" / "x")) is None
