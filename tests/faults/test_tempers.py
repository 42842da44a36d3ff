"""Faults of delivery: each does on the wire what its name says."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.faults import tempers
from tests.faults.fixtures import fault_server, tls_authority, tls_fault_server, trusting_context
from tests.faults.raw_client import RawClient, fetch, fetch_to_end
from tests.faults.script import Resource, after, all_of, first, has_later_range, in_turn, well, when
from tests.faults.server import FaultServer
from tests.faults.wire import Finish

if TYPE_CHECKING:
    from tests.faults.script import Exchange, Fault, Reply

__all__ = ["fault_server", "tls_authority", "tls_fault_server", "trusting_context"]

ALPHABET = Resource(body=b"abcdefghijklmnopqrstuvwxyz")


async def test_drop_closes_in_order_after_so_many_bytes(fault_server: FaultServer) -> None:
    """The head promises 26 bytes, five come, then FIN."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, tempers.drop_after(5)))
    assert (answer.headers["content-length"], answer.body) == (b"26", b"abcde")
    assert (fault_server.requests[0].sent_bytes, fault_server.requests[0].finish) == (5, Finish.BROKEN_OFF)


async def test_drop_counts_from_the_range(fault_server: FaultServer) -> None:
    """Of a range, too, so many bytes come."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, tempers.drop_after(2)), "Range: bytes=10-")
    assert (answer.status, answer.body) == (206, b"kl")


@pytest.mark.parametrize("size", [5, 300_000])
async def test_reset_comes_after_the_bytes_were_delivered(fault_server: FaultServer, size: int) -> None:
    """The client can read all that came before the RST, then its read fails."""
    url = fault_server.add("/f", Resource(size_bytes=1_000_000), tempers.reset_after(size))
    async with RawClient(url) as client:
        await client.ask()
        await client.head()
        assert len(await client.reader.readexactly(size)) == size
        with pytest.raises(ConnectionResetError):
            await client.reader.readexactly(1)


async def test_stall_lasts_until_release(fault_server: FaultServer) -> None:
    """Three bytes come, then nothing, then after release the rest."""
    url = fault_server.add("/f", ALPHABET, tempers.stall_after(3))
    async with RawClient(url) as client:
        await client.ask()
        await client.head()
        assert await client.reader.readexactly(3) == b"abc"
        await fault_server.wait_for(lambda: fault_server.stalled("/f") == 1)
        assert fault_server.bytes_sent("/f") == 3
        fault_server.release("/f")
        assert await client.reader.readexactly(23) == b"defghijklmnopqrstuvwxyz"
    await fault_server.wait_for(lambda: fault_server.requests[0].finish is Finish.WHOLE)


async def test_a_client_that_leaves_a_stall_is_noticed(fault_server: FaultServer) -> None:
    """The log ends and the connection is gone when the client gives up."""
    url = fault_server.add("/f", ALPHABET, tempers.stall_after(0))
    async with RawClient(url) as client:
        await client.ask()
        await fault_server.wait_for(lambda: fault_server.stalled("/f") == 1)
        assert fault_server.active_requests == 1
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)
    assert fault_server.requests[0].finish is Finish.PEER_GONE


async def test_never_answers_says_nothing_at_all(fault_server: FaultServer) -> None:
    """Not even a head comes before release."""
    url = fault_server.add("/f", ALPHABET, tempers.never_answers())
    async with RawClient(url) as client:
        asking = asyncio.create_task(client.get())
        await fault_server.wait_for(lambda: fault_server.stalled("/f") == 1)
        assert not asking.done()
        fault_server.release()
        assert (await asking).body == ALPHABET.body


async def test_pace_keeps_its_rate(fault_server: FaultServer) -> None:
    """Forty thousand bytes at 100 kB/s take 0.4 s, neither much less nor much more."""
    url = fault_server.add("/f", Resource(size_bytes=40_000), tempers.pace(100_000))
    answer = await fetch(url)
    log = fault_server.requests[0]
    assert len(answer.body) == 40_000
    assert log.ended_at is not None
    assert 0.36 <= log.ended_at - log.started_at <= 1.5


async def test_pace_is_smooth(fault_server: FaultServer) -> None:
    """No read brings more than a few ticks' worth."""
    url = fault_server.add("/f", Resource(size_bytes=30_000), tempers.pace(100_000))
    async with RawClient(url) as client:
        await client.ask()
        await client.head()
        sizes: list[int] = []
        while sum(sizes) < 30_000:
            sizes.append(len(await client.reader.read(30_000)))
    assert max(sizes) <= 10_000
    assert len(sizes) >= 4


