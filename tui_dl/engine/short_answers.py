"""Short answers over connections that are kept: head and body are awaited at once, in one turn of the loop.

aiohttp's request, response and stream objects cost three times what the rest of a small file does. Once it has made a
connection and had a first answer over it, further requests are written as they are, and an answer of the everyday kind
(200 or 206, a plain head, a short body of known length) is taken whole. Whatever is not of that kind, or not there at
once, goes to aiohttp's own reader byte for byte, and is read as ever. This leans on names of aiohttp that are not
public; where one of them is missing no request takes this way.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy

from tui_dl.engine.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import StreamReader
    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage

    from tui_dl.engine.watching import WatchingConnector

MOST_SHORT_BYTES: Final = 128 * 1024
"""Longest body that is awaited whole: it may gather in memory whatever the number of connections."""
PATIENCE_S: Final = 0.25
"""A longer wait is aiohttp's: then it shows what has arrived, and the usual time-outs end it."""
MOST_HEAD_BYTES: Final = 8 * 1024
MOST_ORIGINS: Final = 4096
"""Origins whose connections are known, the latest made ones."""
_PARTS: Final = ("_get", "_factory")

_ADDRESS: Final = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]+)(/[!\"$-~]*)", re.ASCII)
_FIELD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*"
_HEAD: Final = re.compile(rf"HTTP/1\.1 (20[06])(?: [\x20-\x7e]*)?\r\n((?:{_FIELD}\r\n){{1,60}})\r\n".encode())
_LINE: Final = re.compile(r"([^:]+):[ \t]*([^\r]*[^\r \t]|)[ \t]*\r\n")
"""A line of a head that `_HEAD` has seen: this one looks at no more than it must."""
_LENGTH: Final = re.compile(r"[0-9]{1,7}")
_PLAIN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x20-\x7e]*", re.ASCII)
_FRAMING: Final = frozenset(("host", "connection", "content-length", "transfer-encoding", "expect", "upgrade"))
"""Headers of a request that aiohttp itself has to do with."""
_AUTOMATIC: Final = frozenset(("user-agent", "accept", "accept-encoding"))
"""Headers of a request that aiohttp adds where they are not given."""
_UNUSUAL: Final = ("Transfer-Encoding", "Upgrade", "Trailer")


