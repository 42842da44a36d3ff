"""A connector that watches how its connections end."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import aiohttp

if TYPE_CHECKING:
    import asyncio

ENDS: Final[ContextVar[list[asyncio.Future[None]]]] = ContextVar("ENDS")
"""Takes the future that tells how the connection of the request at hand ends."""


class WatchingConnector(aiohttp.TCPConnector):
    """Watches each connection's end from its beginning: aiohttp forgets a reset that nobody waited for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._watched: WeakSet[object] = WeakSet()

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109  # the library's name
        """Connect as the library does."""
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        if protocol is not None and (closed := protocol.closed) is not None:
            if protocol not in self._watched:
                self._watched.add(protocol)
                closed.add_done_callback(_hear)
            if (ends := ENDS.get(None)) is not None:
                ends.append(closed)
        return connection


def _hear(closed: asyncio.Future[None]) -> None:
    """Take note of an exception, so that none is called unheard."""
    if not closed.cancelled():
        closed.exception()
