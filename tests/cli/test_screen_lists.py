"""Lists that are named on the screen: counted, and added as the command line would."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.cli.test_order import order
from tui_dl.cli.screen_lists import ScreenLists
from tui_dl.core.errors import UsageError
from tui_dl.core.ports_lists import ListAdd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui_dl.core.task import NewTask
    from tui_dl.engine.engine import AsyncDownloadEngine


class Adding:
    """Takes what is added."""

    def __init__(self) -> None:
        self.added: list[tuple[str, NewTask]] = []

    async def add_checked(self, news: Sequence[NewTask], *, batch: str) -> list[NewTask]:
        """Remember."""
        self.added += [(batch, new) for new in news]
        return list(news)


@pytest.fixture
def engine() -> Adding:
    """Make whoever is added to."""
    return Adding()


@pytest.fixture
def lists(tmp_path: Path, engine: Adding) -> ScreenLists:
    """Make lists with the options of a plain start."""
    return ScreenLists(order(tmp_path), lambda: cast("AsyncDownloadEngine", engine))


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Write a list with a bad line."""
    return listed(tmp_path)


def listed(tmp_path: Path) -> str:
    """Write a list with a bad line."""
    path = tmp_path / "urls.txt"
    path.write_text("# mine\nhttp://h/a.bin\nno address\nhttp://h/b.bin\n")
    return str(path)


async def test_a_list_is_counted_with_its_first_bad_line(lists: ScreenLists, path: str) -> None:
    """Nothing is added by that."""
    told: list[int] = []
    preview = await lists.preview(path, told.append)
    assert (preview.addresses, preview.bad_lines, told[-1]) == (2, 1, 2)
    assert ":3: white space" in preview.problem


async def test_a_list_is_added_under_its_name_with_folder_and_template(
    lists: ScreenLists, engine: Adding, path: str
) -> None:
    """The batch is called as the list where nobody gave a name."""
    told: list[int] = []
    added = await lists.add(ListAdd(path, "/films", "{host}/{name}"), told.append)
    assert (added.addresses, added.bad_lines, told[-1]) == (2, 1, 2)
    assert [(batch, new.url, new.dir) for batch, new in engine.added] == [
        ("urls.txt", "http://h/a.bin", "/films/h"),
        ("urls.txt", "http://h/b.bin", "/films/h"),
    ]
    await lists.add(ListAdd(path, "/films", batch="winter"), told.append)
    assert engine.added[-1][0] == "winter"


async def test_a_list_that_is_not_there_is_named(lists: ScreenLists, path: str) -> None:
    """It is an error of what was typed."""
    with pytest.raises(UsageError, match="cannot be read"):
        await lists.preview(f"{path}.gone", lambda _number: None)
