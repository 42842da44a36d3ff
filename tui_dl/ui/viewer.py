"""Keeps the rows in step with the engine: asks for the view when it changed, and for the records that are shown."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import SortKey
from tui_dl.ui.columns import LiveSort
from tui_dl.ui.view_state import ViewState

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from tui_dl.core.ports import EnginePort
    from tui_dl.core.query import TaskQuery
    from tui_dl.ui.row_model import RowModel

LEAST_PAUSE_S: Final = 0.25
"""Between two views that the engine's changes ask for; a person's choice is answered at once."""
PAUSE_FACTOR: Final = 9
"""A view that takes long is asked for less often: at most a tenth of the time goes to views."""
SCAN_ROWS: Final = 20_000
"""Rows looked at before the loop gets a turn, when live rows are searched in a view."""
MANY_ROWS: Final = 20_000
"""From here on a view is kept for the way back, and the next one begins with its first rows."""
FIRST_ROWS: Final = 250
"""Shown while the rest of a long view is on its way: more than a screen holds."""
FIRST_ROWS_S: Final = 0.02
"""How long they are looked for at the head of the queue; rows that are rare are found sooner by looking at all."""
BUSY_AFTER_S: Final = 0.1
"""A choice that takes longer to answer is said to be under way."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A view, and what it answered."""

    query: TaskQuery
    """The question."""
    ids: array[int]
    """All of its rows, in order; up to eight megabytes."""
    generation: int
    """The engine's, when it was asked."""


class Viewer:
    """Asks for one view and one page of rows at a time, and only for the newest wish."""

    def __init__(
        self,
        port: EnginePort,
        model: RowModel,
        *,
        on_view: Callable[[array[int], bool], None],
        on_rows: Callable[[], None],
        on_busy: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
        first_rows_s: float = FIRST_ROWS_S,
    ) -> None:
        """Take whom to ask and whom to tell; `first_rows_s` is how long first rows are waited for."""
        self._port = port
        self._model = model
        self._on_view = on_view
        self._on_rows = on_rows
        self._on_busy = on_busy
        self._clock = clock
        self._first_rows_s = first_rows_s
        self._wake = asyncio.Event()
        self._wanted = asyncio.Event()
        self._state = ViewState()
        self._is_asked = True
        self._keeps_place = False
        self._generation = -1
        self._seen_generation = -1
        self._rest_until = 0.0
        self._range = (0, 0)
        self._live_places: tuple[int, ...] = ()
        self._asking: asyncio.Future[array[int]] | None = None
        self._shown: _Shown | None = None
        self._kept: _Shown | None = None

    def ask(self, state: ViewState, *, keeps_place: bool = False) -> None:
        """Show this, as soon as can be; what was asked before is not waited for.

        `keeps_place`: the person stays at a row, so that the first rows of a long view would be of no use.
        """
        self._state = state
        self._keeps_place = keeps_place
        self._is_asked = True
        if self._asking is not None:
            self._asking.cancel()
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
            self._wanted.set()

    def sort_again(self) -> None:
        """Put live rows in the order of their present numbers, if they are sorted by them."""
        if isinstance(self._state.order, LiveSort) and self._live_places:
            self._model.sort_live(
                self._state.order, is_descending=self._state.is_descending, live_places=self._live_places
            )

    async def run(self) -> None:
        """Fetch until cancelled; rows are fetched also while a view takes long."""
        loops = [asyncio.ensure_future(one) for one in (self._keep_view(), self._keep_rows())]
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        finally:
            for one in loops:
                one.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _keep_view(self) -> None:
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._is_asked or self._seen_generation != self._generation:
                await self._renew()
                self._wanted.set()

    async def _keep_rows(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while missing := self._model.missing(*self._range):
                epoch = self._model.epoch
                rows = await self._port.rows(missing)
                self._model.put(missing, rows, epoch)
                self._on_rows()

    async def _renew(self) -> None:
        rest_s = self._rest_until - self._clock()
        if not self._is_asked and rest_s > 0:
            asyncio.get_running_loop().call_later(rest_s, self._wake.set)
            return
        was_asked, self._is_asked = self._is_asked, False
        self._seen_generation = self._generation
        busy = asyncio.get_running_loop().call_later(BUSY_AFTER_S, self._on_busy, was_asked)
        try:
            await self._answer_choice(self._state, was_asked=was_asked)
        finally:
            busy.cancel()
            self._on_busy(False)

    async def _answer_choice(self, state: ViewState, *, was_asked: bool) -> None:
        began_at = self._clock()
        ids = await self._answer(state.query(), was_asked=was_asked)
        if ids is None or self._is_asked:
            return  # the person wants something else by now
        places = await self._find_live(ids) if isinstance(state.order, LiveSort) else ()
        self._rest_until = self._clock() + max(LEAST_PAUSE_S, PAUSE_FACTOR * (self._clock() - began_at))
        if state is self._state:
            self._live_places = places
            self._show(_Shown(state.query(), ids, self._seen_generation))
            self.sort_again()
            self._on_rows()

    def _show(self, shown: _Shown) -> None:
        old, self._shown = self._shown, shown
        if old is not None and old.query != shown.query and len(old.ids) >= MANY_ROWS:
            self._kept = old
        self._on_view(shown.ids, True)

    async def _answer(self, query: TaskQuery, *, was_asked: bool) -> array[int] | None:
        """Return the view of a question; None if it is not wanted any more.

        What a person chose is seen at once: as it was known, or its first rows.
        """
        if was_asked:
            known = next((one for one in (self._shown, self._kept) if one is not None and one.query == query), None)
            if known is not None and known.generation == self._seen_generation:
                return known.ids
            if known is not None:
                self._show(known)
            elif self._shown is None or (len(self._model) >= MANY_ROWS and not self._keeps_place):
                # In another order all rows are looked at for the first ones, too, but not all of them sorted.
                limit_s = self._first_rows_s if query.sort is SortKey.POSITION else None
                with suppress(TimeoutError):
                    async with asyncio.timeout(limit_s):
                        first = await self._ask_port(query, FIRST_ROWS)
                    if first is None or len(first) < FIRST_ROWS:
                        return first
                    self._on_view(first, False)
        return await self._ask_port(query, -1)

    async def _ask_port(self, query: TaskQuery, limit: int) -> array[int] | None:
        """Ask; None if the person chose something else meanwhile."""
        self._asking = asking = asyncio.ensure_future(self._port.view(query, limit=limit))
        try:
            return await asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return None
        finally:
            self._asking = None

    async def _find_live(self, ids: array[int]) -> tuple[int, ...]:
        places: list[int] = []
        live = self._model.live
        for start in range(0, len(ids), SCAN_ROWS):
            chunk = ids[start : start + SCAN_ROWS]
            places.extend(start + index for index, task_id in enumerate(chunk) if task_id in live)
            await asyncio.sleep(0)
        return tuple(places)
