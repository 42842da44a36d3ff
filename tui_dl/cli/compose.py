"""Composition: the one place where journal, engine and loop are put together from settings and folders."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from tui_dl.core.settings import Settings
    from tui_dl.engine.engine import AsyncDownloadEngine

T = TypeVar("T")


@asynccontextmanager
async def open_engine(settings: Settings, journal_file: Path | None) -> AsyncIterator[AsyncDownloadEngine]:
    """Open the engine on a journal, on none for None; closes both. Raises `FileSystemError` if it cannot start."""
    # Imported here: what only prints a version or a usage error must not pay for aiohttp and sqlite3.
    from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine  # noqa: PLC0415  # see above

    if journal_file is None:
        async with AsyncDownloadEngine(settings, MEMORY) as engine:
            yield engine
        return
    from tui_dl.journal.journal import Journal  # noqa: PLC0415  # see above

    async with await Journal.open(journal_file) as journal, AsyncDownloadEngine(settings, journal) as engine:
        yield engine


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the fastest loop there is."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory, None where it is not installed."""
    try:
        import uvloop  # noqa: PLC0415  # absent on Windows and PyPy
    except ImportError:
        return None
    return uvloop.new_event_loop
