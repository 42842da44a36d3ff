"""The screen in the foreground: terminal, loop, signals and engine put together, first paint before the engine."""

from __future__ import annotations

import asyncio
import os
import termios
import threading
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_dl.cli.exits import DONE, INTERRUPTED
from tui_dl.cli.interrupts import leave_interrupts_to_loop
from tui_dl.cli.stopping import Stopped, Stopping
from tui_dl.core.status import UNFINISHED
from tui_dl.ui.loop import new_loop
from tui_dl.ui.run import run_screen
from tui_dl.ui.terminal.grant import foreground_grant
from tui_dl.ui.terminal.sequences import restore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from tui_dl.core.ports_lists import ListPort
    from tui_dl.core.ports_terminal import TerminalGrant
    from tui_dl.core.settings import Settings
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

T = TypeVar("T")

FIRST_ROWS: Final = 100
"""Rows shown before the engine is there: a tall terminal's page."""
FIRST_ROWS_S: Final = 0.1
"""How long the first frame waits for them."""
RESTORING_S: Final = 0.1
"""How long a terminal that does not read may keep a process that has to end."""


class Screen:
    """One showing of the screen, with an engine that lives as long."""

    def __init__(self, settings: Settings, journal_file: Path, folder: str) -> None:
        self.lists: ListPort | None = None
        """Reads the lists that the person names on the screen; None: that cannot be done there."""
        self.engine: AsyncDownloadEngine | None = None
        """The engine, once it is there."""
        self._settings = settings
        self._journal_file = journal_file
        self._folder = folder
        self.unfinished = 0
        """Tasks that were not done when the screen was left."""

    async def show(self, feed: Callable[[AsyncDownloadEngine], Coroutine[Any, Any, None]]) -> int:
        """Show the screen until the person or a signal ends it; return the exit code.

        `feed` adds what was ordered, beside the screen. Raises what starting raised, the terminal restored.
        """
        grant = foreground_grant(os.environ)
        stopping = Stopping(_keep_silent, before_leaving=restorer(grant))
        try:
            await stopping.run(self._run(grant, feed, stopping.stop))
        except Stopped:
            return INTERRUPTED
        return INTERRUPTED if stopping.was_asked else DONE

    async def _run(
        self,
        grant: TerminalGrant,
        feed: Callable[[AsyncDownloadEngine], Coroutine[Any, Any, None]],
        on_hangup: Callable[[], None],
    ) -> None:
        async with AsyncExitStack() as stack:

            async def connect() -> AsyncDownloadEngine:
                from tui_dl.cli.compose import open_engine  # noqa: PLC0415  # the first frame comes before the engine

                opening = open_engine(self._settings, self._journal_file, is_get=False)
                engine = (await stack.enter_async_context(opening)).engine
                stack.callback(self._count_unfinished, engine)
                self.engine = engine
                feeding = asyncio.create_task(feed(engine))
                stack.push_async_callback(_end, feeding)
                return engine

            await run_screen(
                connect,
                settings=self._settings,
                grant=grant,
                folder=self._folder,
                first_rows=await self._first_rows(),
                on_hangup=on_hangup,
                lists=self.lists,
            )

    async def _first_rows(self) -> Sequence[DownloadTask]:
        """Return the first page as the last process left it; nothing where the disk is in no hurry."""
        from tui_dl.cli.daemon_calls import in_daemon  # noqa: PLC0415  # the engine needs both, but later
        from tui_dl.journal.first_page import read_first_page  # noqa: PLC0415  # see above

        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ROWS_S):
                return await in_daemon(partial(read_first_page, self._journal_file, FIRST_ROWS))
        return ()

    def _count_unfinished(self, engine: AsyncDownloadEngine) -> None:
        counts = engine.snapshot().counts
        self.unfinished = sum(counts.get(status, 0) for status in UNFINISHED)


def run_screen_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop that the screen needs."""
    leave_interrupts_to_loop()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)


def restorer(grant: TerminalGrant) -> Callable[[], None]:
    """Return what puts the terminal back if the process has to end while the screen still holds it."""
    with suppress(termios.error):
        settings = termios.tcgetattr(grant.in_fd)

        def put_back() -> None:
            with suppress(termios.error):
                termios.tcsetattr(grant.in_fd, termios.TCSANOW, settings)
            # A terminal that does not read must not keep us: the write gets a moment in a thread of its own.
            writing = threading.Thread(target=_write_restoring, args=(grant.out_fd,), daemon=True)
            writing.start()
            writing.join(RESTORING_S)

        return put_back
    return _nothing_to_restore


def _write_restoring(descriptor: int) -> None:
    with suppress(OSError):
        os.write(descriptor, restore(has_kitty_keys=True).encode())


async def _end(feeding: asyncio.Task[None]) -> None:
    """End what still adds; what went wrong in it is raised."""
    if not feeding.done():
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        return
    feeding.result()


def _keep_silent(_text: str) -> None:
    """Say nothing while the screen is on."""


def _nothing_to_restore() -> None:
    """Leave a terminal alone that has no line settings."""
