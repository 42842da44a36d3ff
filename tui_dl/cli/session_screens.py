"""The screens of a session, one after another on lent terminals; the engine neither waits for them nor notices."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.cli.later_lists import LaterLists
from tui_dl.core.query import TaskQuery
from tui_dl.ui.prompt_history import PromptHistory
from tui_dl.ui.run import run_screen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_dl.cli.session_engine import SessionEngine
    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.core.ports import EnginePort
    from tui_dl.core.ports_session import Leaving, ScreenWish, TerminalOwner
    from tui_dl.core.task import DownloadTask
    from tui_dl.disk.locations import Locations

FIRST_ROWS: Final = 100
"""Rows shown before the engine answers: a tall terminal's page."""
SWEEP_AFTER_S: Final = 0.5
"""How long after its end what is left of a screen is given back."""
FIRST_ROWS_S: Final = 0.1
"""How long the first frame waits for them."""


class SessionScreens:
    """Fulfils `core.ports_session.ScreenPort`."""

    def __init__(self, effective: EffectiveSettings, locations: Locations, engine: SessionEngine) -> None:
        """Take what every screen shares."""
        self._settings = effective.settings
        self._locations = locations
        self._engine = engine
        self._lists = LaterLists(effective, locations, lambda: engine.running)
        self._typed = PromptHistory()
        self._shown = 0
        self._has_swept = False
        self.connect: Callable[[], Awaitable[EnginePort]] = engine.start
        """Fetches the engine, which may have to be started."""

    async def show(self, wish: ScreenWish, owner: TerminalOwner) -> Leaving:
        """Show the screen until it is left."""
        self._shown += 1
        try:
            return await run_screen(
                self.connect,
                settings=self._settings,
                grant=wish.grant,
                folder=wish.folder,
                first_rows=await self._first_rows(),
                lists=self._lists,
                owner=owner,
                history=self._typed,
            )
        finally:
            self._shown -= 1
            asyncio.get_running_loop().call_later(SWEEP_AFTER_S, self._sweep)

    def _sweep(self) -> None:
        """Give back what a screen was: cycles, a megabyte and more, that the calm collector would leave for long."""
        gc.collect()
        _trim()
        if not self._has_swept and not self._shown:
            # What is left is the toolkit itself; looked through each time, it made the sweep three times as long.
            self._has_swept = True
            gc.freeze()

    async def _first_rows(self) -> Sequence[DownloadTask]:
        """Return the first page, from the engine where it runs; nothing where the disk is in no hurry."""
        from tui_dl.cli.daemon_calls import in_daemon  # noqa: PLC0415  # the engine needs both, but later
        from tui_dl.journal.first_page import read_first_page  # noqa: PLC0415  # see above

        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_ROWS_S):
                if (engine := self._engine.running) is not None:
                    return await engine.rows(await engine.view(TaskQuery(), limit=FIRST_ROWS))
                return await in_daemon(partial(read_first_page, self._locations.journal_file, FIRST_ROWS))
        return ()


def _trim() -> None:
    """Give the freed memory back to the system, where its C library knows how to."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
