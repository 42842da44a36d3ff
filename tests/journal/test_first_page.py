"""The first rows are there before the engine is, and nothing is harmed where they are not."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.journal.rows import added, wishes
from tui_dl.core.status import Status
from tui_dl.journal.first_page import read_first_page
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_the_head_of_the_queue_is_read_without_an_engine(tmp_path: Path) -> None:
    """In queue order, what ran back in the queue, whether the journal was closed or is open elsewhere."""
    path = tmp_path / "queue.db"
    async with await Journal.open(path) as journal:
        tasks = await added(journal, wishes(30))
        await journal.save_many([replace(tasks[0], status=Status.DOWNLOADING)])
        while_open = await asyncio.to_thread(read_first_page, path, 20)
    after = await asyncio.to_thread(read_first_page, path, 20)
    assert [task.id for task in after] == [task.id for task in tasks[:20]]
    assert while_open[0].status is after[0].status is Status.PENDING


async def test_a_killed_process_left_its_log(tmp_path: Path) -> None:
    """Rows that are in the write-ahead log alone are shown, too."""
    path, copy = tmp_path / "queue.db", tmp_path / "copy"
    copy.mkdir()
    async with await Journal.open(path) as journal:
        await added(journal, wishes(3))
        for name in ("queue.db", "queue.db-wal"):
            (copy / name).write_bytes((tmp_path / name).read_bytes())
    assert len(await asyncio.to_thread(read_first_page, copy / "queue.db", 20)) == 3


def test_where_there_is_no_journal_none_is_made(tmp_path: Path) -> None:
    """The first start shows an empty screen and leaves making to the engine."""
    assert read_first_page(tmp_path / "queue.db", 20) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_journal_is_left_to_the_engine(tmp_path: Path) -> None:
    """Garbage, and somebody else's database."""
    garbage, foreign = tmp_path / "a", tmp_path / "b"
    garbage.write_bytes(b"not a database, but long enough to be looked at" * 50)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE x (y)")
    assert read_first_page(garbage, 20) == read_first_page(foreign, 20) == []


async def test_a_page_that_takes_too_long_is_left_to_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first frame does not wait for a slow disk or a long history."""
    path = tmp_path / "queue.db"
    async with await Journal.open(path) as journal:
        await added(journal, wishes(3))
    monkeypatch.setattr("tui_dl.journal.first_page.MOST_S", 0.0)
    monkeypatch.setattr("tui_dl.journal.first_page._INSTRUCTIONS", 1)
    assert await asyncio.to_thread(read_first_page, path, 3) == []
