"""The way from the engine's loop to a thread of yt-dlp: items in order, a bounded number of bytes ahead."""

from __future__ import annotations

import asyncio
import queue
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

T = TypeVar("T")

TICK_S: Final = 0.1
"""How often the thread looks around while nothing arrives: whether it is still wanted, and what to show."""
END_S: Final = 10.0
"""How long a cancelled source may take to close its things."""
LEAST_AHEAD_BYTES: Final = 512 * 1024
"""The source may be so far ahead of the thread, at least: a short pause of the one must not stop the other."""


class _End:
    """The source is done, well or with an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Incoming(Generic[T]):
    """Runs an asynchronous generator on the loop and gives its items to the thread that entered it.

    Leaving it cancels the generator and waits until it REALLY ended: files and connections are free then.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: Callable[[], AsyncGenerator[T, None]],
        size_of: Callable[[T], int],
        tick: Callable[[], None],
        *,
        ahead_bytes: int = 0,
    ) -> None:
        self._loop, self._source, self._size_of, self._tick = loop, source, size_of, tick
        self._ahead_bytes = max(ahead_bytes, LEAST_AHEAD_BYTES)
        self._queue: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._room = asyncio.Event()
        self._held_bytes = 0
        self._future: Future[None] | None = None
        self._has_ended = False

    def __enter__(self) -> Self:
        self._future = asyncio.run_coroutine_threadsafe(self._pump(), self._loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._future is not None
        if self._has_ended:
            return
        self._future.cancel()
        while not self._has_ended:
            try:
                self._has_ended = isinstance(self._queue.get(timeout=END_S), _End)
            except queue.Empty:
                return

    def batches(self) -> Iterator[list[T]]:
        """Yield what has arrived, at least one item at a time; raises what the source raised, or what the tick does."""
        while True:
            items: list[T] = []
            end = self._gather(items)
            if items:
                yield items
                if end is None:
                    self._loop.call_soon_threadsafe(self._free, sum(map(self._size_of, items)))
            if end is not None:
                if end.error is not None:
                    raise end.error
                return

    def _gather(self, items: list[T]) -> _End | None:
        """Wait for an item, take all that are there; return the end if it is among them."""
        while True:
            try:
                item = self._queue.get_nowait() if items else self._queue.get(timeout=TICK_S)
            except queue.Empty:
                if items:
                    return None
                self._tick()
                continue
            if isinstance(item, _End):
                self._has_ended = True
                return item
            items.append(item)

    # -- on the loop ---------------------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        error: BaseException | None = None
        try:
            async with aclosing(self._source()) as items:
                async for item in items:
                    self._queue.put(item)
                    self._held_bytes += self._size_of(item)
                    while self._held_bytes > self._ahead_bytes:
                        self._room.clear()
                        await self._room.wait()
        except asyncio.CancelledError as cancelled:
            error = cancelled
            raise
        except BaseException as raised:  # noqa: BLE001  # the thread raises it
            error = raised
        finally:
            self._queue.put(_End(error))

    def _free(self, size_bytes: int) -> None:
        self._held_bytes -= size_bytes
        self._room.set()


def size_of_any(item: Any) -> int:
    """Return the bytes of an item that may be bytes."""
    return len(item) if isinstance(item, bytes) else 0
