"""Proxies on loopback: HTTP (absolute form and CONNECT, with TLS or without) and SOCKS4 to 5, with credentials."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

    from tests.faults.guards import DigestGuard


class _Proxy:
    """Listens on loopback and hands bytes on; `asked` tells where to."""

    def __init__(self, user: str = "", password: str = "", *, tls: ssl.SSLContext | None = None) -> None:
        self.user, self.password = user, password
        self._tls = tls
        self.asked: list[str] = []
        """`host:port` of each connection that was let through."""
        self.heads: list[bytes] = []
        """What came first on each connection."""
        self._handlers: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for handler in tuple(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def authority(self) -> str:
        """Host and port."""
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            with suppress(OSError, EOFError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:  # streams tell the loop of a cancelled handler as of a fault
            return
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError

    async def _join(
        self, host: str, port: int, ours: tuple[asyncio.StreamReader, asyncio.StreamWriter], first: bytes = b""
    ) -> None:
        self.asked.append(f"{host}:{port}")
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(first)
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(ours[0], writer))
                both.create_task(_copy(reader, ours[1]))
        finally:
            writer.close()


class HttpProxy(_Proxy):
    """An HTTP proxy; `refuses` answers every request with that status, `is_silent` none at all."""

    def __init__(
        self,
        user: str = "",
        password: str = "",
        *,
        refuses: int = 0,
        is_silent: bool = False,
        guard: DigestGuard | None = None,
        challenges: tuple[str, ...] = ('Basic realm="proxy"',),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(user, password, tls=tls)
        self._refuses = refuses
        self._is_silent = is_silent
        self._guard = guard
        self._challenges = challenges

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self._is_silent:
            await reader.read()
            return
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        status, challenges = self._refuses, self._asks(head, method, target)
        if status or challenges is not None:
            lines = [b"HTTP/1.1 %d Refused" % (status or 407), b"Content-Length: 0", b"Connection: close"]
            lines += [b"Proxy-Authenticate: " + one.encode() for one in challenges or ()]
            writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
            await writer.drain()
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await self._join(host, int(port), (reader, writer))
            return
        url = urlsplit(target)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"proxy-")]
        path = f"{url.path}?{url.query}" if url.query else url.path
        lines[0] = f"{method} {path} HTTP/1.1".encode()
        lines.insert(1, b"Connection: close")
        await self._join(url.hostname or "", url.port or 80, (reader, writer), b"\r\n".join(lines))

    def _asks(self, head: bytes, method: str, target: str) -> tuple[str, ...] | None:
        """Return the challenges for a head, None where it is let through."""
        said = [line for line in head.split(b"\r\n") if line.lower().startswith(b"proxy-authorization:")]
        value = said[0].partition(b": ")[2].decode() if said else ""
        if self._guard is not None:
            return self._guard.check(value, method, target)
        wanted = "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()
        return self._challenges if self.user and value != wanted else None


class SocksProxy(_Proxy):
    """A SOCKS5 proxy (RFC 1928, 1929), or SOCKS4 with 4a; `reply` other than 0 refuses, `is_silent` says nothing."""

    def __init__(
        self, user: str = "", password: str = "", *, reply: int = 0, version: int = 5, is_silent: bool = False
    ) -> None:
        super().__init__(user, password)
        self._reply = reply
        self._version = version
        self._is_silent = is_silent
        self.kinds: list[str] = []
        """`name` or `address` of each request: who looked the name up."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_silent:
            await reader.read()
        elif self._version == 4:
            await self._serve_4(reader, writer)
        else:
            await self._serve_5(reader, writer)

    async def _serve_4(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(8)
        user = (await reader.readuntil(b"\0"))[:-1].decode()
        host, port = socket.inet_ntoa(head[4:8]), int.from_bytes(head[2:4])
        self.kinds.append("name" if host.startswith("0.0.0.") else "address")
        if host.startswith("0.0.0."):
            host = (await reader.readuntil(b"\0"))[:-1].decode()
        reply = 93 if user != self.user else self._reply or 90
        writer.write(bytes((0, reply)) + bytes(6))
        if reply == 90:
            await self._join(host, port, (reader, writer))

    async def _serve_5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(2))[1])
        method = 2 if self.user else 0
        if method not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes((5, method)))
        if self.user and not await self._is_known(reader, writer):
            return
        kind = (await reader.readexactly(4))[3]
        self.kinds.append("name" if kind == 3 else "address")
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = socket.inet_ntoa(await reader.readexactly(4))
        port = int.from_bytes(await reader.readexactly(2))
        writer.write(bytes((5, self._reply, 0, 1, 0, 0, 0, 0, 0, 0)))
        if not self._reply:
            await self._join(host, port, (reader, writer))

    async def _is_known(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        user = await reader.readexactly((await reader.readexactly(2))[1])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        is_known = (user.decode(), password.decode()) == (self.user, self.password)
        writer.write(b"\x01\x00" if is_known else b"\x01\x01")
        return is_known


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()
