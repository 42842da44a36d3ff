"""Short answers over kept connections: taken whole, or read by aiohttp as if nothing had been tried."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import until
from tui_dl.core.errors import TuiDlError
from tui_dl.core.ports import TransportRequest
from tui_dl.engine import short_answers
from tui_dl.engine.client import AiohttpAnswer, AiohttpTransport
from tui_dl.engine.short_answers import MOST_SHORT_BYTES, KeptConnections, WholeAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

HEADERS = {"User-Agent": "test", "Accept": "*/*", "Accept-Encoding": "identity"}
PRIMER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LONG = random.Random(7).randbytes(MOST_SHORT_BYTES + 1)

EVERYDAY = {
    "whole": b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\n\r\nhello',
    "a part": b"HTTP/1.1 206 Partial Content\r\ncontent-length:5\r\nContent-Range: bytes 0-4/5\r\n\r\nhello",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \t y \t\r\n\r\n",
    "kept": b"HTTP/1.1 200\r\nConnection: Keep-Alive\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 1\r\n\r\n!",
    "coded": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
}
OTHERS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "long": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(LONG), LONG),
    "last": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    "not modified": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
    "announced": b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    "wrong length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    "beyond ASCII": b"HTTP/1.1 200 OK\r\nX: \xe9\xff\r\nContent-Length: 2\r\n\r\nok",
    "bare feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
}
CUT = {
    "within the head": EVERYDAY["whole"][:20],
    "within the body": EVERYDAY["whole"][:-2],
    "no length": b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nall that there is",
}
Told = tuple[int, list[tuple[str, str]], bytes] | tuple[str, str]


class Server:
    """Answers each connection's first request with nothing, and the others with a script."""

    def __init__(self, pieces: Sequence[bytes], *, is_closing: bool) -> None:
        self._pieces, self._is_closing = pieces, is_closing
        self.connections = 0
        self.requests: list[bytes] = []
        self.origin = ""
        self.tasks: set[asyncio.Task[None]] = set()
        self.writer: asyncio.StreamWriter

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the client goes."""
        self.connections += 1
        task = asyncio.ensure_future(self._answer(reader, writer))
        self.tasks.add(task)
        await asyncio.wait([task])

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        with suppress(asyncio.IncompleteReadError, OSError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(PRIMER)
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in self._pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if not self._is_closing:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(PRIMER)
                await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(
    pieces: Sequence[bytes], *, is_closing: bool = False
) -> AsyncIterator[tuple[Server, AiohttpTransport]]:
    """Run a server; yield it with a transport that has a kept connection to it."""
    server = Server(pieces, is_closing=is_closing)
    listening = await asyncio.start_server(server.meet, "127.0.0.1", 0)
    server.origin = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    sender = AiohttpTransport(connect_timeout_s=20, timeout_s=20)
    try:
        await told(sender, server)
        yield server, sender
    finally:
        await sender.aclose()
        listening.close()
        await asyncio.gather(*server.tasks)


async def told(sender: AiohttpTransport, server: Server, path: str = "/f?a=b%2F&c") -> Told:
    """Return all that is told of an answer, or the error."""
    try:
        answer = await sender.get(TransportRequest(server.origin + path, HEADERS))
        try:
            body = b""
            while piece := await answer.read(3):
                body += piece
        finally:
            answer.close()
    except TuiDlError as error:
        # Of what breaks the grammar aiohttp quotes what it was just given, which depends on how it came.
        return (str(error.reason), error.message.partition(" b'")[0])
    return answer.status, [(name.lower(), value) for name, value in answer.headers.items()], body


def connector_of(sender: AiohttpTransport) -> Any:
    """Return what keeps its connections."""
    return sender._session.connector


def in_pieces(text: bytes, count: int) -> list[bytes]:
    """Return it cut into about so many pieces."""
    step = max(1, len(text) // count)
    return [text[start : start + step] for start in range(0, len(text), step)]


async def both_ways(
    pieces: Sequence[bytes], monkeypatch: pytest.MonkeyPatch, *, is_closing: bool = False
) -> tuple[Told, Told, list[bytes], list[bytes]]:
    """Return what is told of an answer over a kept connection, by this reader and by aiohttp's, and the requests."""
    async with serving(pieces, is_closing=is_closing) as (server, sender):
        ours = await told(sender, server)
        asked = server.requests
    with monkeypatch.context() as patch:
        patch.setattr(KeptConnections, "get", none_kept)
        async with serving(pieces, is_closing=is_closing) as (server, sender):
            return ours, await told(sender, server), asked[:2], server.requests[:2]


