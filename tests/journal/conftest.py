"""Journals for tests: in a file or in memory, closed at the end whatever happened."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    OpenJournal = Callable[[], Awaitable[Journal]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test lies."""
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def open_journal(path: Path) -> AsyncIterator[OpenJournal]:
    """Open the journal, once more each time as another process would."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Journal:
            return await stack.enter_async_context(await Journal.open(path, clock=lambda: 1000.0))

        yield open_one


@pytest.fixture(params=["file", "memory"])
async def journal(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Journal]:
    """One open journal; every rule holds in a file and in memory."""
    place = path if request.param == "file" else None
    async with await Journal.open(place, clock=lambda: 1000.0) as opened:
        yield opened