class WholeAnswer:
    """An answer that is here to its last byte; see `core.ports.TransportAnswer`."""

    __slots__ = ("_pieces", "has_proven_end", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], pieces: list[bytes]) -> None:
        self.status = status
        self.headers = headers
        self.has_proven_end = True
        self._pieces = pieces

    async def read(self, most_bytes: int | None) -> bytes:
        """Return the next piece of the body, at most so much; empty at the end."""
        if not self._pieces:
            return b""
        piece = self._pieces[0]
        if most_bytes is None or len(piece) <= most_bytes:
            return self._pieces.pop(0)
        self._pieces[0] = piece[most_bytes:]
        return piece[:most_bytes]

    def take_whole(self) -> list[bytes]:
        """Return all of the body that was not read yet."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def close(self) -> None:
        """Do nothing: the connection was given back when the last byte came."""


class ShortReader(ResponseHandler):
    """aiohttp's side of a connection, which can also read a short answer by itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._patience: Patience[ShortReader] | None = None
        self._asked: asyncio.Future[WholeAnswer | None] | None = None
        self._words: Mapping[str, Any] = {}
        self._came: list[bytes] = []
        self._status = 0
        self._headers: CIMultiDictProxy[str] | None = None
        self._head_bytes = 0
        self._missing_bytes = 0

    @property
    def is_fit(self) -> bool:
        """Whether nothing is left of what was answered before."""
        is_paused = self._paused or self._reading_paused or self._buffer_paused
        return not (self.should_close or is_paused or self._asked)

    def ask(
        self, request: bytes, words: Mapping[str, Any], patience: Patience[ShortReader]
    ) -> asyncio.Future[WholeAnswer | None]:
        """Send a request; the future has its answer, or None where aiohttp's reader has what comes.

        `words` are those that aiohttp's reader is to be given then; `patience` is to lose readers by `hand_over()`.
        """
        assert self.transport is not None
        asked: asyncio.Future[WholeAnswer | None] = self._loop.create_future()
        self._asked, self._words, self._headers = asked, words, None
        self._patience = patience
        patience.begin(self, PATIENCE_S)
        self.transport.write(request)
        return asked

    def data_received(self, data: bytes) -> None:
        """Take what arrived: for the answer that is awaited whole, else as aiohttp does."""
        if self._asked is None:
            super().data_received(data)
            return
        self._came.append(data)
        if self._headers is not None:
            self._missing_bytes -= len(data)
        elif not self._begin():
            self.hand_over()
            return
        if self._headers is not None and self._missing_bytes <= 0:
            self._finish()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave it to aiohttp what that means for an answer that is not whole."""
        self.hand_over()
        super().connection_lost(exc)

    def hand_over(self) -> None:
        """Let aiohttp read what came so far, and what is to come."""
        if (asked := self._end()) is None:
            return
        came, self._came = b"".join(self._came), []
        self.set_response_params(**self._words)
        if came:
            super().data_received(came)
        if not asked.done():
            asked.set_result(None)

    def _begin(self) -> bool:
        """Read the head once it is whole; return False where the answer is none of the everyday kind."""
        if len(self._came) > 1:
            self._came = [b"".join(self._came)]
        came = self._came[0]
        end = came.find(b"\r\n\r\n") + 4
        if end < 4:
            return len(came) < MOST_HEAD_BYTES
        found = _HEAD.fullmatch(came, 0, end) if end <= MOST_HEAD_BYTES else None
        if found is None:
            return False
        headers = _fields(found[2])
        if (length := _everyday_length(headers)) is None:
            return False
        self._status, self._headers = int(found[1]), headers
        self._head_bytes, self._missing_bytes = end, length + end - len(came)
        return True

    def _finish(self) -> None:
        asked, pieces, headers = self._end(), self._came, self._headers
        self._came = []
        assert headers is not None
        if self._missing_bytes < 0:
            # Nothing was asked for that this could be the answer to.
            pieces[-1] = pieces[-1][: self._missing_bytes]
            self.force_close()
        pieces[0] = pieces[0][self._head_bytes :]
        if not pieces[0]:
            del pieces[0]
        if asked is not None and not asked.done():
            asked.set_result(WholeAnswer(self._status, headers, pieces))

    def _end(self) -> asyncio.Future[WholeAnswer | None] | None:
        asked, self._asked = self._asked, None
        if self._patience is not None:
            self._patience.end(self)
        return asked


def _fields(lines: bytes) -> CIMultiDictProxy[str]:
    """Return the headers of a head whose grammar was seen to be plain."""
    return CIMultiDictProxy(CIMultiDict(_LINE.findall(lines.decode("ascii"))))


def _everyday_length(headers: CIMultiDictProxy[str]) -> int | None:
    """Return the length of a short body that nothing is said of but its length; None for any other."""
    lengths = headers.getall("Content-Length", ())
    if len(lengths) != 1 or _LENGTH.fullmatch(lengths[0]) is None or any(name in headers for name in _UNUSUAL):
        return None
    length = int(lengths[0])
    is_kept = headers.get("Connection", "keep-alive").lower() == "keep-alive"
    return length if length <= MOST_SHORT_BYTES and is_kept else None


class KeptResponse:
    """What aiohttp's reader has of an answer, as far as `AiohttpAnswer` wants it."""

    def __init__(self, connection: Connection, head: RawResponseMessage, content: StreamReader) -> None:
        self.connection: Connection | None = connection
        self.status: int = head.code
        self.headers: CIMultiDictProxy[str] = head.headers
        self.content = content
        self.closed: asyncio.Future[None] | None = None if connection.protocol is None else connection.protocol.closed
        """Tells how the connection ends; None where it has."""
        content.on_eof(self.release)

    @property
    def content_length(self) -> int | None:
        """Length that the server named; None where it named none."""
        length = self.headers.get("Content-Length", "")
        return int(length) if length.isascii() and length.isdigit() else None

    def release(self) -> None:
        """Give the connection back to those that are kept."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.release()

    def close(self) -> None:
        """End the connection."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


