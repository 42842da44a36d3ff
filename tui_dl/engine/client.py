"""aiohttp as a transport: no total time-out, nothing decoded, no redirects followed, no cookies kept.

Each of these differs from the library's defaults for a reason found by measurement: its total time-out of five
minutes, a cut gzip trailer taken for success, secrets forwarded to other origins, https followed down to http.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from tui_dl.core.errors import NetworkError, Reason, TuiDlError
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.error_map import FOREIGN, map_error, map_proxied, proxy_wants_credentials
from tui_dl.engine.watching import ENDS, WatchingConnector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import TransportRequest
    from tui_dl.core.proxies import ProxyAddress

logger = logging.getLogger(__name__)

READ_BUFFER_BYTES: Final = 256 * 1024
"""Larger chunks cost key latency (179 ms at 1 MiB)."""
KEEP_ALIVE_S: Final = 15.0
HAPPY_EYEBALLS_S: Final = 0.25


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
        self._options = options or ClientOptions()
        self._connect_timeout_s = connect_timeout_s
        self._head_timeout_s = connect_timeout_s + timeout_s
        self._session = self._make_session(WatchingConnector(**self._connector_words()))
        self._socks_sessions = {one: self._socks_session(one) for one in self._options.proxies.proxies if one.is_socks}

    async def get(self, request: TransportRequest) -> AiohttpAnswer:
        """Send a GET; return with the head. Raises `NetworkError`, `HttpError` or `FileSystemError` (descriptors)."""
        ends: list[asyncio.Future[None]] = []
        token = ENDS.set(ends)
        proxy = None
        try:
            url = URL(request.url, encoded=True)
            proxy = self._options.proxies.proxy_for(request.url)
            session = self._socks_sessions.get(proxy, self._session) if proxy else self._session
            async with asyncio.timeout(self._head_timeout_s):
                headers = self._headers(request)
                words = _proxy_words(proxy, headers, is_secure=url.scheme == "https")
                response = await session.get(url, allow_redirects=False, **words)
        except FOREIGN as error:
            host = _host_of(request.url)
            raise (map_proxied(error, host, proxy) if proxy else map_error(error, host)) from error
        finally:
            ENDS.reset(token)
        if self._options.cookies is not None:
            self._options.cookies.learn(request.url, response.headers.getall("Set-Cookie", ()))
        if proxy and not proxy.is_socks and url.scheme == "http" and response.status == 407:
            response.close()
            raise proxy_wants_credentials(proxy)
        return AiohttpAnswer(response, url.host or "", ends[-1] if ends else None)

    async def aclose(self) -> None:
        """Close all connections."""
        for session in (self._session, *self._socks_sessions.values()):
            await session.close()
        if self._options.cookies is not None:
            try:
                await asyncio.to_thread(self._options.cookies.save)
            except OSError as error:
                logger.warning("the cookies were not saved: %s", error.strerror)

    def _headers(self, request: TransportRequest) -> dict[str, str]:
        """Return the headers of a request with what belongs to its address alone."""
        options = self._options
        headers = {**request.headers, **options.identity.hop_headers(request.url, request.headers)}
        has_cookie = any(name.lower() == "cookie" for name in headers)
        if options.cookies is not None and not has_cookie and (value := options.cookies.header(request.url)):
            headers["Cookie"] = value
        return headers

    def _connector_words(self) -> dict[str, Any]:
        return {
            "limit": 0,
            "keepalive_timeout": KEEP_ALIVE_S,
            "happy_eyeballs_delay": HAPPY_EYEBALLS_S,
            "ssl": self._options.tls or True,
            "family": self._options.family,
        }

    def _make_session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            requote_redirect_url=False,
            read_bufsize=READ_BUFFER_BYTES,
            trust_env=False,
        )

    def _socks_session(self, proxy: ProxyAddress) -> aiohttp.ClientSession:
        from tui_dl.engine.socks import SocksConnector  # noqa: PLC0415  # only who uses SOCKS pays for it

        return self._make_session(SocksConnector(proxy, **self._connector_words()))


def _proxy_words(proxy: ProxyAddress | None, headers: Mapping[str, str], *, is_secure: bool) -> dict[str, Any]:
    """Return request headers and what aiohttp wants to know of an HTTP proxy.

    Credentials go to the proxy alone: with `CONNECT` ahead of a tunnel, else with the request, which it takes them
    from. They stay apart from the proxy's address, which errors show.
    """
    if proxy is None or proxy.is_socks:
        return {"headers": headers}
    words: dict[str, Any] = {"headers": headers, "proxy": URL(f"http://{proxy.authority}")}
    if proxy.user:
        said = {"Proxy-Authorization": aiohttp.encode_basic_auth(proxy.user, proxy.password, encoding="utf-8")}
        words |= {"proxy_headers": said} if is_secure else {"headers": {**headers, **said}}
    return words


def _host_of(url: str) -> str:
    try:
        return URL(url, encoded=True).host or "the host"
    except ValueError:
        return "the host"
