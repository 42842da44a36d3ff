"""The way from the loop to a thread: in order, bounded, and ended at once whichever side ends it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tui_dl.media.incoming import END_S, LEAST_AHEAD_BYTES, Incoming

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

STEP = LEAST_AHEAD_BYTES // 4


class Source:
    """Yields pieces; counts them, and notes its end."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self._count, self._error = count, error
        self.given = 0
        self.is_closed = False

    async def items(self) -> AsyncGenerator[bytes, None]:
        """Yield them."""
        try:
            for _ in range(self._count):
                self.given += 1
                yield bytes(STEP)
                await asyncio.sleep(0)
            if self._error is not None:
                raise self._error
        finally:
            self.is_closed = True


async def many_turns() -> None:
    """Let the loop go round so often that a source that may go on would be at its end."""
    for _ in range(1000):
        await asyncio.sleep(0)


def incoming(source: Source) -> Incoming[bytes]:
    """Return the way for a source, on the running loop."""
    return Incoming(asyncio.get_running_loop(), source.items, len, lambda: None)


async def test_a_thread_gets_all_in_order() -> None:
    """And the error that ends it."""
    source = Source(40, ValueError("the end"))
    way = incoming(source)

    def work() -> int:
        count = 0
        with way, pytest.raises(ValueError, match="the end"):  # noqa: PT012  # what came before counts, too
            for batch in way.batches():
                count += len(batch)
        return count

    assert await asyncio.to_thread(work) == 40
    assert source.is_closed


async def test_a_source_is_not_far_ahead() -> None:
    """However slow the thread is."""
    source, loop = Source(40), asyncio.get_running_loop()
    way = incoming(source)

    def work() -> int:
        with way:
            batches = way.batches()
            next(batches)
            asyncio.run_coroutine_threadsafe(many_turns(), loop).result()
            return source.given

    assert await asyncio.to_thread(work) <= 10


@pytest.mark.parametrize("count", [1, 40])
async def test_a_thread_that_leaves_waits_for_no_more_than_the_end(count: int) -> None:
    """Also where the source had ended already, in the same batch."""
    source, loop = Source(count), asyncio.get_running_loop()
    way = incoming(source)

    def work() -> float:
        began_at = time.monotonic()
        with way:
            asyncio.run_coroutine_threadsafe(many_turns(), loop).result()
            for _ in way.batches():
                break
        return time.monotonic() - began_at

    assert await asyncio.to_thread(work) < END_S / 2
    assert source.is_closed
