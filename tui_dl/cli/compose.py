"""Composition: the one place where journal, engine and loop are put together from settings and folders."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_dl.cli.hooking import follow, open_hooks
from tui_dl.cli.interrupts import leave_interrupts_to_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from tui_dl.core.settings import Settings
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.hooks.hooks import Hooks

T = TypeVar("T")

COLLECT_AFTER: Final = 20_000
"""Objects made and not freed, until the young ones are looked through; Python's own number is 700 to 2,000."""


@dataclass(frozen=True, slots=True)
class OpenedEngine:
    """A running engine and who it is among the processes that share its journal."""

    engine: AsyncDownloadEngine
    """The engine."""
    instance_id: str
    """Owner of the rows that it runs."""
    hooks: Hooks | None = None
    """Runs a person's commands on its events, where there are any; whoever adds a batch tells it of its end."""


@asynccontextmanager
async def open_engine(
    settings: Settings, journal_file: Path | None, *, is_get: bool, on_trouble: Callable[[str], None] | None = None
) -> AsyncIterator[OpenedEngine]:
    """Open the engine on a journal, on one in memory for None; closes both. Raises `TuiDlError` if it cannot start.

    `is_get`: it runs its own batch alone and leaves what others left behind to the screen. `on_trouble` hears of
    what a person should know of the journal, and of a person's commands that fail.
    """
    # Imported here: what only prints a version or a usage error must not pay for aiohttp and sqlite3.
    from tui_dl.engine.first_import import import_aiohttp  # noqa: PLC0415  # see above

    import_aiohttp()
    from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine  # noqa: PLC0415  # see above
    from tui_dl.journal.adding import BatchKind  # noqa: PLC0415  # see above
    from tui_dl.media.engine_settings import defaults_of  # noqa: PLC0415  # see above
    from tui_dl.media.worker import QueueMedia  # noqa: PLC0415  # yt-dlp is not loaded with it

    calm_collector()
    kind = BatchKind.GET if is_get else BatchKind.SCREEN
    source = MEMORY if journal_file is None else journal_file
    async with AsyncExitStack() as stack:
        hooks = await open_hooks(stack, settings, is_get=is_get, on_trouble=on_trouble)
        media = QueueMedia(
            connections=settings.connections,
            chunk_bytes=settings.chunk_size,
            is_on=settings.async_downloads,
            defaults=defaults_of(settings),
        )
        engine = await stack.enter_async_context(
            AsyncDownloadEngine(settings, source, batch_kind=kind, adopts_orphans=not is_get, media=media)
        )
        if on_trouble is not None:
            for notice in engine.context.journal.notices:
                on_trouble(notice)
        if hooks is not None:
            follow(stack, hooks, engine, is_get=is_get)
        yield OpenedEngine(engine, engine.context.journal.instance_id, hooks)


def calm_collector() -> None:
    """Collect garbage more rarely, and what was imported never: it was a twelfth of the CPU of a batch of small files.

    What such a batch drops is freed by its counts; only cycles wait for the collector.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the fastest loop there is."""
    factory = loop_factory()
    leave_interrupts_to_loop()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory, None where it is not installed."""
    try:
        import uvloop  # noqa: PLC0415  # absent on Windows and PyPy
    except ImportError:
        return None
    return uvloop.new_event_loop
