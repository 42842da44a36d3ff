"""aiohttp as a transport: no total time-out, nothing decoded, no redirects followed, no cookies kept.

Each of these differs from the library's defaults for a reason found by measurement: its total time-out of five
minutes, a cut gzip trailer taken for success, secrets forwarded to other origins, https followed down to http.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import aiohttp
from yarl import URL

from tui_dl.core.errors import NetworkError, Reason, TuiDlError
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.error_map import FOREIGN, map_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import TransportRequest

READ_BUFFER_BYTES: Final = 256 * 1024
"""Larger chunks cost key latency (179 ms at 1 MiB)."""
KEEP_ALIVE_S: Final = 15.0
HAPPY_EYEBALLS_S: Final = 0.25

_ENDS: Final[ContextVar[list[asyncio.Future[None]]]] = ContextVar("_ENDS")
"""Takes the future that tells how the connection of the request at hand ends."""


class _Connector(aiohttp.TCPConnector):
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
            if (ends := _ENDS.get(None)) is not None:
                ends.append(closed)
        return connection


def _hear(closed: asyncio.Future[None]) -> None:
    """Take note of an exception, so that none is called unheard."""
    if not closed.cancelled():
        closed.exception()


class AiohttpAnswer:
    """Head of an answer and its body; see `core.ports.TransportAnswer`."""

    __slots__ = ("_closed", "_content", "_error", "_host", "_response", "has_proven_end", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, host: str, closed: asyncio.Future[None] | None = None) -> None:
        self._response = response
        self._content = response.content
        self._host = host
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        self.has_proven_end = is_chunked or "Content-Length" in response.headers
        # Without a length only the way the connection ended tells a reset from an end.
        self._closed = None if self.has_proven_end else closed
        self._error: TuiDlError | None = None

    async def read(self, most_bytes: int | None) -> bytes:
        """Return what has arrived; empty at the end. Raises `NetworkError` when cut."""
        if self._error is not None:
            raise self._error
        try:
            if most_bytes is None:
                chunk = await self._content.readany()
            else:
                chunk = await self._content.read(most_bytes)
        except FOREIGN as error:
            self._error = map_error(error, self._host)
            # The library raises before it gives out what came ahead of the cut.
            if left := self._left_over():
                return left
            raise self._error from error
        if not chunk and self._closed is not None and self._closed.done() and self._closed.exception():
            raise NetworkError(Reason.TRUNCATED, "the connection was reset", is_retryable=True)
        return chunk

    def _left_over(self) -> bytes:
        buffered = getattr(self._content, "_buffer", None)
        return self._content._read_nowait(-1) if buffered else b""  # noqa: SLF001  # there is no public way

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        if self._content.at_eof():
            self._response.release()
        else:
            self._response.close()


class AiohttpTransport:
    """One aiohttp session; connections are counted by the engine, so the pool itself has no limit."""

    def __init__(self, *, connect_timeout_s: float, timeout_s: float, options: ClientOptions | None = None) -> None:
        options = options or ClientOptions()
        self._head_timeout_s = connect_timeout_s + timeout_s
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                limit=0,
                keepalive_timeout=KEEP_ALIVE_S,
                happy_eyeballs_delay=HAPPY_EYEBALLS_S,
                ssl=options.tls or True,
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
        ends: list[asyncio.Future[None]] = []
        token = _ENDS.set(ends)
        try:
            url = URL(request.url, encoded=True)
            async with asyncio.timeout(self._head_timeout_s):
                response = await self._session.get(url, headers=request.headers, allow_redirects=False)
        except FOREIGN as error:
            raise map_error(error, _host_of(request.url)) from error
        finally:
            _ENDS.reset(token)
        return AiohttpAnswer(response, url.host or "", ends[-1] if ends else None)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


def _host_of(url: str) -> str:
    try:
        return URL(url, encoded=True).host or "the host"
    except ValueError:
        return "the host"
