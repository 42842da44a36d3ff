"""Keeps the rows in step with the engine: asks for the view when it changed, and for the records that are shown."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from tui_dl.ui.columns import LiveSort
from tui_dl.ui.view_state import ViewState

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from tui_dl.core.ports import EnginePort
    from tui_dl.ui.row_model import RowModel

LEAST_PAUSE_S: Final = 0.25
"""Between two views that the engine's changes ask for; a person's choice is answered at once."""
PAUSE_FACTOR: Final = 4
"""A view that takes long is asked for less often: at most a quarter of the time goes to views."""
SCAN_ROWS: Final = 20_000
"""Rows looked at before the loop gets a turn, when live rows are searched in a view."""


class Viewer:
    """One loop that fetches; it never asks for two things at once, and only for the newest wish."""

    def __init__(
        self,
        port: EnginePort,
        model: RowModel,
        *,
        on_view: Callable[[array[int]], None],
        on_rows: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._model = model
        self._on_view = on_view
        self._on_rows = on_rows
        self._clock = clock
        self._wake = asyncio.Event()
        self._state = ViewState()
        self._is_asked = True
        self._generation = -1
        self._seen_generation = -1
        self._rest_until = 0.0
        self._range = (0, 0)
        self._live_places: tuple[int, ...] = ()

    def ask(self, state: ViewState) -> None:
        """Show this, as soon as can be."""
        self._state = state
        self._is_asked = True
        self._wake.set()

    def note(self, generation: int) -> None:
        """Take note of the engine's generation; a new one makes the view old."""
        if generation != self._generation:
            self._generation = generation
            self._wake.set()

    def want(self, first: int, last: int) -> None:
        """Have the records of these rows fetched, if they are missing."""
        self._range = (first, last)
        if self._model.missing(first, last):
            self._wake.set()

    def sort_again(self) -> None:
        """Put live rows in the order of their present numbers, if they are sorted by them."""
        if isinstance(self._state.order, LiveSort) and self._live_places:
            self._model.sort_live(
                self._state.order, is_descending=self._state.is_descending, live_places=self._live_places
            )

    async def run(self) -> None:
        """Fetch until cancelled."""
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._is_asked or self._seen_generation != self._generation:
                await self._renew()
            await self._fetch()

    async def _renew(self) -> None:
        rest_s = self._rest_until - self._clock()
        if not self._is_asked and rest_s > 0:
            asyncio.get_running_loop().call_later(rest_s, self._wake.set)
            return
        self._is_asked = False
        self._seen_generation = self._generation
        state = self._state
        began_at = self._clock()
        ids = await self._port.view(state.query())
        places = await self._find_live(ids) if isinstance(state.order, LiveSort) else ()
        took_s = self._clock() - began_at
        self._rest_until = self._clock() + max(LEAST_PAUSE_S, PAUSE_FACTOR * took_s)
        if state is self._state:
            self._live_places = places
            self._on_view(ids)
            self.sort_again()
            self._on_rows()

    async def _find_live(self, ids: array[int]) -> tuple[int, ...]:
        places: list[int] = []
        live = self._model.live
        for start in range(0, len(ids), SCAN_ROWS):
            chunk = ids[start : start + SCAN_ROWS]
            places.extend(start + index for index, task_id in enumerate(chunk) if task_id in live)
            await asyncio.sleep(0)
        return tuple(places)

    async def _fetch(self) -> None:
        missing = self._model.missing(*self._range)
        if missing:
            rows = await self._port.rows(missing)
            self._model.put(missing, rows)
            self._on_rows()
            self._wake.set()  # the wish may have changed meanwhile
