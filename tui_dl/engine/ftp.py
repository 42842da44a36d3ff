"""FTP behind the transport port (extra `ftp`): a GET becomes SIZE, MDTM, REST and RETR, answered in HTTP's terms.

A part is given only under the condition that the request names, and where it begins beyond byte 0, size and time are
asked again before its last bytes are given out: a file that was replaced in between never makes a mixture.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import origin_of
from tui_dl.core.errors import HttpError, NetworkError, Reason, TuiDlError
from tui_dl.core.ftp_rules import FileFacts, Head, head_of, path_of
from tui_dl.engine.resolving import make_resolver
from tui_dl.engine.trust import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from tui_dl.core.ports import TransportRequest
    from tui_dl.core.proxies import ProxyAddress
    from tui_dl.core.settings import Settings
    from tui_dl.engine.client_options import ClientOptions
    from tui_dl.engine.ftp_line import FtpLine

KEEP_ALIVE_S: Final = 15.0
"""A login that nobody uses is given up after this."""
READ_BYTES: Final = 256 * 1024
MISSING: Final = "ftp:// needs an extra that is not installed: pip install 'tui-dl[ftp]'"
_ANYBODY: Final = ("anonymous", "anonymous@")


@dataclass(frozen=True, slots=True)
class Place:
    """A server and who we are to it."""

    scheme: str
    """`ftp`, `ftps` or `ftpes`."""
    host: str
    """Name or address, IPv6 without brackets."""
    port: int
    """From 1 to 65535."""
    user: str = field(repr=False)
    """Each character one byte."""
    password: str = field(repr=False)
    """Each character one byte; told to this server alone."""


class FtpAnswer:
    """A transfer under way; see `core.ports.TransportAnswer`."""

    def __init__(
        self,
        head: Head,
        line: FtpLine,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None,
        transport: FtpTransport,
        asked: tuple[str, FileFacts],
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self.has_proven_end = True
        self._line = line
        self._streams = streams
        self._transport = transport
        self._path, self._facts = asked
        self._is_part = head.start > 0
        self._left = None if head.end is None else head.end - head.start
        self._is_over = streams is None
        self._is_closed = False

    async def read(self, most_bytes: int | None) -> bytes:
        """Return what has arrived; empty at the end. Raises `NetworkError` when cut."""
        if self._is_over or self._streams is None:
            return b""
        most = READ_BYTES if most_bytes is None else most_bytes
        try:
            chunk = await self._streams[0].read(most if self._left is None else min(most, self._left))
        except OSError:
            raise _cut() from None
        if self._left is not None:
            self._left -= len(chunk)
            if not chunk and self._left:
                raise _cut()
        if not chunk or self._left == 0:
            await self._finish()
            self._is_over = True
        return chunk

    async def _finish(self) -> None:
        """Hear that the transfer ended well, and that the file is still the one that was asked for."""
        assert self._streams is not None
        self._streams[1].close()
        code = await self._transport.last_reply(self._line)
        if self._left is None and not code.startswith("2"):
            raise _cut()
        if self._is_part and not await self._transport.is_still(self._line, self._path, self._facts):
            text = "the file changed on the server while it was read"
            raise NetworkError(Reason.TRUNCATED, text, is_retryable=True)

    def close(self) -> None:
        """End the transfer; the login is kept only if it ended by itself."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._streams is not None:
            self._streams[1].close()
        self._transport.give_back(self._line, is_usable=self._is_over)