async def test_shared_pace_is_shared_evenly(fault_server: FaultServer) -> None:
    """Two readers at one pace get half each: together they take as long as one after the other."""
    url = fault_server.add("/f", Resource(size_bytes=20_000), tempers.pace_together(100_000))
    await asyncio.gather(fetch(url), fetch(url))
    one, two = fault_server.requests
    assert one.ended_at is not None
    assert two.ended_at is not None
    assert min(one.ended_at, two.ended_at) - one.started_at >= 0.3


async def test_slow_head_dribbles(fault_server: FaultServer) -> None:
    """The head's first byte comes long before its last."""
    url = fault_server.add("/f", ALPHABET, tempers.slow_head(1_000))
    async with RawClient(url) as client:
        await client.ask()
        assert len(await client.reader.read(4096)) < 40
        await client.reader.readuntil(b"\r\n\r\n")
    log = fault_server.requests[0]
    await fault_server.wait_for(lambda: log.ended_at is not None)
    assert log.ended_at is not None
    assert log.ended_at - log.started_at > 0.15


async def test_without_length_the_close_is_the_end(fault_server: FaultServer) -> None:
    """No length, no chunks: the body ends where the connection does."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, tempers.without_length))
    assert answer.body == ALPHABET.body
    assert not {"content-length", "transfer-encoding"} & answer.headers.keys()


async def test_chunked_is_framed_by_hand(fault_server: FaultServer) -> None:
    """26 bytes are one chunk of 1a and an empty one, and the connection is kept."""
    url = fault_server.add("/f", ALPHABET, first(1, tempers.chunked))
    async with RawClient(url) as client:
        await client.ask()
        assert (await client.head()).headers["transfer-encoding"] == b"chunked"
        framed = b"1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"
        assert await client.reader.readexactly(len(framed)) == framed
        assert (await client.get()).body == ALPHABET.body


async def test_truncated_chunks_lack_the_last(fault_server: FaultServer) -> None:
    """The body breaks off at a chunk's border without the empty chunk."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, tempers.chunked_truncated(26)))
    assert answer.body == b"1a\r\nabcdefghijklmnopqrstuvwxyz\r\n"


