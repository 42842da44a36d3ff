"""Questions that take long hold up neither short ones nor the next long one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes
from tui_dl.core.query import TaskQuery
from tui_dl.journal import views

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from tests.journal.conftest import OpenJournal

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Callable[[], asyncio.Event]:
    """Let a view of the text `endless` never end by itself; return what tells when it has begun."""
    real = views.ids_of

    def make() -> asyncio.Event:
        began, loop = asyncio.Event(), asyncio.get_running_loop()

        def ids_of(connection: sqlite3.Connection, query: TaskQuery, limit: int = -1) -> object:
            if query.text != "endless":
                return real(connection, query, limit)
            loop.call_soon_threadsafe(began.set)
            return connection.execute(ENDLESS).fetchone()

        monkeypatch.setattr(views, "ids_of", ids_of)
        return began

    return make


async def test_a_view_that_nobody_waits_for_is_broken_off(
    open_journal: OpenJournal, endless: Callable[[], asyncio.Event]
) -> None:
    """A cancelled view ends at once, also one whose turn has not come, and the next one is answered."""
    journal = await open_journal()
    (task,) = await added(journal, wishes(1))
    began = endless()
    asked = [asyncio.ensure_future(journal.ids(TaskQuery(text="endless"))) for _ in range(3)]
    await began.wait()
    for one in asked:
        one.cancel()
    async with asyncio.timeout(5):
        assert list(await journal.ids(TaskQuery())) == [task.id]


async def test_rows_come_while_a_view_takes_long(
    open_journal: OpenJournal, endless: Callable[[], asyncio.Event]
) -> None:
    """Scrolling and admission do not wait for a view."""
    journal = await open_journal()
    (task,) = await added(journal, wishes(1))
    began = endless()
    asked = asyncio.ensure_future(journal.ids(TaskQuery(text="endless")))
    await began.wait()
    async with asyncio.timeout(5):
        assert [row.id for row in await journal.rows([task.id])] == [task.id]
        assert [row.id for row in await journal.next_pending(1)] == [task.id]
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
