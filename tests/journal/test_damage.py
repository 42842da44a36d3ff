"""A damaged journal is moved aside with a word, and what can be read of it is read."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes, with_statuses
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.extents import Extent
from tui_dl.core.query import TaskQuery
from tui_dl.core.ranges import RangeSet
from tui_dl.core.status import Status
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.journal.conftest import OpenJournal

ROWS = 1200


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x9d garbage \x00" * 5000)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def _broken_header(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:100] = b"\xff" * 100
    path.write_bytes(content)


def _of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (x)")


def _without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE tasks")


BREAKAGES = [_garbage, _empty, _short, _broken_header, _of_another_program, _without_tables]


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_a_broken_journal_is_kept_aside_and_a_new_one_works(
    path: Path, open_journal: OpenJournal, breakage: Callable[[Path], None]
) -> None:
    """The program starts, says what happened, and the damaged file is still there."""
    await (await open_journal()).aclose()
    breakage(path)
    broken = await asyncio.to_thread(path.read_bytes)
    journal = await open_journal()
    (notice,) = journal.notices
    (aside,) = path.parent.glob("journal.damaged-*.db")
    assert aside.name in notice
    assert await asyncio.to_thread(aside.read_bytes) == broken
    assert len(await added(journal, wishes(1))) == 1


@pytest.mark.parametrize("share", [0.5, 0.9])
async def test_a_truncated_journal_gives_back_what_is_left(path: Path, open_journal: OpenJournal, share: float) -> None:
    """Rows of the pages that are there are in the new journal, whole and unowned until adopted."""
    journal = await open_journal()
    tasks = await added(journal, wishes(ROWS))
    await journal.aclose()
    _cut(path, share)
    again = await open_journal()
    assert again.notices
    rows = await again.rows(await again.ids(TaskQuery()))
    assert 0 < len(rows) < ROWS
    assert f" {len(rows)} tasks" in again.notices[0]
    assert {row.url for row in rows} <= {task.url for task in tasks}
    assert len(await again.adopt_orphans()) == len(rows)
    assert again.counts()[Status.PENDING] == len(rows)
    # Each of them is found by its address: added again, only what was lost is new.
    outcomes = await again.add(wishes(ROWS), batch="again", at=2.0)
    assert sum(outcome.is_new for outcome in outcomes) == ROWS - len(rows)


async def test_a_page_of_noise_costs_its_rows_only(path: Path, open_journal: OpenJournal) -> None:
    """Damage in the middle leaves the rows before and after it."""
    journal = await open_journal()
    ids = [task.id for task in await added(journal, wishes(ROWS))]
    await journal.aclose()
    _overwrite_page_of(path, f"http://h.example/{ROWS // 2}.bin/downloads")
    again = await open_journal()
    rows = {row.id for row in await again.rows(await again.ids(TaskQuery()))}
    assert again.notices
    assert {ids[0], ids[-1]} <= rows
    assert ROWS * 0.8 < len(rows) < ROWS


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def _overwrite_page_of(path: Path, text: str) -> None:
    content = bytearray(path.read_bytes())
    page = content.index(text.encode()) // 4096 * 4096
    content[page : page + 4096] = b"\xa5" * 4096
    path.write_bytes(content)


async def test_what_is_salvaged_claims_nothing_unread(path: Path, open_journal: OpenJournal) -> None:
    """Extents carry sums and come back; what was said to be synced is not believed of a damaged file."""
    journal = await open_journal()
    (task,) = await with_statuses(journal, [Status.DOWNLOADING])
    journal.record_written(task.id, [Extent(0, 10, 3)])
    await journal.record_synced(task.id, RangeSet([(0, 10)]))
    await journal.aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE counts")
    again = await open_journal()
    found = await again.load_checkpoint(task.id)
    assert found.extents == [Extent(0, 10, 3)]
    assert not found.synced


async def test_a_row_that_makes_no_sense_is_met_once_and_salvaged_around(path: Path, open_journal: OpenJournal) -> None:
    """It is an error of the journal, not a traceback; the next start leaves the row behind."""
    journal = await open_journal()
    first, second = await added(journal, wishes(2))
    await journal.aclose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE tasks SET reason = 'no-such-reason' WHERE id = ?", (first.id,))
    journal = await open_journal()
    with pytest.raises(FileSystemError) as caught:
        await journal.rows([first.id, second.id])
    assert caught.value.reason is Reason.JOURNAL_DAMAGED
    await journal.aclose()
    journal = await open_journal()
    assert journal.notices
    assert list(await journal.ids(TaskQuery())) == [second.id]


async def test_a_damaged_journal_in_use_is_not_moved(path: Path, open_journal: OpenJournal) -> None:
    """Another process may still write into it."""
    await added(await open_journal(), wishes(1))
    _garbage(path)
    with pytest.raises(FileSystemError, match="still in use by process"):
        await Journal.open(path)
    assert not list(path.parent.glob("journal.damaged-*"))


async def test_a_crash_while_making_the_journal_leaves_none_behind(path: Path, open_journal: OpenJournal) -> None:
    """Half of a new journal lies under another name and is made anew."""
    path.parent.mkdir()
    _garbage(path.with_name("journal.db.new"))
    journal = await open_journal()
    assert journal.notices == ()
    assert not path.with_name("journal.db.new").exists()


async def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    """A file where the folder should be is named, not thrown as a traceback."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileSystemError, match="journal"):
        await Journal.open(tmp_path / "file" / "journal.db")
