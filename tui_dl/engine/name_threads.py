"""Look-ups of the system's own resolver, which block: in threads of their own, so that nothing waits behind them."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from aiohttp.resolver import ThreadedResolver

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_THREADS: Final = 64
"""Look-ups at once. A dead name holds one for as long as the system is ready to wait, which may be half a minute."""
IDLE_S: Final = 10.0
"""A thread that had nothing to look up for so long ends."""

_Call = tuple["Callable[[], Any]", asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class NameThreads:
    """A bounded number of threads, begun as they are needed; none of them keeps the process from ending.

    The loop's own pool is not used: what reads disks there would stand behind names that do not answer.
    """

    def __init__(self, most: int = MOST_THREADS) -> None:
        self._most = most
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self.count = 0
        """Threads that there are."""

    async def getaddrinfo(self, host: str, port: int | None, **words: Any) -> list[Any]:
        """Do as the loop's function of that name."""
        found: list[Any] = await self._call(lambda: socket.getaddrinfo(host, port, **words))
        return found

    async def getnameinfo(self, address: Any, flags: int = 0) -> tuple[str, str]:
        """Do as the loop's function of that name."""
        found: tuple[str, str] = await self._call(lambda: socket.getnameinfo(address, flags))
        return found

    async def _call(self, function: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._calls.put((function, loop, future))
        with self._lock:
            if self._idle < self._calls.qsize() and self.count < self._most:
                self.count += 1
                threading.Thread(target=self._work, name="look up names", daemon=True).start()
        return await future

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            try:
                call = self._calls.get(timeout=IDLE_S)
            except Empty:
                call = None
            with self._lock:
                self._idle -= 1
                if call is None and self._calls.empty():
                    self.count -= 1
                    return
            if call is not None:
                _answer(*call)


def _answer(function: Callable[[], Any], loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
    if future.cancelled():  # whoever asked gave up while others were looked up
        return
    found, error = None, None
    try:
        found = function()
    except (OSError, UnicodeError) as raised:
        error = raised
    with suppress(RuntimeError):  # the loop has ended meanwhile, nobody waits
        loop.call_soon_threadsafe(_settle, future, found, error)


def _settle(future: asyncio.Future[Any], found: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(found)
    else:
        future.set_exception(error)


NAME_THREADS: Final = NameThreads()
"""Those of the process."""


class SystemNames(ThreadedResolver):
    """The system's resolver as aiohttp asks it, in our threads."""

    def __init__(self) -> None:
        super().__init__()
        # The library asks its loop for these two functions alone.
        self._loop: Any = NAME_THREADS