@pytest.mark.parametrize("told", ["30", "20", "-5", "26, 26", "x"])
async def test_content_length_says_what_it_is_told_to(fault_server: FaultServer, told: str) -> None:
    """Whatever the header says, the true body follows and then the close."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, tempers.says_length(told)))
    assert (answer.headers["content-length"], answer.body) == (told.encode(), ALPHABET.body)


async def test_extra_bytes_come_before_the_next_reply(fault_server: FaultServer) -> None:
    """What follows the body stands on the kept connection, in front of the next head."""
    late = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n?"
    url = fault_server.add("/f", ALPHABET, first(1, tempers.extra_after_body(late)))
    async with RawClient(url) as client:
        assert (await client.get()).body == ALPHABET.body
        assert (await client.get()).body == b"?"
        assert (await client.get()).body == ALPHABET.body


async def test_a_silent_close_is_not_announced(fault_server: FaultServer) -> None:
    """The reply is whole and says nothing of closing, and yet the connection ends."""
    answer = await fetch_to_end(fault_server.add("/f", ALPHABET, tempers.closes_silently))
    assert answer.body == ALPHABET.body
    assert "connection" not in answer.headers


@pytest.mark.parametrize(
    ("fault", "octets"),
    [
        (tempers.half_a_status_line(), b"HTTP/1.1 20"),
        (tempers.garbage(), b"SSH-2.0-OpenSSH_9.6\r\n\x00\x01\xff\xfe\r\n\r\n"),
        (tempers.closes_at_once(), b""),
        (tempers.raw(b"HTTP/1.1 200 OK\r\nX: \x1b[31m\x00\r\n\r\n"), b"HTTP/1.1 200 OK\r\nX: \x1b[31m\x00\r\n\r\n"),
    ],
)
async def test_raw_bytes_replace_all_of_http(fault_server: FaultServer, fault: Fault, octets: bytes) -> None:
    """Exactly the given bytes come, then the close."""
    async with RawClient(fault_server.add("/f", ALPHABET, fault)) as client:
        await client.ask()
        assert await client.rest() == octets
    assert fault_server.requests[0].status == 0


async def test_reset_at_once_sends_nothing(fault_server: FaultServer) -> None:
    """The request is answered by RST."""
    async with RawClient(fault_server.add("/f", ALPHABET, tempers.resets_at_once())) as client:
        await client.ask()
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_gzip_comes_though_identity_was_asked(fault_server: FaultServer) -> None:
    """The whole content comes encoded, whatever range and encoding were asked for."""
    url = fault_server.add("/f", ALPHABET, tempers.gzip_encoded())
    answer = await fetch(url, "Range: bytes=0-", "Accept-Encoding: identity")
    assert (answer.status, answer.headers["content-encoding"]) == (200, b"gzip")
    assert gzip.decompress(answer.body) == ALPHABET.body


async def test_a_cut_gzip_tail_shows_in_its_end_alone(fault_server: FaultServer) -> None:
    """Content-Length agrees with the cut body; all the content can be decoded, but the trailer is missing."""
    answer = await fetch(fault_server.add("/f", ALPHABET, tempers.gzip_encoded(cut_bytes=8)))
    decoder = zlib.decompressobj(wbits=31)
    assert decoder.decompress(answer.body) == ALPHABET.body
    assert not decoder.eof


async def test_scripts_compose(fault_server: FaultServer) -> None:
    """in_turn, first, after, when and all_of pick the fault for each request."""
    drop = tempers.drop_after
    url = fault_server.add("/f", ALPHABET, in_turn(drop(1), well, all_of(tempers.without_length, drop(3))))
    assert [len((await fetch_to_end(url, "Connection: close")).body) for _ in range(4)] == [1, 26, 3, 26]
    fault_server.script("/f", first(2, drop(4)))
    assert [len((await fetch_to_end(url, "Connection: close")).body) for _ in range(3)] == [4, 4, 26]
    fault_server.script("/f", after(1, drop(5)))
    assert [len((await fetch_to_end(url, "Connection: close")).body) for _ in range(3)] == [26, 5, 5]
    fault_server.script("/f", when(has_later_range, drop(1)))
    assert len((await fetch(url, "Range: bytes=0-")).body) == 26
    assert len((await fetch_to_end(url, "Range: bytes=10-")).body) == 1


async def test_an_error_in_a_script_fails_the_test_that_wrote_it() -> None:
    """A fault that raises is not taken for a fault of the network."""

    def broken(_exchange: Exchange, _reply: Reply) -> Reply:
        raise ZeroDivisionError

    server = FaultServer()
    await server.listen()
    async with RawClient(server.add("/f", ALPHABET, broken)) as client:
        await client.ask()
        assert await client.rest() == b""
    with pytest.raises(ZeroDivisionError):
        await server.__aexit__(None, None, None)


async def test_tls_serves_the_same(tls_fault_server: FaultServer, trusting_context: ssl.SSLContext) -> None:
    """Over TLS a range is a range."""
    async with RawClient(tls_fault_server.add("/f", ALPHABET), trusting_context) as client:
        assert (await client.get("Range: bytes=1-2")).body == b"bc"
    assert tls_fault_server.origin.startswith("https://")


@pytest.mark.parametrize("fault", [tempers.drop_after(2), tempers.cut_after(2), tempers.reset_after(2)])
async def test_tls_breaks_off_too(
    tls_fault_server: FaultServer, trusting_context: ssl.SSLContext, fault: Fault
) -> None:
    """Drop, cut and reset end a TLS connection after the bytes."""
    async with RawClient(tls_fault_server.add("/f", ALPHABET, fault), trusting_context) as client:
        await client.ask()
        await client.head()
        assert await client.reader.readexactly(2) == b"ab"
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await client.reader.readexactly(1)
    assert tls_fault_server.requests[0].finish is Finish.BROKEN_OFF


def _end_of_tls(url: str, context: ssl.SSLContext) -> bytes:
    """Return what is read after the body's last byte, on a socket that tells a cut from a close."""
    parts = urlsplit(url)
    with (
        socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname, suppress_ragged_eofs=False) as secured,
    ):
        secured.sendall(b"GET /f HTTP/1.1\r\nHost: x\r\n\r\n")
        held = b""
        while not held.endswith(b"\r\n\r\nab"):
            held += secured.recv(4096)
        return secured.recv(4096)


async def test_a_cut_has_no_close_notify(tls_fault_server: FaultServer, trusting_context: ssl.SSLContext) -> None:
    """drop_after ends TLS in order, cut_after does not: the only difference between a whole body and a cut one."""
    url = tls_fault_server.add("/f", ALPHABET, tempers.without_length, tempers.drop_after(2))
    assert await asyncio.to_thread(_end_of_tls, url, trusting_context) == b""
    tls_fault_server.script("/f", tempers.without_length, tempers.cut_after(2))
    with pytest.raises(ssl.SSLEOFError):
        await asyncio.to_thread(_end_of_tls, url, trusting_context)
