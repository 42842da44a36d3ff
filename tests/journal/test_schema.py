"""Steps between versions of the tables are whole or not taken, and newer ones are refused."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.journal import schema
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journal.conftest import OpenJournal


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_step_that_breaks_off_leaves_the_version_before(tmp_path: Path) -> None:
    """After a failure at any statement the step can be taken again."""

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE novelty (x)")
        connection.execute("no SQL at all")

    def whole(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE novelty (x)")

    with closing(_connect(tmp_path / "a.db")) as connection:
        with pytest.raises(sqlite3.OperationalError):
            schema.migrate(connection, (*schema.MIGRATIONS, broken))
        assert schema.version_of(connection) == len(schema.MIGRATIONS)
        schema.migrate(connection, (*schema.MIGRATIONS, whole))
        assert schema.version_of(connection) == len(schema.MIGRATIONS) + 1


async def test_a_newer_journal_is_refused_and_left_alone(path: Path, open_journal: OpenJournal) -> None:
    """The message names both versions and the way out."""
    await (await open_journal()).aclose()
    with closing(_connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = await asyncio.to_thread(path.read_bytes)
    with pytest.raises(UsageError, match=r"version 7.*up to 1.*TUI_DL_HOME"):
        await Journal.open(path)
    assert await asyncio.to_thread(path.read_bytes) == before
    assert not list(path.parent.glob("instances/*"))


async def test_the_journal_can_be_read_by_its_owner_only(path: Path, open_journal: OpenJournal) -> None:
    """Secrets of headers lie in it."""
    journal = await open_journal()
    await journal.flush()
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
