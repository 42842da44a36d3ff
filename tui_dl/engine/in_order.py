"""A sliding window: several pieces of work at once, their results in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

W = TypeVar("W")
R = TypeVar("R")

MOST_AHEAD: Final = 2
"""Results that may wait for an earlier one, for each piece of work at once: memory stays bounded."""


async def in_order(
    wishes: Iterable[W], work: Callable[[W], Awaitable[R]], width: Callable[[], int]
) -> AsyncGenerator[R, None]:
    """Yield what `work` returns for each wish, in their order, at most `width()` at work; wishes are taken as needed.

    Whatever is at work when the generator is closed is cancelled and waited for.
    """
    source = iter(wishes)
    line: deque[asyncio.Task[R]] = deque()
    is_dry = False
    try:
        while True:
            wide = max(1, width())
            while not is_dry and len(line) < MOST_AHEAD * wide and sum(not one.done() for one in line) < wide:
                wish = next(source, None)
                if wish is None:
                    is_dry = True
                else:
                    line.append(asyncio.ensure_future(work(wish)))
            if not line:
                return
            if line[0].done():
                yield line.popleft().result()
            else:
                # Any that ends makes room for the next one, even behind a slow first.
                await asyncio.wait([one for one in line if not one.done()], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in line:
            one.cancel()
        await asyncio.gather(*line, return_exceptions=True)
