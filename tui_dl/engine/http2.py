"""HTTP/2 as a transport, through curl (extra `http2`): streams of one connection, paused where nobody reads them.

As with aiohttp nothing is decoded, no redirect followed, no cookie kept, and no browser imitated. The library is
imported by `load_curl()` off the loop, and only where the setting `http2` asks for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict

from tui_dl.core.addresses import origin_of
from tui_dl.core.errors import NetworkError, Reason, TuiDlError, UsageError
from tui_dl.engine.error_map import map_dns
from tui_dl.engine.http2_errors import COULD_NOT_RESOLVE, map_curl
from tui_dl.engine.http2_options import fixed_options, options_of
from tui_dl.engine.name_threads import NAME_THREADS
from tui_dl.engine.resolving import addresses_by, make_resolver

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from curl_cffi import AsyncCurl, Curl

    from tui_dl.core.ports import TransportRequest
    from tui_dl.core.proxies import ProxyAddress
    from tui_dl.engine.client_options import ClientOptions
    from tui_dl.engine.http2_options import TlsFiles

HELD_BYTES: Final = 256 * 1024
"""A stream whose reader is this far behind is paused; its window then stops the server."""
IDLE_HANDLES: Final = 64
"""Handles kept for the next requests; each has a buffer of 128 KiB."""
_PAUSE: Final = 0x10000001  # CURL_WRITEFUNC_PAUSE
_GO_ON: Final = 0  # CURLPAUSE_CONT
_MISSING: Final = "HTTP/2 needs an extra that is not installed: pip install 'tui-dl[http2]'"


def load_curl() -> ModuleType:
    """Import the library; never on the loop, which it would block. Raises `UsageError` where it is missing."""
    try:
        return import_module("curl_cffi")
    except ImportError:
        raise UsageError(_MISSING) from None


class Http2Answer:
    """Head of an answer and its body as curl hands it over; see `core.ports.TransportAnswer`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.status = 0
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.is_http2 = False
        """Whether the host spoke HTTP/2, rather than 1.1 over the same connection."""
        self.has_proven_end = False
        self.head: asyncio.Future[None] = loop.create_future()
        """Done when the head is there, or failed with the library's error."""
        self._loop = loop
        self._chunks: deque[bytes] = deque()
        self._held_bytes = 0
        self._is_paused = False
        self._is_done = False
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._resume: Callable[[], object]
        self._map: Callable[[BaseException], TuiDlError]
        self._leave: Callable[[], None] | None = None

    def bind(
        self, resume: Callable[[], object], leave: Callable[[], None], map_error: Callable[[BaseException], TuiDlError]
    ) -> None:
        """Take how to go on after a pause, how to leave, and how errors become ours."""
        self._resume, self._leave, self._map = resume, leave, map_error

    # -- called by curl ------------------------------------------------------------------------------------------------

    def on_header(self, line: bytes) -> int:
        """Take one line of a head; those after its end are trailers, which say nothing of the file."""
        if self.head.done():
            return len(line)
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if text.startswith("HTTP/"):
            # Also after a 1xx, whose head is forgotten.
            self.headers.clear()
            version, _, rest = text.partition(" ")
            self.is_http2 = version == "HTTP/2"
            self.status = int(rest[:3]) if rest[:3].isdigit() else 0
        elif text:
            name, _, value = text.partition(":")
            self.headers.add(name.strip(), value.strip())
        elif self.status >= 200:
            coding = self.headers.get("Transfer-Encoding", "").lower()
            self.has_proven_end = self.is_http2 or "chunked" in coding or "Content-Length" in self.headers
            self.head.set_result(None)
        return len(line)

    def on_body(self, chunk: bytes) -> int:
        """Take a chunk of the body, or refuse it for now: curl keeps it then."""
        if self._held_bytes >= HELD_BYTES:
            self._is_paused = True
            return _PAUSE
        self._chunks.append(chunk)
        self._held_bytes += len(chunk)
        self._wake()
        return len(chunk)

    def on_done(self, future: asyncio.Future[None]) -> None:
        """Note how the exchange ended."""
        self._is_done = True
        if not future.cancelled():
            self._error = future.exception()
        if not self.head.done():
            self.head.set_exception(self._error or ConnectionResetError("no answer came"))
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- called by the engine ------------------------------------------------------------------------------------------

    async def read(self, most_bytes: int | None) -> bytes:
        """Return what has arrived; empty at the end. Raises `NetworkError` when cut."""
        while not self._chunks:
            if self._leave is None:
                raise NetworkError(Reason.CONNECTION_RESET, "the answer was closed", is_retryable=True)
            if self._is_done:
                if self._error is not None:
                    raise self._map(self._error) from self._error
                return b""
            if self._is_paused:
                self._go_on()
                continue
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        chunk = self._taken(self._held_bytes if most_bytes is None else most_bytes)
        if self._is_paused and self._held_bytes < HELD_BYTES // 2 and not self._is_done:
            self._go_on()
        return chunk

    def _go_on(self) -> None:
        self._is_paused = False
        self._resume()  # hands over what it kept at once

    def _taken(self, most_bytes: int) -> bytes:
        taken, count = [], 0
        while self._chunks and count < most_bytes:
            chunk = self._chunks.popleft()
            if count + len(chunk) > most_bytes:
                cut = most_bytes - count
                self._chunks.appendleft(chunk[cut:])
                chunk = chunk[:cut]
            taken.append(chunk)
            count += len(chunk)
        self._held_bytes -= count
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def close(self) -> None:
        """End the exchange: its stream is reset where it has not ended, its connection stays for others."""
        leave, self._leave = self._leave, None
        if leave is not None:
            self._chunks.clear()
            leave()
            self._wake()


