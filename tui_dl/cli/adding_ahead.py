"""Adds what a list gives while the list is read on: larger transactions, and neither waits for the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from tui_dl.core.task import NewTask

MOST_TASKS: Final = 2_500
"""Rows read ahead; then the list waits. More would be fewer syncs, and longer turns of the loop to tell of them."""


class AddingAhead:
    """One add under way, and what was read meanwhile; use it as `async with`: leaving waits for the last add."""

    def __init__(self, add: Callable[[Sequence[NewTask], str], Coroutine[Any, Any, object]]) -> None:
        """`add` is given rows and the name of their batch; what it raises is raised by the next call here."""
        self._add = add
        self._news: list[NewTask] = []
        self._batch = ""
        self._adding: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self._start()
            await self._settled()
        elif self._adding is not None:
            self._adding.cancel()
            await asyncio.gather(self._adding, return_exceptions=True)

    async def put(self, news: Sequence[NewTask], batch: str) -> None:
        """Add these soon; waits where too much was read ahead."""
        if batch != self._batch:
            await self._start()
            self._batch = batch
        self._news += news
        if self._adding is None or self._adding.done() or len(self._news) >= MOST_TASKS:
            await self._start()
        # A list on a disk never waits: without this what else the loop has to do would.
        await asyncio.sleep(0)

    async def _start(self) -> None:
        if not self._news:
            await self._settled()
            return
        news, self._news = self._news, []
        # Whoever has to write rows down does so in this call, while the former add is under way.
        adding = self._add(news, self._batch)
        try:
            await self._settled()
        except BaseException:
            adding.close()
            raise
        self._adding = asyncio.ensure_future(adding)

    async def _settled(self) -> None:
        adding: Awaitable[object] | None = self._adding
        if adding is not None:
            await adding
            self._adding = None
