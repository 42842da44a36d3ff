"""A server that answers every path alike, as cheaply as it can: for tests with very many files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class _Client(asyncio.Protocol):
    """One connection, requests one after the other."""

    def __init__(self, server: PlainServer) -> None:
        self._server = server
        self._held = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            self._held = self._held[end + 4 :]
            self._server.requests += 1
            self._server.at_once += 1
            self._server.most_at_once = max(self._server.most_at_once, self._server.at_once)
            if self._server.on_request is not None:
                self._server.on_request()
            if self._server.delay_s:
                asyncio.get_running_loop().call_later(self._server.delay_s, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        self._server.at_once -= 1
        if not self._transport.is_closing():
            self._transport.write(self._server.answer)


class PlainServer:
    """`async with PlainServer() as server`: 200 and the same few bytes for everything."""

    def __init__(
        self, host: str = "127.0.0.1", *, port: int = 0, body: bytes = b"0123456789", delay_s: float = 0
    ) -> None:
        self._host, self.port = host, port
        self.delay_s = delay_s
        """Time from a request to its answer."""
        self.requests = 0
        """Requests so far."""
        self.at_once = 0
        """Requests that wait for their answers."""
        self.most_at_once = 0
        """Most of them so far."""
        self.on_request: Callable[[], None] | None = None
        """Called with each request, after it is counted."""
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nAccept-Ranges: none\r\n\r\n%b" % (len(body), body)
        self._server: asyncio.Server

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), self._host, self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
