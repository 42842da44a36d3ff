"""The names in a folder, as its own file system tells them apart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui_dl.core.filename import numbered
from tui_dl.disk.folder_names import FolderNames, is_case_blind, names_in
from tui_dl.disk.placing import FEW_NUMBERS, first_free, free_number


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder whose file system takes `A` and `a` for one name, as vfat and APFS do."""
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        wanted = Path(path)
        alike = (one for one in wanted.parent.iterdir() if one.name.casefold() == wanted.name.casefold())
        return real(next(alike, wanted))

    monkeypatch.setattr("tui_dl.disk.folder_names.os.lstat", lstat)
    return tmp_path


def test_case_counts_where_the_file_system_says_so(tmp_path: Path) -> None:
    """Two names are two here."""
    (tmp_path / "Image.jpg").touch()
    names = names_in(str(tmp_path))
    assert "Image.jpg" in names
    assert "image.JPG" not in names
    assert not is_case_blind(str(tmp_path))


def test_case_does_not_count_where_the_file_system_does_not(blind: Path) -> None:
    """One look at a name that is there tells; accents and case are folded from then on."""
    (blind / "E\u0301t\u00e9.jpg").touch()
    names = names_in(str(blind))
    assert "\u00e9TE\u0301.JPG" in names
    assert "other.jpg" not in names
    assert is_case_blind(str(blind))


@pytest.mark.parametrize("is_made", [True, False])
def test_an_empty_folder_is_told_by_those_above(blind: Path, *, is_made: bool) -> None:
    """Nothing is made to find out."""
    folder = blind / "Above" / "Empty"
    folder.parent.mkdir()
    if is_made:
        folder.mkdir()
    assert is_case_blind(str(folder))
    assert folder.exists() == is_made


def test_another_file_system_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stick that was mounted just now is empty, and the folder that it hangs in is another matter."""
    folder = tmp_path / "stick"
    folder.mkdir()
    real = os.stat

    def stat(path: str) -> os.stat_result:
        facts = list(real(path))
        return os.stat_result([*facts[:2], 99, *facts[3:]]) if path == str(folder) else real(path)

    monkeypatch.setattr("tui_dl.disk.folder_names.os.stat", stat)
    assert is_case_blind(str(folder)) is None


def test_two_files_of_swapped_case_are_two(tmp_path: Path) -> None:
    """They differ in more than a number that a file system in user space may have made up."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "A").write_bytes(b"22")
    assert is_case_blind(str(tmp_path)) is False


def test_names_without_letters_tell_nothing(blind: Path) -> None:
    """Digits have no case: another name is asked."""
    for name in ("1", "2", "a"):
        (blind / name).touch()
    assert is_case_blind(str(blind))


def test_a_folder_that_is_not_there_has_no_names(tmp_path: Path) -> None:
    """It is made later."""
    names = names_in(str(tmp_path / "missing"))
    assert len(names) == 0
    assert "a" not in names
    assert len(FolderNames(["a", "b"])) == 2


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_the_first_free_number_among_few_is_taken() -> None:
    """Gaps are filled while that is cheap."""
    there = {numbered("f.jpg", number) for number in (0, 1, 2, 4)}
    assert free_number("f.jpg", there.__contains__) == 3
    assert free_number("f.jpg", there.__contains__, start=4) == 5


@pytest.mark.parametrize("count", [FEW_NUMBERS - 1, FEW_NUMBERS, FEW_NUMBERS + 1, 100, 10_000, 123_456])
def test_among_many_the_next_one_is_found_in_few_looks(count: int) -> None:
    """Not one look for each."""
    looked: list[str] = []
    there = {numbered("f.jpg", number) for number in range(count)}

    def is_there(name: str) -> bool:
        looked.append(name)
        return name in there

    assert free_number("f.jpg", is_there) == count
    assert len(looked) <= 2 * FEW_NUMBERS + 2 * count.bit_length()


def test_taking_leaps_as_looking_does() -> None:
    """Ten thousand files of one name from before cost a few system calls, and no limit ends the search."""
    there = {numbered("f.jpg", number) for number in range(30_000)}
    tried: list[str] = []

    def take(name: str) -> None:
        tried.append(name)
        if name in there:
            raise FileExistsError

    assert first_free("f.jpg", take, is_there=there.__contains__) == 30_000
    assert len(tried) <= FEW_NUMBERS + 1