class _Origin(NamedTuple):
    """How an origin is reached."""

    key: Any
    """By which the connector keeps its connections."""
    host: str
    """Value of the `Host` header."""
    info: aiohttp.RequestInfo
    """A request of it, for errors."""


class KeptConnections:
    """Asks over connections of one connector that carried an answer before."""

    def __init__(self, connector: WatchingConnector, *, timeout_s: float) -> None:
        """`timeout_s`: so long a head is waited for."""
        self._connector = connector
        self._timeout_s = timeout_s
        self._origins: dict[str, _Origin] = {}
        self._patience = Patience(asyncio.get_running_loop(), ShortReader.hand_over)
        if all(hasattr(connector, name) for name in _PARTS):
            factory: Any = partial(ShortReader, loop=asyncio.get_running_loop())
            connector._factory = factory  # noqa: SLF001  # see the first lines
            connector.on_connected = self.learn

    def learn(self, request: aiohttp.ClientRequest) -> None:
        """Note how the origin of a request is reached."""
        found = _ADDRESS.fullmatch(str(request.url))
        if found is None or found[1] in self._origins or request.proxy is not None:
            return
        host = request.url.host_port_subcomponent
        self._origins[found[1]] = _Origin(request.connection_key, host or "", request.request_info)
        if len(self._origins) > MOST_ORIGINS:
            del self._origins[next(iter(self._origins))]

    async def get(
        self, url: str, headers: Mapping[str, str], words: Mapping[str, Any]
    ) -> WholeAnswer | KeptResponse | None:
        """Return the answer; None where no connection is kept, or the one that was had ended.

        `words` are what aiohttp's reader is to be given for an answer that it reads. Raises what aiohttp raises.
        """
        found = _ADDRESS.fullmatch(url)
        origin = None if found is None else self._origins.get(found[1])
        if found is None or origin is None or (fields := _written(tuple(headers.items()))) is None:
            return None
        if (connection := await self._fit(origin.key)) is None:
            return None
        reader: ShortReader = connection.protocol
        request = f"GET {found[2]} HTTP/1.1\r\nHost: {origin.host}\r\n{fields}\r\n"
        try:
            if (answer := await reader.ask(request.encode("ascii"), words, self._patience)) is not None:
                connection.release()
                return answer
            async with asyncio.timeout(self._timeout_s):
                head, content = await _usual(reader, origin.info)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            connection.close()
            return None
        except BaseException:
            reader.hand_over()
            connection.close()
            raise
        return KeptResponse(connection, head, content)

    async def _fit(self, key: Any) -> Any:
        """Return a connection that is kept; those that something was left on are closed."""
        while (connection := await self._connector._get(key, [])) is not None:  # noqa: SLF001
            reader = connection.protocol
            if isinstance(reader, ShortReader) and reader.is_fit:
                break
            connection.close()
        return connection


async def _usual(reader: ShortReader, info: aiohttp.RequestInfo) -> tuple[RawResponseMessage, StreamReader]:
    """Return the head that aiohttp reads, passing over those that only announce it (RFC 9110 §15.2)."""
    while True:
        try:
            head, content = await reader.read()
        except HttpProcessingError as error:
            raise aiohttp.ClientResponseError(info, (), status=error.code, message=error.message) from error
        if not 100 <= head.code <= 199 or head.code == 101:
            return head, content


@lru_cache(maxsize=64)
def _written(headers: tuple[tuple[str, str], ...]) -> str | None:
    """Return headers as they are sent, None where one of them is not of the plain kind."""
    lines = [f"{name}: {value}" for name, value in headers]
    names = {name.lower() for name, _ in headers}
    is_plain = all(map(_PLAIN.fullmatch, lines)) and _FRAMING.isdisjoint(names) and names >= _AUTOMATIC
    return "".join(f"{line}\r\n" for line in lines) if is_plain else None
