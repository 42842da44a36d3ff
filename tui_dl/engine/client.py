"""aiohttp as a transport: no total time-out, nothing decoded, no redirects followed, no cookies kept.

Each of these differs from the library's defaults for a reason found by measurement: its total time-out of five
minutes, a cut gzip trailer taken for success, secrets forwarded to other origins, https followed down to http.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from tui_dl.core.auth_memory import MOST_ANSWERS, Proof
from tui_dl.core.errors import NetworkError, Reason, TuiDlError
from tui_dl.disk.backlog import MOST_FREE_READERS
from tui_dl.engine.blocks import Blocks
from tui_dl.engine.client_options import ClientOptions
from tui_dl.engine.direct_body import DirectBody, end_direct, take_over
from tui_dl.engine.error_map import FOREIGN, map_error, map_proxied
from tui_dl.engine.proxying import ProxyManners, proxy_words, refusal
from tui_dl.engine.resolving import names_for
from tui_dl.engine.short_answers import KeptConnections, KeptResponse, WholeAnswer
from tui_dl.engine.trust import tls_context
from tui_dl.engine.watching import ASKING, MADE, Asking, WatchingConnector, hear

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from aiohttp.abc import AbstractResolver

    from tui_dl.core.ports import TransportRequest
    from tui_dl.core.proxies import ProxyAddress

READ_BUFFER_BYTES: Final = 256 * 1024
"""Larger chunks cost key latency (179 ms at 1 MiB)."""
SHORT_BODY_BYTES: Final = 128 * 1024
"""A body that is no longer is left to arrive whatever its number: stopping its socket costs more than it holds."""
LONG_BODY_BYTES: Final = 1024 * 1024
"""A body at least so long is taken straight from its transport."""
SHORT_BUFFER_BYTES: Final = 32 * 1024
"""With many answers at once: twice this and what one look at the socket brings may gather in each reader."""
MOST_ENDED: Final = 8
"""Kept connections that turn out to have ended, until the next one that does counts as a failure."""
LONG_PIECE_BYTES: Final = 64 * 1024
_READER_WORDS: Final = {"read_until_eof": True, "auto_decompress": False, "read_bufsize": READ_BUFFER_BYTES}
"""What aiohttp's reader is told of an answer, as a session tells it."""
_CROWDED_WORDS: Final = {**_READER_WORDS, "read_bufsize": SHORT_BUFFER_BYTES}
KEEP_ALIVE_S: Final = 15.0
HAPPY_EYEBALLS_S: Final = 0.25


class OpenAnswers:
    """The answers of a transport that are not closed: how many, and the memory that their bodies arrive in."""

    def __init__(self) -> None:
        self.count = 0
        self.asked = 0
        """Those that did not come yet: a hundred requests are sent before the first answer does."""
        self.blocks = Blocks(lambda: self.is_crowded)

    @property
    def is_crowded(self) -> bool:
        """Whether they are so many that each is to hold little."""
        return self.count + self.asked > MOST_FREE_READERS

    def close_one(self) -> None:
        """Note that one was closed."""
        self.count -= 1
        if not self.count:
            self.blocks.trim()


