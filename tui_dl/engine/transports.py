"""Which transport carries a request: aiohttp as a rule, HTTP/2 where it was asked for, FTP for ftp addresses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.addresses import FTP_SCHEMES, origin_of
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.engine.client import AiohttpTransport
from tui_dl.engine.ftp import FtpTransport
from tui_dl.engine.identified import IdentifiedTransport
from tui_dl.engine.resolving import names_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from types import ModuleType

    from aiohttp.abc import AbstractResolver

    from tui_dl.core.ports import Transport, TransportAnswer, TransportRequest
    from tui_dl.core.settings import Settings
    from tui_dl.engine.client_options import ClientOptions
    from tui_dl.engine.http2 import Http2Transport
    from tui_dl.engine.http2_options import TlsFiles

MOST_BREAKS: Final = 2
"""So many connections that broke before an answer, one after another, and a host gets no more HTTP/2."""

MOST_ORIGINS: Final = 4096
"""Origins without HTTP/2 that are remembered, and as many that broke it once; of more, the one that was met first is
forgotten, and finds out again."""

_Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Http2Parts:
    """What HTTP/2 needs, made off the loop."""

    curl_cffi: ModuleType
    """The library."""
    tls: TlsFiles
    """Files of secure connections."""


def load_http2(settings: Settings) -> Http2Parts | None:
    """Return what HTTP/2 needs, None where it is off. Never on the loop. Raises `UsageError` without the extra."""
    if settings.http2 == "off":
        return None
    from tui_dl.engine.http2 import load_curl  # noqa: PLC0415  # only who asks for it pays for it
    from tui_dl.engine.http2_options import tls_files  # noqa: PLC0415  # as above

    return Http2Parts(load_curl(), tls_files(settings))


def make_transport(
    settings: Settings, options: ClientOptions, http2: Http2Parts | None, names: AbstractResolver | None = None
) -> Transport:
    """Return the transport of an engine with these settings; `names` looks names up, None: one of its own."""
    connect_s, silence_s = settings.connect_timeout, settings.timeout
    web: Transport = AiohttpTransport(connect_timeout_s=connect_s, timeout_s=silence_s, options=options, names=names)
    if http2 is not None:
        from tui_dl.engine.http2 import Http2Transport  # noqa: PLC0415  # `load_http2()` imported it off the loop

        streams = Http2Transport(
            http2.curl_cffi, connect_timeout_s=connect_s, timeout_s=silence_s, options=options, tls=http2.tls
        )
        # The streams share one connection, so that all together stay within what a host is thought to bear.
        web = WebTransport(
            web, streams, options, own_connections=settings.per_host - 1 if settings.http2 == "auto" else 0
        )
    ftp = FtpTransport(connect_timeout_s=connect_s, timeout_s=silence_s, options=options, settings=settings)
    return SchemeTransport(IdentifiedTransport(web, options), ftp)


def carrier(
    settings: Settings, options: ClientOptions, http2: Http2Parts | None, given: Transport | None
) -> tuple[Transport, AbstractResolver | None]:
    """Return what carries an engine's requests, and what looks names up for it; None where that is not our matter."""
    if given is not None:
        return IdentifiedTransport(given, options), None
    names = names_for(options.own_names, options.dns_servers)
    return make_transport(settings, options, http2, names), names


class SchemeTransport:
    """Sends ftp addresses one way and all others the other."""

    def __init__(self, web: Transport, ftp: Transport) -> None:
        self._web = web
        self._ftp = ftp

    def get(self, request: TransportRequest) -> Coroutine[Any, Any, TransportAnswer]:
        """Send a GET by the scheme of its address."""
        is_ftp = request.url.partition(":")[0] in FTP_SCHEMES
        return (self._ftp if is_ftp else self._web).get(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._ftp.aclose()
        await self._web.aclose()


class WebTransport:
    """Chooses between connections of their own (aiohttp) and streams of one connection (HTTP/2), per request.

    A host that speaks no HTTP/2, or breaks it, gets connections of their own from then on.
    """

    def __init__(
        self, plain: Transport, streams: Http2Transport, options: ClientOptions, *, own_connections: int
    ) -> None:
        self._plain = plain
        self._options = options
        self._streams = streams
        self._own_connections = own_connections
        self._open: Counter[_Origin] = Counter()
        self._breaks: Counter[_Origin] = Counter()
        self._plain_only: dict[_Origin, None] = {}

    async def get(self, request: TransportRequest) -> TransportAnswer:
        """Send a GET; return with the head."""
        origin = origin_of(request.url)
        if origin[0] != "https" or origin in self._plain_only or self._is_beyond_curl(request.url):
            return await self._plain.get(request)
        if self._open[origin] < self._own_connections:
            return await self._get_counted(request, origin)
        try:
            answer = await self._streams.get(request)
        except NetworkError as error:
            if error.reason is Reason.TLS_FAILED:
                # Another TLS library: the usual one may agree with this host, or say better what is wrong.
                return await self._plain.get(request)
            if error.reason is Reason.CONNECTION_RESET:
                self._note_break(origin)
            raise
        self._breaks.pop(origin, None)
        if not answer.is_http2:
            self._keep_plain(origin)
        return answer

    def _note_break(self, origin: _Origin) -> None:
        self._breaks[origin] += 1
        if self._breaks[origin] >= MOST_BREAKS:
            del self._breaks[origin]
            self._keep_plain(origin)
        elif len(self._breaks) > MOST_ORIGINS:
            del self._breaks[next(iter(self._breaks))]

    def _keep_plain(self, origin: _Origin) -> None:
        self._plain_only[origin] = None
        if len(self._plain_only) > MOST_ORIGINS:
            del self._plain_only[next(iter(self._plain_only))]

    def _is_beyond_curl(self, url: str) -> bool:
        """Whether a SOCKS proxy is to be given addresses that a person chose: curl would give it the name."""
        proxy = self._options.proxies.proxy_for(url)
        has_own = bool(self._options.own_names or self._options.dns_servers)
        return proxy is not None and proxy.is_socks and has_own

    async def _get_counted(self, request: TransportRequest, origin: _Origin) -> TransportAnswer:
        self._open[origin] += 1
        try:
            answer = await self._plain.get(request)
        except BaseException:
            self._ended(origin)
            raise
        return CountedAnswer(answer, lambda: self._ended(origin))

    def _ended(self, origin: _Origin) -> None:
        self._open[origin] -= 1
        if not self._open[origin]:
            del self._open[origin]

    async def aclose(self) -> None:
        """Close all connections."""
        await self._streams.aclose()
        await self._plain.aclose()


class CountedAnswer:
    """An answer that tells when it is closed."""

    __slots__ = ("__weakref__", "_answer", "_on_close", "has_proven_end", "headers", "read", "status")

    def __init__(self, answer: TransportAnswer, on_close: Callable[[], None]) -> None:
        self._answer = answer
        self._on_close: Callable[[], None] | None = on_close
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.has_proven_end: bool = answer.has_proven_end
        self.read = answer.read

    def close(self) -> None:
        """End the exchange."""
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()
            self._answer.close()
