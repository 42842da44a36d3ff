"""A raw HTTP client for the server's own tests: no more than sockets, and nothing of the engine's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

LIMIT_S = 10.0
"""The longest life of one client; reached only where a test fails."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A head as it came, and what came after it."""

    status: int
    """Status code."""
    headers: dict[str, bytes]
    """Names in lower case, values as they came."""
    body: bytes = b""
    """What was read after the head."""


class RawClient:
    """One connection: sends what it is told to and returns the bytes that come."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.path = str(parts.hostname), int(parts.port or 0), parts.path
        self._context = context
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        """Connect, with a limit on all that follows, so that a silent server fails a test instead of hanging it."""
        self._limit = asyncio.timeout(LIMIT_S)
        await self._limit.__aenter__()
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, ssl=self._context, limit=1 << 24)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close without ceremony."""
        self.writer.transport.abort()
        await self._limit.__aexit__(exc_type, exc, trace)

    async def ask(self, *headers: str, method: str = "GET", path: str | None = None) -> None:
        """Send a request with these header lines."""
        lines = [f"{method} {path or self.path} HTTP/1.1", f"Host: {self.host}", *headers, "", ""]
        self.writer.write("\r\n".join(lines).encode())
        await self.writer.drain()

    async def head(self) -> Answer:
        """Read a head."""
        lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        pairs = (line.split(b": ", 1) for line in lines[1:])
        return Answer(int(lines[0].split()[1]), {name.decode().lower(): value for name, value in pairs})

    async def get(self, *headers: str, method: str = "GET", path: str | None = None) -> Answer:
        """Ask and read a reply whose body has a Content-Length."""
        await self.ask(*headers, method=method, path=path)
        head = await self.head()
        length = 0 if method == "HEAD" else int(head.headers.get("content-length", b"0"))
        return Answer(head.status, head.headers, await self.reader.readexactly(length))

    async def rest(self) -> bytes:
        """Read until the server closes."""
        return await self.reader.read()


async def fetch(url: str, *headers: str, method: str = "GET", path: str | None = None) -> Answer:
    """Ask once on a connection of its own."""
    async with RawClient(url) as client:
        return await client.get(*headers, method=method, path=path)


async def fetch_to_end(url: str, *headers: str) -> Answer:
    """Ask once and read until the server closes."""
    async with RawClient(url) as client:
        await client.ask(*headers)
        head = await client.head()
        return Answer(head.status, head.headers, await client.rest())
