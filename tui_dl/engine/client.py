"""aiohttp as a transport: no total time-out, nothing decoded, no redirects followed, no cookies kept.

Each of these differs from the library's defaults for a reason found by measurement: its total time-out of five
minutes, a cut gzip trailer taken for success, secrets forwarded to other origins, https followed down to http.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.engine.error_map import FOREIGN, map_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import TransportRequest

READ_BUFFER_BYTES: Final = 256 * 1024
"""Larger chunks cost key latency (179 ms at 1 MiB)."""
KEEP_ALIVE_S: Final = 15.0
HAPPY_EYEBALLS_S: Final = 0.25


class AiohttpAnswer:
    """Head of an answer and its body; see `core.ports.TransportAnswer`."""

    __slots__ = ("_closed", "_content", "_host", "_response", "has_proven_end", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        self._response = response
        self._content = response.content
        self._host = host
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        self.has_proven_end = is_chunked or "Content-Length" in response.headers
        connection = response.connection
        # Without a length only the way the connection ended tells a reset from an end.
        self._closed = (
            connection.protocol.closed if connection and connection.protocol and not self.has_proven_end else None
        )

    async def read(self, most_bytes: int | None) -> bytes:
        """Return what has arrived; empty at the end. Raises `NetworkError` when cut."""
        try:
            if most_bytes is None:
                chunk = await self._content.readany()
            else:
                chunk = await self._content.read(most_bytes)
        except FOREIGN as error:
            raise map_error(error, self._host) from error
        if not chunk and self._closed is not None and self._closed.done() and self._closed.exception():
            raise NetworkError(Reason.TRUNCATED, "the connection was reset", is_retryable=True)
        return chunk

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        if self._content.at_eof():
            self._response.release()
        else:
            self._response.close()


class AiohttpTransport:
    """One aiohttp session; connections are counted by the engine, so the pool itself has no limit."""

    def __init__(self, *, connect_timeout_s: float, timeout_s: float) -> None:
        self._head_timeout_s = connect_timeout_s + timeout_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEEP_ALIVE_S, happy_eyeballs_delay=HAPPY_EYEBALLS_S
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            requote_redirect_url=False,
            read_bufsize=READ_BUFFER_BYTES,
            trust_env=False,
        )

    async def get(self, request: TransportRequest) -> AiohttpAnswer:
        """Send a GET; return with the head. Raises `NetworkError`, `HttpError` or `FileSystemError` (descriptors)."""
        try:
            url = URL(request.url, encoded=True)
            async with asyncio.timeout(self._head_timeout_s):
                response = await self._session.get(url, headers=request.headers, allow_redirects=False)
        except FOREIGN as error:
            raise map_error(error, _host_of(request.url)) from error
        return AiohttpAnswer(response, url.host or "")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


def _host_of(url: str) -> str:
    try:
        return URL(url, encoded=True).host or "the host"
    except ValueError:
        return "the host"
