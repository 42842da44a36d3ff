"""An engine with a loop and a thread of its own, for what must have the main thread to itself."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from tui_dl.cli.compose import open_engine, run_loop

if TYPE_CHECKING:
    from tui_dl.core.settings import Settings

LEAVE_S = 5.0


class EngineThread:
    """Opens an engine that keeps nothing; other threads wait for it when they want it first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_ready = threading.Event()
        self._error: BaseException | None = None
        self._end: asyncio.Event | None = None
        self.engine: Any = None
        """The engine, once it is ready."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """Its loop, once it is ready."""
        self._thread = threading.Thread(target=self._run, name="tui-dl-engine", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the engine is open. Raises what kept it from that."""
        self._is_ready.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Close the engine."""
        self._is_ready.wait()
        if self.loop is not None and self._end is not None:
            self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(LEAVE_S)

    def _run(self) -> None:
        try:
            run_loop(self._serve())
        except BaseException as error:  # noqa: BLE001  # whoever waits raises it
            self._error = error
        finally:
            self._is_ready.set()

    async def _serve(self) -> None:
        async with open_engine(self._settings, None, is_get=True) as opened:
            self._end = asyncio.Event()
            self.engine, self.loop = opened.engine, asyncio.get_running_loop()
            self._is_ready.set()
            await self._end.wait()