class FtpTransport:
    """Logins by server, one for each transfer under way; the engine counts them."""

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        timeout_s: float,
        options: ClientOptions,
        settings: Settings,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s
        self._options = options
        self._settings = settings
        self._wall_clock = wall_clock
        self._resolver = make_resolver(options.own_names, options.dns_servers)
        self._module: ModuleType | None = None
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[Place, list[FtpLine]] = {}
        self._expiry: asyncio.TimerHandle | None = None

    async def get(self, request: TransportRequest) -> FtpAnswer:
        """Begin the transfer that a GET asks for; return with its head. Raises `NetworkError` or `HttpError`."""
        place, path = place_of(request.url, request.headers), path_of(request.url)
        proxy = self._proxy_for(request.url)
        module = await self._loaded(place)
        try:
            async with asyncio.timeout(self._connect_timeout_s + self._timeout_s):
                while (line := self._kept(place)) is not None:
                    try:
                        return await self._begin(line, path, request.headers)
                    except module.FOREIGN as error:
                        if not module.is_lost(error):
                            raise
                        # It was closed while nobody used it.
                return await self._begin(await self._new_line(place, proxy), path, request.headers)
        except module.FOREIGN as error:
            raise module.mapped(error, place.host) from None  # the cause holds what was sent

    async def _begin(self, line: FtpLine, path: str, headers: Mapping[str, str]) -> FtpAnswer:
        try:
            facts = await line.facts(path)
            head = head_of(headers, facts, self._wall_clock())
            streams = None if head.end == head.start else await line.retrieve(path, head.start)
        except BaseException as error:
            assert self._module is not None
            self.give_back(line, is_usable=not self._module.is_lost(error))
            raise
        return FtpAnswer(head, line, streams, self, (path, facts))

    async def last_reply(self, line: FtpLine) -> str:
        """Return the code of the reply that ends a transfer, empty where the connection ended instead."""
        assert self._module is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await line.end_of_transfer()
        except (*self._module.FOREIGN, TuiDlError):
            line.close()
            return ""

    async def is_still(self, line: FtpLine, path: str, facts: FileFacts) -> bool:
        """Whether size and time of a file are what they were; asks by a new login where the old one ended."""
        module = self._module
        assert module is not None
        try:
            async with asyncio.timeout(self._connect_timeout_s + self._timeout_s):
                if not line.stream.writer.is_closing():
                    return await line.facts(path) == facts
                other = await self._new_line(line.place, line.proxy)
                try:
                    return await other.facts(path) == facts
                finally:
                    self.give_back(other, is_usable=True)
        except module.FOREIGN as error:
            raise module.mapped(error, line.place.host) from None

    def give_back(self, line: FtpLine, *, is_usable: bool) -> None:
        """Keep a login for the next transfer, or end it."""
        if not is_usable or line.stream.writer.is_closing():
            line.leave()
            return
        loop = asyncio.get_running_loop()
        line.idle_since = loop.time()
        self._idle.setdefault(line.place, []).append(line)
        if self._expiry is None:
            self._expiry = loop.call_later(KEEP_ALIVE_S, self._expire)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._expiry is not None:
            self._expiry.cancel()
        for lines in self._idle.values():
            for line in lines:
                line.leave()
        self._idle.clear()
        if self._resolver is not None:
            await self._resolver.close()
        await asyncio.sleep(0)  # so that the sockets are closed, too

    def _kept(self, place: Place) -> FtpLine | None:
        lines = self._idle.get(place)
        return lines.pop() if lines else None

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._expiry = None
        for place, lines in tuple(self._idle.items()):
            fresh = [line for line in lines if loop.time() - line.idle_since < KEEP_ALIVE_S / 2]
            for line in lines:
                if line not in fresh:
                    line.leave()
            self._idle[place] = fresh
            if not fresh:
                del self._idle[place]
        if self._idle:
            self._expiry = loop.call_later(KEEP_ALIVE_S, self._expire)

    async def _new_line(self, place: Place, proxy: ProxyAddress | None) -> FtpLine:
        assert self._module is not None
        line: FtpLine = self._module.FtpLine(
            place,
            tls=self._tls,
            family=self._options.family,
            proxy=proxy,
            connect_timeout_s=self._connect_timeout_s,
            resolver=self._resolver,
        )
        await line.open()
        return line

    async def _loaded(self, place: Place) -> ModuleType:
        """Return the library's side, imported off the loop. Raises `HttpError` without the extra."""
        if self._module is None:
            try:
                self._module = await asyncio.to_thread(import_module, "tui_dl.engine.ftp_line")
            except ImportError:
                raise HttpError(Reason.EXTRA_MISSING, MISSING) from None
        if place.scheme != "ftp" and self._tls is None:
            self._tls = await asyncio.to_thread(_tls, self._settings)
        return self._module

    def _proxy_for(self, url: str) -> ProxyAddress | None:
        rules = self._options.proxies
        # A proxy for http:// alone says nothing of ftp://; one for everything does.
        proxy = rules.proxy_for(url) if rules.for_http == rules.for_https else None
        if proxy is not None and not proxy.is_socks:
            text = "ftp:// goes through no HTTP proxy; name a SOCKS proxy, or reach the host directly with --no-proxy"
            raise NetworkError(Reason.PROXY_FAILED, text)
        return proxy


def place_of(url: str, headers: Mapping[str, str]) -> Place:
    """Return the server that an address names, and who we are to it. Raises `HttpError` for unusable credentials."""
    scheme, host, port = origin_of(url)
    value = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    kind, _, encoded = value.partition(" ")
    user, password = _ANYBODY
    if kind.lower() == "basic":
        try:
            user, _, password = b64decode(encoded.strip()).decode("latin-1").partition(":")
        except ValueError:
            raise HttpError(Reason.UNAUTHORIZED, "the credentials cannot be read") from None
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in user + password):
        raise HttpError(Reason.UNAUTHORIZED, "a control character in the credentials")
    return Place(scheme, host.strip("[]"), port, user, password)


def _tls(settings: Settings) -> ssl.SSLContext:
    context = tls_context(
        ca_certificate=settings.ca_certificate, certificate=settings.certificate, insecure=settings.insecure
    )
    context.set_alpn_protocols(["ftp"])  # some servers refuse any other
    return context


def _cut() -> NetworkError:
    return NetworkError(Reason.TRUNCATED, "the transfer ended early", is_retryable=True)
