"""The demonstration server's answers, asked by aiohttp's client over loopback."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from tui_dl.core.errors import NetworkError
from tui_dl.demo.server import LOOPBACK, DemoServer
from tui_dl.demo.tempers import KIB, Host, Temper, Trouble, content

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = 300 * KIB
PLAIN = Temper("plain.bin", SIZE)


async def fetch(url: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and body of one GET on a connection of its own."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as session, session.get(url, headers=names) as answer:
        return answer.status, answer.headers, await answer.read()


async def ask(temper: Temper, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Return what a fresh server says to one GET."""
    async with DemoServer(tempers=[temper]) as server:
        return await fetch(server.url_of(temper), **headers)


async def test_a_whole_file_has_its_length_and_content() -> None:
    """Without Range the answer is a 200 with everything."""
    status, headers, body = await ask(PLAIN)
    assert (status, headers["Content-Length"]) == (200, str(SIZE))
    assert body == content(PLAIN.seed, 0, SIZE)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-", 0, SIZE), ("bytes=70000-70000", 70000, 70001), (f"bytes=100-{SIZE * 9}", 100, SIZE)],
)
async def test_a_range_is_answered_with_exactly_that_range(asked: str, start: int, end: int) -> None:
    """Content-Range is inclusive and names the whole length (RFC 9110 §14.4)."""
    status, headers, body = await ask(PLAIN, Range=asked)
    assert (status, headers["Content-Range"]) == (206, f"bytes {start}-{end - 1}/{SIZE}")
    assert body == content(PLAIN.seed, start, end)