class AiohttpAnswer:
    """Head of an answer and its body; see `core.ports.TransportAnswer`."""

    __slots__ = (
        "_closed",
        "_content",
        "_direct",
        "_error",
        "_has_length",
        "_host",
        "_is_open",
        "_is_paused",
        "_may_take_over",
        "_open_answers",
        "_response",
        "has_proven_end",
        "headers",
        "status",
    )

    def __init__(
        self,
        response: aiohttp.ClientResponse | KeptResponse,
        host: str,
        open_answers: OpenAnswers,
        closed: asyncio.Future[None] | None = None,
        *,
        is_direct: bool = True,
    ) -> None:
        """`is_direct`: nobody stands between us and the host whose side of the connection is not aiohttp's."""
        self._response = response
        self._content = response.content
        self._host = host
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        # Chunked, `readchunk()` would return the ends of chunks, too.
        self._has_length = not is_chunked and "Content-Length" in response.headers
        self.has_proven_end = is_chunked or self._has_length
        # Without a length only the way the connection ended tells a reset from an end.
        self._closed = None if self.has_proven_end else closed
        self._error: TuiDlError | None = None
        self._is_paused = False
        self._open_answers = open_answers
        self._is_open = True
        self._direct: DirectBody | None = None
        length = response.content_length
        self._may_take_over = is_direct and self._has_length and length is not None and length >= LONG_BODY_BYTES
        open_answers.count += 1

    async def read(self, most_bytes: int | None) -> bytes:
        """Return what has arrived; empty at the end. Raises `NetworkError` when cut."""
        if self._direct is not None:
            return bytes(await self._view_direct(self._direct, most_bytes))
        if self._error is not None:
            raise self._error
        self._unpause()
        try:
            if most_bytes is None:
                chunk = await self._read_some()
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

    async def view(self, most_bytes: int | None) -> bytes | memoryview:
        """Return what has arrived as `read()` does; a view is to be released, since its memory is used again."""
        if self._may_take_over:
            self._may_take_over = False
            self._unpause()
            self._direct = take_over(self._response, self._open_answers.blocks, self._response.content_length or 0)
        if self._direct is None:
            return await self.read(most_bytes)
        return await self._view_direct(self._direct, most_bytes)

    async def _view_direct(self, body: DirectBody, most_bytes: int | None) -> memoryview:
        try:
            return await body.read(most_bytes)
        except FOREIGN as error:
            raise map_error(error, self._host) from error

    def _unpause(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._tell_transport("resume_reading")

    async def _read_some(self) -> bytes:
        """Return what has arrived, a long piece as it is: joining long ones was a tenth of a large download's CPU."""
        buffered = getattr(self._content, "_buffer", None)
        if buffered and self._has_length and len(buffered[0]) >= LONG_PIECE_BYTES:
            return (await self._content.readchunk())[0]
        return await self._content.readany()

    def pause(self) -> None:
        """Take nothing from the socket until the next `read()`; a body that is here whole may be another's soon."""
        if self._direct is not None:
            self._direct.hold()
        elif not (self._is_paused or self._content.is_eof() or self._is_short):
            self._is_paused = True
            self._tell_transport("pause_reading")

    @property
    def _is_short(self) -> bool:
        length = self._response.content_length
        return self._has_length and length is not None and length <= SHORT_BODY_BYTES

    def _tell_transport(self, word: str) -> None:
        connection = self._response.connection
        transport = None if connection is None else connection.transport
        if transport is not None:
            # One that is closing already has nothing to pause.
            with suppress(RuntimeError):
                getattr(transport, word)()

    def _left_over(self) -> bytes:
        buffered = getattr(self._content, "_buffer", None)
        return self._content._read_nowait(-1) if buffered else b""  # noqa: SLF001  # there is no public way

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        if self._direct is not None:
            end_direct(self._response, self._direct, hear)
        elif self._content.at_eof():
            self._response.release()
        else:
            self._response.close()
        if self._is_open:
            self._is_open = False
            self._open_answers.close_one()


class AiohttpTransport:
    """One aiohttp session; connections are counted by the engine, so the pool itself has no limit."""

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        timeout_s: float,
        options: ClientOptions | None = None,
        names: AbstractResolver | None = None,
    ) -> None:
        """`names` looks names up, and is closed with it; None: one of its own."""
        self._options = options or ClientOptions()
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s
        self._has_proxies = bool(self._options.proxies.proxies)
        self._manners = ProxyManners()
        self._open_answers = OpenAnswers()
        self._tls = self._options.tls
        self._making_tls = asyncio.Lock()
        self._resolver = names or names_for(self._options.own_names, self._options.dns_servers)
        connector = WatchingConnector(**self._connector_words())
        self._kept = KeptConnections(connector, timeout_s=timeout_s)
        self._session = self._make_session(connector)
        self._socks_sessions = {one: self._socks_session(one) for one in self._options.proxies.proxies if one.is_socks}

    async def get(self, request: TransportRequest) -> AiohttpAnswer | WholeAnswer:
        """Send a GET; return with the head, or with all of a short answer.

        Raises `NetworkError`, `HttpError` or `FileSystemError` (descriptors).
        """
        self._open_answers.asked += 1
        try:
            return await self._get(request)
        finally:
            self._open_answers.asked -= 1

    async def _get(self, request: TransportRequest) -> AiohttpAnswer | WholeAnswer:
        proxy = self._options.proxies.proxy_for(request.url) if self._has_proxies else None
        if proxy is None and (answer := await self._ask_kept(request)) is not None:
            return answer
        if proxy is None or proxy.is_socks:
            return await self._ask(request, proxy, Proof())
        for _ in range(MOST_ANSWERS):
            proof = self._manners.proof(proxy, request.url)
            try:
                answer = await self._ask(request, proxy, proof)
            except ProxyAsksError as asks:
                headers = asks.headers
            else:
                if answer.status != 407:
                    return answer
                answer.close()
                headers = answer.headers
            if not self._manners.can_answer(proxy, headers, proof):
                break
        raise refusal(proxy, headers)

    async def _ask(self, request: TransportRequest, proxy: ProxyAddress | None, proof: Proof) -> AiohttpAnswer:
        """Send it once by one way; a proxy's 407 ahead of a tunnel raises `ProxyAsksError`."""
        asking = Asking(self._timeout_s)
        token = ASKING.set(asking)
        try:
            url = URL(request.url, encoded=True)
            session = self._socks_sessions.get(proxy, self._session) if proxy else self._session
            async with asyncio.timeout(self._connect_timeout_s + self._timeout_s) as asking.limit:
                words = proxy_words(proxy, request.headers, proof, request.url)
                if url.scheme == "https" or (proxy is not None and proxy.scheme == "https"):
                    words["ssl"] = self._tls or await self._make_tls()
                if self._open_answers.is_crowded:
                    words["read_bufsize"] = SHORT_BUFFER_BYTES
                response = await _get(session, url, words)
        except aiohttp.ClientHttpProxyError as error:
            if error.status == 407:
                raise ProxyAsksError(error.headers or {}) from None
            raise map_proxied(error, _host_of(request.url), proxy) from error
        except FOREIGN as error:
            raise map_proxied(error, _host_of(request.url), proxy) from error
        finally:
            ASKING.reset(token)
        return self._opened(response, url.host or "", asking.closed, is_direct=proxy is None)

    async def _ask_kept(self, request: TransportRequest) -> AiohttpAnswer | WholeAnswer | None:
        """Send it over a connection that is kept; None where there is none, or it had ended meanwhile."""
        try:
            words = _CROWDED_WORDS if self._open_answers.is_crowded else _READER_WORDS
            answer = await self._kept.get(request.url, request.headers, words)
        except FOREIGN as error:
            raise map_error(error, _host_of(request.url)) from error
        if not isinstance(answer, KeptResponse):
            return answer
        return self._opened(answer, _host_of(request.url), answer.closed, is_direct=True)

    def _opened(
        self,
        response: aiohttp.ClientResponse | KeptResponse,
        host: str,
        closed: asyncio.Future[None] | None,
        *,
        is_direct: bool,
    ) -> AiohttpAnswer:
        answer = AiohttpAnswer(response, host, self._open_answers, closed, is_direct=is_direct)
        if self._open_answers.is_crowded:
            # Until somebody reads it, half a mebibyte would gather in every reader.
            answer.pause()
        return answer

    async def _make_tls(self) -> ssl.SSLContext:
        """Return the usual context: the system's authorities are read at the first secure request, off the loop."""
        async with self._making_tls:
            if self._tls is None:
                self._tls = await asyncio.to_thread(tls_context)
        return self._tls

    async def aclose(self) -> None:
        """Close all connections."""
        if self._resolver is not None:  # aiohttp closes its own alone, and a late answer would find no loop
            await self._resolver.close()
        for session in (self._session, *self._socks_sessions.values()):
            await session.close()

    def _connector_words(self) -> dict[str, Any]:
        return {
            "limit": 0,
            "keepalive_timeout": KEEP_ALIVE_S,
            "happy_eyeballs_delay": HAPPY_EYEBALLS_S,
            "family": self._options.family,
            "connect_timeout_s": self._connect_timeout_s,
            "resolver": self._resolver,
        }

    def _make_session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            requote_redirect_url=False,
            read_bufsize=READ_BUFFER_BYTES,
            trust_env=False,
        )
        # It would send again whatever was reset: a host that bears no more connections saw each request twice.
        session._retry_connection = False  # noqa: SLF001  # there is no public way
        return session

    def _socks_session(self, proxy: ProxyAddress) -> aiohttp.ClientSession:
        from tui_dl.engine.socks import SocksConnector  # noqa: PLC0415  # only who uses SOCKS pays for it

        return self._make_session(SocksConnector(proxy, **self._connector_words()))


class ProxyAsksError(Exception):
    """A proxy answered `CONNECT` with a 407; never leaves this file."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__("407")
        self.headers = headers
        """Headers of its answer."""


async def _get(session: aiohttp.ClientSession, url: URL, words: Mapping[str, Any]) -> aiohttp.ClientResponse:
    """Send a GET; again where a connection that was kept had ended meanwhile, which no server means as a refusal."""
    made: list[asyncio.Future[None]] = []
    token = MADE.set(made)
    try:
        for _ in range(MOST_ENDED):
            try:
                return await session.get(url, allow_redirects=False, **words)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                # What could not be connected to was never kept: asked again, a dead host would see nine attempts.
                if made or isinstance(error, aiohttp.ClientConnectorError):
                    raise
        return await session.get(url, allow_redirects=False, **words)
    finally:
        MADE.reset(token)


def _host_of(url: str) -> str:
    try:
        return URL(url, encoded=True).host or "the host"
    except ValueError:
        return "the host"