class Http2Transport:
    """One set of connections, which curl shares among the streams of a host; the engine counts the streams."""

    def __init__(
        self,
        curl_cffi: ModuleType,
        *,
        connect_timeout_s: float,
        timeout_s: float,
        options: ClientOptions,
        tls: TlsFiles,
    ) -> None:
        self._curl_cffi = curl_cffi
        self._options = options
        self._tls = tls
        self._head_timeout_s = connect_timeout_s + timeout_s
        self._fixed = fixed_options(curl_cffi, options, tls, connect_timeout_s=connect_timeout_s)
        self._multi: AsyncCurl = curl_cffi.AsyncCurl(cacert=tls.authorities)
        self._resolver = make_resolver(options.own_names, options.dns_servers)
        self._idle: list[Curl] = []
        self._open: set[Http2Answer] = set()

    async def get(self, request: TransportRequest) -> Http2Answer:
        """Send a GET; return with the head. Raises `NetworkError`, `HttpError` or `FileSystemError` (descriptors)."""
        loop = asyncio.get_running_loop()
        host = origin_of(request.url)[1]
        proxy = self._options.proxies.proxy_for(request.url)
        curl = self._idle.pop() if self._idle else self._new_handle()
        answer = Http2Answer(loop)
        answer.bind(
            resume=lambda: curl.pause(_GO_ON),
            leave=lambda: self._left(answer, curl),
            map_error=lambda error: map_curl(error, host, proxy, self._facts(curl), is_in_body=True),
        )
        self._open.add(answer)
        try:
            addresses = [] if proxy else await self._addresses(request.url)
            for option, value in options_of(self._curl_cffi, request, proxy, addresses):
                curl.setopt(option, value)
            curl.setopt(self._curl_cffi.CurlOpt.HEADERFUNCTION, answer.on_header)
            curl.setopt(self._curl_cffi.CurlOpt.WRITEFUNCTION, answer.on_body)
            self._multi.add_handle(curl).add_done_callback(answer.on_done)
            async with asyncio.timeout(self._head_timeout_s):
                await answer.head
        except (self._curl_cffi.CurlError, OSError, ValueError) as error:
            facts = self._facts(curl)
            answer.close()
            raise await self._mapped(error, host, proxy, facts) from error
        except BaseException:
            answer.close()
            raise
        return answer

    async def aclose(self) -> None:
        """Close all connections."""
        for answer in tuple(self._open):
            answer.close()
        await self._multi.close()  # type: ignore[no-untyped-call]  # the library's
        for curl in self._idle:
            curl.close()
        self._idle.clear()
        if self._resolver is not None:
            await self._resolver.close()
        if self._tls.written is not None:
            await asyncio.to_thread(self._tls.written.close)

    async def _addresses(self, url: str) -> list[str]:
        _, host, port = origin_of(url)
        try:
            return await addresses_by(self._resolver, host, port, self._options.family)
        except OSError as error:
            raise map_dns(error, host) from error

    def _new_handle(self) -> Curl:
        curl: Curl = self._curl_cffi.Curl()
        for option, value in self._fixed:
            curl.setopt(option, value)
        return curl

    def _left(self, answer: Http2Answer, curl: Curl) -> None:
        """Take a handle back; the stream is reset if it has not ended."""
        self._open.discard(answer)
        self._multi.remove_handle(curl)
        if answer.head.done() and not answer.head.cancelled():
            answer.head.exception()  # heard, whoever waited for it
        curl.clean_handles_and_buffers()
        if len(self._idle) < IDLE_HANDLES:
            self._idle.append(curl)
        else:
            curl.close()

    def _facts(self, curl: Curl) -> tuple[int, int]:
        """Return the system's error number and the status of `CONNECT`, 0 for none."""
        known = self._curl_cffi.CurlInfo
        values: list[Any] = [curl.getinfo(one) for one in (known.OS_ERRNO, known.HTTP_CONNECTCODE)]
        return int(values[0] or 0), int(values[1] or 0)

    async def _mapped(
        self, error: BaseException, host: str, proxy: ProxyAddress | None, facts: tuple[int, int]
    ) -> TuiDlError:
        if getattr(error, "code", 0) == COULD_NOT_RESOLVE and proxy is None:
            # curl does not tell a name that is not there from a network that is not: the system's resolver does.
            try:
                await NAME_THREADS.getaddrinfo(host.strip("[]"), None, family=self._options.family)
            except OSError as cause:
                return map_dns(cause, host)
        return map_curl(error, host, proxy, facts, is_in_body=False)