async def none_kept(_self: KeptConnections, _url: str, _headers: object, _words: object) -> None:
    """Stand for `KeptConnections.get()` where nothing is kept."""


@pytest.mark.parametrize("count", [1, 2, 1000])
@pytest.mark.parametrize("name", [*EVERYDAY, *OTHERS])
async def test_an_answer_is_the_same_by_both_readers(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is cut on its way: status, headers, body or error are aiohttp's, and so is the request."""
    ours, theirs, asked, asked_too = await both_ways(in_pieces({**EVERYDAY, **OTHERS}[name], count), monkeypatch)
    assert ours == theirs
    assert [line for line in asked[1].split(b"\r\n") if not line.startswith(b"Host")] == [
        line for line in asked_too[1].split(b"\r\n") if not line.startswith(b"Host")
    ]


@pytest.mark.parametrize("name", CUT)
async def test_a_cut_answer_is_the_same_by_both_readers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the end of a connection means is aiohttp's to say, whatever had arrived."""
    ours, theirs, _, _ = await both_ways([CUT[name]], monkeypatch, is_closing=True)
    assert ours == theirs


@pytest.mark.parametrize("name", EVERYDAY)
async def test_everyday_answers_come_whole_over_one_connection(name: str) -> None:
    """None of aiohttp's objects is made for them, and the connection is kept."""
    async with serving([EVERYDAY[name]]) as (server, sender):
        answer = await sender.get(TransportRequest(f"{server.origin}/f", HEADERS))
        assert isinstance(answer, WholeAnswer)
        assert b"".join(answer.take_whole()) == EVERYDAY[name].partition(b"\r\n\r\n")[2]
        await told(sender, server)
        assert server.connections == 1


async def test_what_comes_behind_the_body_is_nobodys() -> None:
    """The body ends at its length, and the connection is not used again."""
    async with serving([EVERYDAY["whole"] + PRIMER]) as (server, sender):
        assert (await told(sender, server))[-1] == b"hello"
        assert (await told(sender, server))[-1] == b""
        assert server.connections == 2


async def test_a_late_answer_is_not_taken_for_the_next_ones() -> None:
    """What arrived on a connection that nobody asked anything spoils it."""
    async with serving([EVERYDAY["a part"]]) as (server, sender):
        await told(sender, server)
        [[(reader, _)]] = connector_of(sender)._conns.values()
        server.writer.write(EVERYDAY["whole"])
        await until(lambda: len(reader))
        assert (await told(sender, server))[-1] == b""
        assert server.connections == 2


async def test_an_answer_that_takes_its_time_is_shown_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment aiohttp reads it: what is there can be seen, and the usual time-outs hold."""
    monkeypatch.setattr(short_answers, "PATIENCE_S", 0.01)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"
    async with serving([head]) as (server, sender):
        answer = await sender.get(TransportRequest(f"{server.origin}/f", HEADERS))
        assert isinstance(answer, AiohttpAnswer)
        assert await answer.read(None) == b"he"
        answer.close()


async def test_a_connection_that_ended_meanwhile_is_replaced() -> None:
    """No server means that as a refusal, so that the request is sent again."""
    async with serving([], is_closing=True) as (server, sender):
        assert (await told(sender, server))[-1] == b""
        assert server.connections == 2


async def test_whoever_is_stopped_leaves_no_connection_with_an_answer_to_come() -> None:
    """The next request gets its own answer."""
    async with serving([b""]) as (server, sender):
        asking = asyncio.ensure_future(sender.get(TransportRequest(f"{server.origin}/f", HEADERS)))
        await until(lambda: len(server.requests) >= 2)
        asking.cancel()
        await asyncio.wait([asking])
        assert (await told(sender, server))[-1] == b""
        assert server.connections == 2


@pytest.mark.parametrize("header", [("Host", "other"), ("X", "a\r\nY: b"), ("X", "\u00e9"), ("Connection", "close")])
async def test_unusual_headers_are_aiohttps_to_send(header: tuple[str, str]) -> None:
    """Those that it has rules for, and those that are not plain."""
    async with serving([EVERYDAY["whole"]]) as (server, sender):
        with suppress(TuiDlError):
            answer = await sender.get(TransportRequest(f"{server.origin}/f", {**HEADERS, header[0]: header[1]}))
            assert isinstance(answer, AiohttpAnswer)
            answer.close()
