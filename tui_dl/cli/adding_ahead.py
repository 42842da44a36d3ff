"""Adds what a list gives while the list is read on: larger transactions, and neither waits for the other."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tui_dl.core.task import NewTask

MOST_TASKS: Final = 2_500
"""Rows read ahead; then the list waits. More would be fewer syncs, and longer turns of the loop to tell of them."""


class AddingAhead:
    """Adds under way, and what was read meanwhile; use it as `async with`: leaving waits for the last add."""

    def __init__(
        self, add: Callable[[Sequence[NewTask], str], Coroutine[Any, Any, object]], *, most_adds: int = 1
    ) -> None:
        """`add` is given rows and the name of their batch; what it raises is raised by one of the next calls here.

        `most_adds`: how many may be under way, for an `add` that keeps their order itself.
        """
        self._add = add
        self._most_adds = most_adds
        self._news: list[NewTask] = []
        self._batch = ""
        self._adding: deque[asyncio.Task[object]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                await self._start()
                await self._settle(0)
        finally:
            for one in self._adding:
                one.cancel()
            await asyncio.gather(*self._adding, return_exceptions=True)

    async def put(self, news: Sequence[NewTask], batch: str) -> None:
        """Add these soon; waits where too much was read ahead."""
        if batch != self._batch:
            await self._start()
            self._batch = batch
        self._news += news
        is_free = len(self._adding) < self._most_adds or self._adding[0].done()
        if is_free or len(self._news) >= MOST_TASKS:
            await self._start()
        # A list on a disk never waits: without this what else the loop has to do would.
        await asyncio.sleep(0)

    async def _start(self) -> None:
        if not self._news:
            return
        news, self._news = self._news, []
        # Whoever has to write rows down does so in this call, while the former adds are under way.
        adding = self._add(news, self._batch)
        try:
            await self._settle(self._most_adds - 1)
        except BaseException:
            adding.close()
            raise
        self._adding.append(asyncio.ensure_future(adding))

    async def _settle(self, left: int) -> None:
        """Wait until so many are under way, the first ones done."""
        while len(self._adding) > left:
            await self._adding.popleft()
