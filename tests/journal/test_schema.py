"""Steps between versions of the tables are whole or not taken, and newer ones are refused."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.core.query import TaskQuery
from tui_dl.journal import opening, schema
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
        connection.execute("PRAGMA user_version = 77")
    before = await asyncio.to_thread(path.read_bytes)
    with pytest.raises(UsageError, match=rf"version 77.*up to {len(schema.MIGRATIONS)}\b.*TUI_DL_HOME"):
        await Journal.open(path)
    assert await asyncio.to_thread(path.read_bytes) == before
    assert not list(path.parent.glob("instances/*"))


async def test_a_journal_of_the_first_version_keeps_its_rows_and_its_undo(path: Path) -> None:
    """New columns are empty in old rows, and what another process took out can still come back."""
    await asyncio.to_thread(_make_first_version, path)
    async with await Journal.open(path) as journal:
        (task,) = await journal.rows(await journal.ids(TaskQuery()))
        assert (task.url, task.line, task.extra, task.http_status) == ("http://a.example/1", 0, "", None)
        assert await journal.remove((task.id,)) == 1
        assert await journal.undo() == 1


def _make_first_version(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(_connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        schema.migrate(connection, schema.MIGRATIONS[:1])
        connection.execute(
            "INSERT INTO tasks (url, dir, filename, status, position, identity, added_at)"
            " VALUES ('http://a.example/1', '/d', '1', 'pending', 1, 1, 0.0)"
        )
        connection.execute("INSERT INTO removed SELECT *, 'somebody' FROM tasks")


def test_removed_rows_have_the_columns_of_tasks_in_their_order(tmp_path: Path) -> None:
    """What is removed is copied column by column, by processes of older versions too."""
    with closing(_connect(tmp_path / "a.db")) as connection:
        schema.migrate(connection)
        names = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for table in ("tasks", "removed")
        }
    assert names["removed"] == [*names["tasks"], "remover"]


async def test_the_journal_can_be_read_by_its_owner_only(path: Path, open_journal: OpenJournal) -> None:
    """Secrets of headers lie in it."""
    journal = await open_journal()
    await journal.flush()
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_new_file_is_synced_once_before_it_has_its_name(
    path: Path, open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its steps wait for no disk: four syncs of each step were a quarter of a first start."""
    steps: list[int] = []
    syncs: list[tuple[str, bool]] = []
    migrate, sync = schema.migrate, opening._sync

    def noted_migrate(connection: sqlite3.Connection) -> None:
        if not path.exists():
            steps.append(connection.execute("PRAGMA synchronous").fetchone()[0])
        migrate(connection)

    def noted_sync(synced: Path) -> None:
        syncs.append((synced.name, path.exists()))
        sync(synced)

    monkeypatch.setattr(schema, "migrate", noted_migrate)
    monkeypatch.setattr(opening, "_sync", noted_sync)
    await open_journal()
    assert steps == [0]
    assert syncs == [("journal.db.new", False), ("state", True)]