async def test_a_range_beyond_the_end_is_unsatisfiable() -> None:
    """A 416 tells the length (RFC 9110 §15.5.17)."""
    status, headers, _ = await ask(PLAIN, Range=f"bytes={SIZE}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("condition", ["etag", "date"])
async def test_a_met_condition_gives_the_range(condition: str) -> None:
    """If-Range with the validator of this version is honoured."""
    async with DemoServer(tempers=[PLAIN]) as server:
        _, first, _ = await fetch(server.url_of(PLAIN))
        validator = first["ETag"] if condition == "etag" else first["Last-Modified"]
        status, _, _ = await fetch(server.url_of(PLAIN), Range="bytes=10-", If_Range=validator)
    assert status == 206


async def test_a_failed_condition_gives_the_whole() -> None:
    """If-Range with another version's validator turns the range into a 200 (RFC 9110 §13.1.5)."""
    status, _, body = await ask(PLAIN, Range="bytes=10-", If_Range='"another"')
    assert (status, len(body)) == (200, SIZE)


async def test_without_ranges_the_whole_comes() -> None:
    """A server without ranges offers neither 206 nor a validator."""
    status, headers, body = await ask(Temper("a", SIZE, has_ranges=False), Range="bytes=10-")
    assert (status, len(body)) == (200, SIZE)
    assert not {"ETag", "Accept-Ranges", "Last-Modified"} & set(headers)


async def test_without_length_none_is_sent() -> None:
    """The length shows only at the end."""
    status, headers, body = await ask(Temper("a", SIZE, has_ranges=False, has_length=False))
    assert (status, len(body)) == (200, SIZE)
    assert "Content-Length" not in headers


async def test_what_is_missing_is_a_404() -> None:
    """Missing files and unknown names alike."""
    missing = Temper("gone.pdf", 0, trouble=Trouble.MISSING)
    async with DemoServer(tempers=[missing]) as server:
        assert (await fetch(server.url_of(missing)))[0] == 404
        assert (await fetch(server.url_of(missing).replace("gone", "other")))[0] == 404


async def test_the_busy_host_says_when_to_come_back() -> None:
    """First 429 with Retry-After, then the file."""
    busy = Temper("busy", SIZE, Host.BUSY, trouble=Trouble.BUSY, retry_after_s=6)
    async with DemoServer(tempers=[busy]) as server:
        status, headers, _ = await fetch(server.url_of(busy))
        assert (status, headers["Retry-After"]) == (429, "6")
        assert (await fetch(server.url_of(busy)))[0] == 200


async def test_it_fails_twice_and_then_goes_well() -> None:
    """A 503, a cut halfway, and the third time all of it."""
    flaky = Temper("flaky", SIZE, Host.FLAKY, trouble=Trouble.TWICE)
    async with DemoServer(tempers=[flaky]) as server:
        url = server.url_of(flaky)
        assert (await fetch(url))[0] == 503
        with pytest.raises(aiohttp.ClientPayloadError):
            await fetch(url)
        assert (await fetch(url))[2] == content(flaky.seed, 0, SIZE)


async def test_the_changing_file_is_cut_and_then_another() -> None:
    """After the cut there is a new version with a new ETag, and the old one's condition fails."""
    changes = Temper("changes", SIZE, Host.FLAKY, trouble=Trouble.CHANGES)
    async with DemoServer(tempers=[changes]) as server:
        url = server.url_of(changes)
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            old = answer.headers["ETag"]
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        status, headers, body = await fetch(url, Range="bytes=10-", If_Range=old)
    assert (status, headers["ETag"] != old) == (200, True)
    assert body == content(changes.seed + 1, 0, SIZE)


async def test_a_pace_is_kept() -> None:
    """A connection gets no more than its pace: a fifth of a second's worth takes that long."""
    slow = Temper("slow", SIZE, pace_bps=SIZE * 5)
    loop = asyncio.get_running_loop()
    async with DemoServer(tempers=[slow]) as server:
        began_at = loop.time()
        await fetch(server.url_of(slow))
        assert loop.time() - began_at >= 0.19


async def test_open_connections_are_counted_while_they_last() -> None:
    """What the screen claims can be compared with what the server sees."""
    slow = Temper("slow", SIZE, pace_bps=SIZE * 5)
    async with DemoServer(tempers=[slow]) as server:
        async with aiohttp.ClientSession() as session, session.get(server.url_of(slow)) as answer:
            assert server.open_connections["slow"] == 1
            await answer.read()
        assert server.requests["slow"] == 1
    assert server.open_connections["slow"] == 0


async def test_hosts_have_ports_of_their_own() -> None:
    """A host that refuses must not slow the others."""
    async with DemoServer() as server:
        ports = {url.split(":")[2].split("/")[0] for url in server.urls()}
    assert len(ports) == len(Host)


async def test_a_port_in_use_is_named() -> None:
    """A port that somebody else holds is refused with a way out, and nothing stays open."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NetworkError, match=f"port {port}.*--port"):
            async with DemoServer(port):
                pass


async def test_a_client_that_leaves_is_nothing_to_report(caplog: pytest.LogCaptureFixture) -> None:
    """A paused or cancelled download closes its connection in the middle; no traceback comes of it."""
    temper = Temper("slow.bin", 64 * SIZE, pace_bps=64 * SIZE)
    async with DemoServer(tempers=[temper]) as server, aiohttp.ClientSession() as session:
        async with session.get(server.url_of(temper)) as answer:
            await answer.content.readany()
            answer.close()
        async with asyncio.timeout(5):
            while server.open_connections[temper.name]:  # noqa: ASYNC110  # what is waited for tells no event
                await asyncio.sleep(0.01)
    assert not caplog.records


async def test_a_client_that_leaves_before_the_answer_is_nothing_to_report(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever quits while a slow answer is still to come reads no traceback either."""
    temper = Temper("late.bin", SIZE, delay_s=0.05)
    async with DemoServer(tempers=[temper]) as server:
        url = URL(server.url_of(temper))
        for _ in range(5):
            _, writer = await asyncio.open_connection(url.host, url.port)
            writer.write(f"GET {url.path} HTTP/1.1\r\nHost: {url.host}\r\n\r\n".encode())
            await writer.drain()
            writer.transport.abort()
        async with asyncio.timeout(10):
            while server.requests[temper.name] < 5:  # noqa: ASYNC110  # what is waited for tells no event
                await asyncio.sleep(0.01)
    assert not caplog.records
