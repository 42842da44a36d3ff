"""One control connection to an FTP server and its data connections, through aioftp; imported only where used."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import aioftp
from aioftp.common import SSLSessionBoundContext

from tui_dl.core.errors import HttpError, NetworkError, Reason, TuiDlError
from tui_dl.core.ftp_rules import FileFacts, parse_size_reply, parse_time_reply
from tui_dl.engine.ftp_errors import map_reply, map_socket
from tui_dl.engine.name_threads import NAME_THREADS
from tui_dl.engine.resolving import addresses_by

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from tui_dl.core.proxies import ProxyAddress
    from tui_dl.engine.ftp import Place

READ_BUFFER_BYTES: Final = 256 * 1024
"""A data connection whose reader is twice this behind is not read, which stops the server."""
MOST_LINES: Final = 1000
"""Longest reply, in lines of at most `READ_BUFFER_BYTES`; beyond that it is no reply."""
FOREIGN: Final = (aioftp.AIOFTPException, OSError, ValueError, IndexError, EOFError)
"""What a command may raise that is not ours."""


def mapped(error: BaseException, host: str) -> TuiDlError:
    """Return our error for what a command raised."""
    if isinstance(error, TuiDlError):
        return error
    if isinstance(error, aioftp.StatusCodeError):
        return map_reply(str(error.received_codes[-1]), " ".join(error.info), host)
    return map_socket(error, host)


def is_lost(error: BaseException) -> bool:
    """Whether a login is of no use any more after this."""
    return not isinstance(error, aioftp.StatusCodeError) or error.received_codes[-1] == "421"


class FtpLine(aioftp.Client):
    """A login. Paths and replies are bytes, written as characters of Latin-1."""

    def __init__(
        self,
        place: Place,
        *,
        tls: ssl.SSLContext | None,
        family: socket.AddressFamily,
        proxy: ProxyAddress | None,
        connect_timeout_s: float,
        resolver: AbstractResolver | None = None,
    ) -> None:
        super().__init__(encoding="latin-1", ssl=tls if place.scheme == "ftps" else None)
        self.place = place
        self._tls = tls
        self._family = family
        self.proxy = proxy
        self.idle_since = 0.0
        """Instant of the loop's clock at which it was last given back."""
        self._connect_timeout_s = connect_timeout_s
        self._resolver = resolver
        self._lines = 0
        self._speaks_epsv = True
        self._can_restart: bool | None = None

    async def open(self) -> None:
        """Connect and log in. Raises `TuiDlError`."""
        place = self.place
        try:
            await self.connect(place.host, place.port)
            if place.scheme == "ftpes":
                await self._secure()
            elif place.scheme == "ftps":
                await self._protect_transfers()
            await self.login(place.user, place.password)
            await self.command("TYPE I", "2xx")
        except FOREIGN as error:
            self.close()
            raise mapped(error, place.host) from None  # the cause holds what was sent
        except BaseException:
            self.close()
            raise

    async def _secure(self) -> None:
        try:
            await self.upgrade_to_tls(self._tls)
        except aioftp.StatusCodeError:
            text = f"{self.place.host} offers no TLS; ftp:// would send name, password and file in the clear"
            raise NetworkError(Reason.TLS_FAILED, text) from None

    async def _protect_transfers(self) -> None:
        await self.command("PBSZ 0", "200")
        await self.command("PROT P", "200")

    async def facts(self, path: str) -> FileFacts:
        """Ask what the server knows of a file. Raises what the connection raises."""
        size = await self._asked(f"SIZE {path}")
        time = await self._asked(f"MDTM {path}")
        if self._can_restart is None:
            self._can_restart = await self._asked("REST 0", "350") is not None
        return FileFacts(
            total_bytes=parse_size_reply(size or ""),
            modified_at=parse_time_reply(time or ""),
            can_restart=self._can_restart,
        )

    async def _asked(self, command: str, code: str = "213") -> str | None:
        """Return the text of a reply, None where the server does not answer that."""
        try:
            _, lines = await self.command(command, code)
        except aioftp.StatusCodeError as error:
            if error.received_codes[-1] == "421":
                raise
            return None
        return lines[-1]

    async def retrieve(self, path: str, start: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Begin a transfer at a byte; return its data connection. Raises what the connections raise."""
        reader, writer = await self._open_connection(*await self._passive())
        try:
            if start:
                await self.command(f"REST {start}", "350")
            await self.command(f"RETR {path}", "1xx")
        except BaseException:
            writer.close()
            raise
        return reader, writer

    async def _passive(self) -> tuple[str, int]:
        if self._speaks_epsv:
            try:
                return self.place.host, (await self._do_epsv())[1]
            except aioftp.StatusCodeError as error:
                if error.received_codes[-1] == "421":
                    raise
                self._speaks_epsv = False
        # The address that the server names is not believed: it could be anybody's.
        return self.place.host, (await self._do_pasv())[1]

    async def end_of_transfer(self) -> str:
        """Wait for the reply that ends a transfer; return its code."""
        code, _ = await self.command(None, ("2xx", "4xx", "5xx"))
        return str(code)

    async def _open_connection(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context: ssl.SSLContext | None = self.ssl if isinstance(self.ssl, ssl.SSLContext) else None
        if self._stream is not None:
            control = self._stream.writer
            if (secured := control.get_extra_info("ssl_object")) is not None:
                # Many servers want the session of the control connection again.
                context = SSLSessionBoundContext(
                    ssl.PROTOCOL_TLS_CLIENT, context=secured.context, session=secured.session
                )
            if self.proxy is None:
                # The very machine that answered: a name may stand for several.
                host = control.get_extra_info("peername")[0]
        words: dict[str, Any] = {
            "ssl": context,
            "server_hostname": self.place.host if context else None,
            "limit": READ_BUFFER_BYTES,
        }
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                addresses = await self._addresses(host, port)
                if self.proxy is not None:
                    way = await _through(self.proxy, addresses[0], port)
                    return await asyncio.open_connection(sock=way, **words)
                for address in addresses[:-1]:
                    # One that hangs leaves time for the next; not every loop knows happy eyeballs.
                    with suppress(OSError):
                        async with asyncio.timeout(self._connect_timeout_s / 2):
                            return await asyncio.open_connection(address, port, **words)
                return await asyncio.open_connection(addresses[-1], port, **words)
        except TimeoutError:
            text = f"{self.place.host} did not answer the connection in time"
            raise NetworkError(Reason.CONNECT_TIMEOUT, text, is_retryable=True) from None

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Return what to connect to: addresses, or the name where a proxy looks it up."""
        found = await addresses_by(self._resolver, host, port, self._family)
        if found or (self.proxy is not None and self.proxy.scheme != "socks4"):
            return found or [host]
        family = self._family if self.proxy is None else socket.AF_INET  # SOCKS4 takes no others
        known = await NAME_THREADS.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        return [str(one[4][0]) for one in known]

    async def command(self, command: str | None = None, *arguments: object, **words: object) -> tuple[str, list[str]]:  # type: ignore[override]
        """Send a command, read its reply."""
        self._lines = 0
        result = await super().command(command, *arguments, **words)  # type: ignore[call-overload]
        return result or ("", [])

    async def parse_line(self) -> tuple[aioftp.Code, str]:
        """Read one line of a reply; a reply without end is none."""
        self._lines += 1
        if self._lines > MOST_LINES:
            raise HttpError(Reason.PROTOCOL_ERROR, f"{self.place.host} answers without end")
        return await super().parse_line()

    def leave(self) -> None:
        """Say goodbye without waiting for an answer, and close."""
        if self._stream is not None and not self._stream.writer.is_closing():
            self._stream.writer.write(b"QUIT\r\n")
        self.close()


async def _through(proxy: ProxyAddress, host: str, port: int) -> socket.socket:
    """Return a socket to a host by way of a SOCKS proxy, which looks its name up."""
    from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType  # noqa: PLC0415  # only who uses SOCKS pays for it
    from python_socks.async_.asyncio import Proxy  # noqa: PLC0415

    kinds = {"socks4": ProxyType.SOCKS4, "socks4a": ProxyType.SOCKS4, "socks5": ProxyType.SOCKS5}
    way = Proxy(kinds[proxy.scheme], proxy.host, proxy.port, proxy.user or None, proxy.password or None, rdns=True)
    try:
        found: socket.socket = await way.connect(host, port)
    except (ProxyConnectionError, ProxyTimeoutError):
        text = f"the proxy {proxy.authority} cannot be reached"
        raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=True) from None
    except ProxyError:
        text = f"the proxy {proxy.authority} does not lead to {host}"
        raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=True) from None
    return found
