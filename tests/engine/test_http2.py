"""HTTP/2 through curl, against a real HTTP/2 server on loopback that misbehaves as told."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

pytest.importorskip("curl_cffi", reason="the extra `http2` is not installed")

from tests.engine.over_http2 import server, settings
from tests.engine.stage import LARGE_BYTES, MIB, Engines, ended, fetch, is_whole, received, until
from tests.faults import FaultServer, Resource, first, tempers
from tests.faults.certificates import server_context
from tests.faults.http2_front import Http2FaultServer
from tui_dl.core.errors import NetworkError, Reason, UsageError
from tui_dl.core.ports import TransportRequest
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.core.task import Flag
from tui_dl.engine import http2
from tui_dl.engine.client_options import client_options
from tui_dl.engine.http2 import HELD_BYTES, Http2Answer, Http2Transport, load_curl
from tui_dl.engine.http2_options import tls_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import trustme

__all__ = ["server", "settings"]

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
PIECE_BYTES = 16 * 1024
"""Most that curl hands over at once, so that a stream may be this much ahead."""


@pytest_asyncio.fixture
async def transport(authority_file: str) -> AsyncIterator[Http2Transport]:
    """Yield the transport alone."""
    settings = Settings(ca_certificate=authority_file)
    options = await asyncio.to_thread(client_options, settings, {})
    curl_cffi = await asyncio.to_thread(load_curl)
    tls = await asyncio.to_thread(tls_files, settings)
    one = Http2Transport(curl_cffi, connect_timeout_s=5.0, timeout_s=5.0, options=options, tls=tls)
    yield one
    await one.aclose()


async def read_into(chunks: list[bytes], answer: Http2Answer) -> None:
    """Read a body to its end."""
    while chunk := await answer.read(None):
        chunks.append(chunk)


async def test_many_files_come_as_streams_of_one_connection(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """Fifty tasks at once need one connection, and each is whole."""
    engine = await engines(concurrent_downloads=50, **settings)
    resources = [Resource(20_000 + number, seed=number) for number in range(100)]
    tasks = [await engine.add(server.add(f"/{number}.bin", one)) for number, one in enumerate(resources)]
    for task, resource in zip(tasks, resources, strict=True):
        assert is_whole(await ended(engine, task), resource)
    assert server.front.connections == 1
    assert server.front.most_streams > 10


async def test_nothing_of_its_own_goes_to_the_server(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """The headers are those of every other request: no browser, no coding, no cookie."""
    engine = await engines(**settings)
    await fetch(engine, server.add("/a.bin", SMALL, first(1, tempers.drop_after(10))))
    assert set(server.requests[0].headers) == {"host", "user-agent", "accept", "accept-encoding", "range"}
    assert server.requests[0].headers["user-agent"].startswith("tui-dl/")
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_body_without_length_is_proven_by_the_end_of_its_stream(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """END_STREAM proves the end, as the last chunk does: no flag."""
    from tests.faults import lies  # noqa: PLC0415

    url = server.add("/f.bin", LARGE, lies.ignores_range, tempers.chunked)
    task = await fetch(await engines(**settings), url)
    assert is_whole(task, LARGE)
    assert task.flags == frozenset()


async def test_a_reader_that_waits_pauses_the_transfer(server: Http2FaultServer, transport: Http2Transport) -> None:
    """Nothing queues without bound: the window of the stream stops the server; then all of it arrives."""
    resource = Resource(48 * MIB)
    answer = await transport.get(TransportRequest(server.add("/f.bin", resource), {}))
    await until(lambda: answer._is_paused and server.front.waits)
    assert server.front.sent_bytes < 16 * MIB
    assert answer._held_bytes <= HELD_BYTES + PIECE_BYTES
    count = 0
    while chunk := await answer.read(None):
        count += len(chunk)
    answer.close()
    assert count == resource.size_bytes


async def test_a_paused_stream_holds_up_no_other(server: Http2FaultServer, transport: Http2Transport) -> None:
    """Streams of one connection are independent."""
    waiting = await transport.get(TransportRequest(server.add("/large.bin", Resource(48 * MIB)), {}))
    await until(lambda: waiting._is_paused and server.front.waits)
    async with asyncio.timeout(20):
        answer = await transport.get(TransportRequest(server.add("/small.bin", SMALL), {}))
        count = 0
        while chunk := await answer.read(1000):
            assert len(chunk) <= 1000
            count += len(chunk)
    assert count == SMALL.size_bytes
    assert server.front.connections == 1
    answer.close()
    waiting.close()


async def test_a_closed_answer_ends_its_stream(server: Http2FaultServer, transport: Http2Transport) -> None:
    """The server is told, and the connection stays for others."""
    answer = await transport.get(TransportRequest(server.add("/f.bin", Resource(48 * MIB)), {}))
    answer.close()
    await server.wait_for(lambda: not server.active_requests)
    answer = await transport.get(TransportRequest(server.add("/g.bin", SMALL), {}))
    answer.close()
    assert server.front.connections == 1


async def test_a_reset_stream_is_no_end(server: Http2FaultServer, transport: Http2Transport) -> None:
    """What came ahead of it is given out, then it is an error that is worth another try."""
    answer = await transport.get(TransportRequest(server.add("/f.bin", LARGE, tempers.drop_after(MIB)), {}))
    chunks: list[bytes] = []
    with pytest.raises(NetworkError) as caught:
        await read_into(chunks, answer)
    answer.close()
    assert (caught.value.reason, caught.value.is_retryable) == (Reason.TRUNCATED, True)
    assert 0 < sum(map(len, chunks)) <= MIB


async def test_a_host_without_http2_is_served_by_the_usual_client(
    engines: Engines, tls_fault_server: FaultServer, settings: dict[str, Any]
) -> None:
    """Its first answer tells; all others come over connections of their own, in HTTP/1.1."""
    engine = await engines(concurrent_downloads=1, **settings)
    for number in range(4):
        resource = Resource(20_000, seed=number)
        assert is_whole(await fetch(engine, tls_fault_server.add(f"/{number}.bin", resource)), resource)
    assert len({one.connection_id for one in tls_fault_server.requests}) == 2


async def test_a_host_that_breaks_http2_is_served_by_the_usual_client(
    engines: Engines, tls_authority: trustme.CA, settings: dict[str, Any]
) -> None:
    """Two broken connections, one after another, and HTTP/2 is given up there."""
    context = server_context(tls_authority, protocols=("h2", "http/1.1"))
    async with FaultServer(tls=context) as server:
        # It promises HTTP/2 and answers in HTTP/1.1.
        task = await fetch(await engines(**settings), server.add("/f.bin", SMALL))
        assert is_whole(task, SMALL)


async def test_plain_http_never_goes_that_way(
    engines: Engines, fault_server: FaultServer, settings: dict[str, Any]
) -> None:
    """HTTP/2 is spoken over TLS alone."""
    assert is_whole(await fetch(await engines(**settings), fault_server.add("/f.bin", SMALL)), SMALL)


async def test_auto_keeps_to_the_connections_that_a_host_is_thought_to_bear(
    engines: Engines, tls_authority: trustme.CA, authority_file: str
) -> None:
    """What goes beyond them travels as streams of one more connection."""
    async with Http2FaultServer(server_context(tls_authority, protocols=("h2",))) as server:
        engine = await engines(http2="auto", per_host=1, ca_certificate=authority_file)
        assert is_whole(await fetch(engine, server.add("/f.bin", SMALL)), SMALL)
        assert server.front.connections == 1


async def test_a_certificate_that_nobody_vouches_for_is_refused(engines: Engines, server: Http2FaultServer) -> None:
    """Without its authority a server is not believed over HTTP/2 either."""
    task = await fetch(await engines(http2="on", max_retries=1), server.add("/f.bin", SMALL))
    assert (task.status, task.reason) == (Status.FAILED, Reason.TLS_FAILED)
    assert server.requests == []


async def test_insecure_is_visible_in_the_row(engines: Engines, server: Http2FaultServer) -> None:
    """--insecure takes it, and the row says so."""
    task = await fetch(await engines(http2="on", insecure=True), server.add("/f.bin", SMALL))
    assert is_whole(task, SMALL)
    assert Flag.INSECURE in task.flags


async def test_a_client_certificate_is_shown(
    engines: Engines, tls_authority: trustme.CA, settings: dict[str, Any], tmp_path: Path
) -> None:
    """A server that wants one gets it."""
    context = server_context(tls_authority, protocols=("h2",))
    tls_authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    file = tmp_path / "me.pem"
    tls_authority.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(str(file))
    async with Http2FaultServer(context) as server:
        engine = await engines(certificate=str(file), **settings)
        assert is_whole(await fetch(engine, server.add("/f.bin", SMALL)), SMALL)
        assert server.front.connections == 1


async def test_a_large_file_is_resumed(engines: Engines, server: Http2FaultServer, settings: dict[str, Any]) -> None:
    """The rules above the transport hold: what is held stays, under If-Range."""
    url = server.add("/f.bin", LARGE, tempers.stall_after(2 * MIB))
    engine = await engines(journal=engines.journal, **settings)
    task = await engine.add(url)
    await until(lambda: received(engine, task) >= 2 * MIB)
    await engines.close(engine)
    server.script("/f.bin")
    sent = server.bytes_sent()
    assert is_whole(await fetch(await engines(journal=engines.journal, **settings), url), LARGE)
    assert server.bytes_sent() - sent < 2 * MIB
    assert "if-range" in server.requests[-1].headers


@pytest.mark.parametrize("name", ["X-A\r\nX-B", "X A", ""])
async def test_a_header_that_would_be_two_is_refused(
    server: Http2FaultServer, transport: Http2Transport, name: str
) -> None:
    """Nothing of the kind reaches the wire, whoever gave it."""
    with pytest.raises(Exception, match="cannot be sent"):
        await transport.get(TransportRequest(server.add("/f.bin", SMALL), {name: "1"}))
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [("https://127.0.0.1:1/f", Reason.CONNECT_REFUSED), ("https://nosuch.invalid/f", Reason.DNS_FAILED)],
)
async def test_errors_have_their_reason(transport: Http2Transport, url: str, reason: Reason) -> None:
    """A refused connection and a name that is not there are what they are anywhere else."""
    with pytest.raises(NetworkError) as caught:
        await transport.get(TransportRequest(url, {}))
    assert caught.value.reason in {reason, Reason.NO_NETWORK}
    assert caught.value.is_retryable


async def test_a_server_that_never_answers_is_given_up(
    engines: Engines, server: Http2FaultServer, settings: dict[str, Any]
) -> None:
    """No head within the time-out ends the attempt; the stream is reset."""
    url = server.add("/f.bin", SMALL, tempers.never_answers())
    engine = await engines(timeout=0.2, connect_timeout=0.5, max_retries=1, **settings)
    task = await fetch(engine, url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.STALLED)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for and missing is wrong usage, told before anything begins."""

    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(http2, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install 'tui-dl\[http2\]'"):
        load_curl()
