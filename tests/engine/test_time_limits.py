"""Time-outs: a connection that does not stand, with what it waited for, and a task that runs too long."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import MIB, ended, fetch, is_whole, until
from tests.faults import Resource, first, lies, tempers
from tests.faults.proxies import HttpProxy, SocksProxy
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)
LARGE = Resource(8 * MIB)
QUICK_S = 0.3


@contextmanager
def deaf_port() -> Iterator[int]:
    """Yield a port whose queue is full: the kernel answers no further connection."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield port


@asynccontextmanager
async def silent_port() -> AsyncIterator[int]:
    """Yield a port that takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


@asynccontextmanager
async def silent_name_server() -> AsyncIterator[str]:
    """Yield the address of a name server that never answers."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield f"{host}:{port}"
    finally:
        transport.close()


async def test_a_host_that_does_not_answer(engines: Engines) -> None:
    """The kernel of the other side says nothing at all."""
    with deaf_port() as port:
        engine = await engines(connect_timeout=QUICK_S, max_retries=0)
        task = await fetch(engine, f"http://127.0.0.1:{port}/f.bin")
    assert (task.status, task.reason) == (Status.FAILED, Reason.CONNECT_TIMEOUT)
    assert "127.0.0.1 did not answer the connection in time" in task.reason_text


async def test_a_head_that_does_not_come(engines: Engines) -> None:
    """A connection that stands has the time-out of silence alone, whatever a new one may take to stand."""
    async with silent_port() as port:
        engine = await engines(connect_timeout=600.0, timeout=QUICK_S, max_retries=0)
        task = await fetch(engine, f"http://127.0.0.1:{port}/f.bin")
    assert (task.status, task.reason) == (Status.FAILED, Reason.STALLED)
    assert "no byte came from 127.0.0.1 for too long" in task.reason_text


async def test_a_secure_handshake_that_does_not_end(engines: Engines) -> None:
    """The connection stands, TLS does not."""
    async with silent_port() as port:
        engine = await engines(connect_timeout=QUICK_S, max_retries=0)
        task = await fetch(engine, f"https://127.0.0.1:{port}/f.bin")
    assert task.reason is Reason.CONNECT_TIMEOUT
    assert "127.0.0.1 did not finish the secure handshake in time" in task.reason_text


async def test_a_name_that_is_not_looked_up(engines: Engines) -> None:
    """The name server says nothing."""
    async with silent_name_server() as server:
        engine = await engines(connect_timeout=QUICK_S, max_retries=0, dns_servers=server)
        task = await fetch(engine, "http://files.example/f.bin")
    assert task.reason is Reason.CONNECT_TIMEOUT
    assert "the name of files.example was not looked up in time; --dns-servers ADDRESS asks other" in task.reason_text


@pytest.mark.parametrize("kind", ["tunnel", "socks5", "tls"])
async def test_a_proxy_that_says_nothing(engines: Engines, kind: str) -> None:
    """It is named, and the host with it."""
    async with AsyncExitStack() as stack:
        if kind == "tls":
            authority = f"127.0.0.1:{await stack.enter_async_context(silent_port())}"
        else:
            proxy = SocksProxy(is_silent=True) if kind == "socks5" else HttpProxy(is_silent=True)
            authority = (await stack.enter_async_context(proxy)).authority
        scheme = {"tunnel": "http", "tls": "https"}.get(kind, kind)
        engine = await engines(proxy=f"{scheme}://{authority}", connect_timeout=QUICK_S, max_retries=0)
        task = await fetch(engine, "https://127.0.0.1:1/f.bin")
    wanted = {
        "tls": "finish the secure handshake",
        "tunnel": "open the way to 127.0.0.1",
        "socks5": "answer the connection",
    }[kind]
    assert task.reason is Reason.PROXY_FAILED
    assert f"the proxy {authority} did not {wanted} in time" in task.reason_text


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_handshake_beyond_a_proxy_that_does_not_end(engines: Engines, scheme: str) -> None:
    """Not the proxy's fault."""
    async with silent_port() as port, HttpProxy() as http, SocksProxy() as socks:
        proxy = socks if scheme == "socks5" else http
        engine = await engines(proxy=f"{scheme}://{proxy.authority}", connect_timeout=QUICK_S, max_retries=0)
        task = await fetch(engine, f"https://127.0.0.1:{port}/f.bin")
    assert task.reason is Reason.CONNECT_TIMEOUT
    assert "127.0.0.1 did not finish the secure handshake in time" in task.reason_text


async def test_a_head_may_take_longer_than_the_connection(engines: Engines, fault_server: FaultServer) -> None:
    """The connect time-out is over once the connection stands."""
    engine = await engines(connect_timeout=0.1, timeout=5.0)
    url = fault_server.add("/f.bin", SMALL, tempers.slow_head(800))
    assert is_whole(await fetch(engine, url), SMALL)


# -- the whole of a task -----------------------------------------------------------------------------------------------


async def test_a_task_that_runs_too_long_fails_with_its_part_file(engines: Engines, fault_server: FaultServer) -> None:
    """With its own reason; a retry with more time goes on where it was."""
    url = fault_server.add("/f.bin", LARGE, tempers.pace(2 * MIB))
    engine = await engines(journal=engines.journal, max_time=0.8, connections=1)
    task = await fetch(engine, url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.MAX_TIME)
    assert "not done after 0.8 s of work" in task.reason_text
    assert task.downloaded_bytes > 0
    assert any(name.endswith(".part") for name in engines.names())
    await engines.close(engine)
    fault_server.script("/f.bin")
    before = len(fault_server.requests)
    engine = await engines(journal=engines.journal)
    await engine.execute(Command(CommandName.RETRY, ids=(task.id,)))
    assert is_whole(await ended(engine, task), LARGE)
    assert fault_server.requests[before].headers["range"] != "bytes=0-"


async def test_all_attempts_count_together(engines: Engines, fault_server: FaultServer) -> None:
    """Each takes a fifth of a second to fail; the fourth finds too little time left."""
    url = fault_server.add("/f.bin", SMALL, lies.status(500), tempers.slow_head(600))
    engine = await engines(max_time=0.7, max_retries=1000)
    task = await fetch(engine, url)
    assert task.reason is Reason.MAX_TIME
    assert 2 <= len(fault_server.requests) <= 6


async def test_waiting_does_not_count(engines: Engines, fault_server: FaultServer) -> None:
    """A host that asks for a second of patience takes nothing of half a second of work."""
    url = fault_server.add("/f.bin", SMALL, first(1, tempers.closes_at_once()))
    engine = await engines(max_time=0.5, retry_delay=0.6, max_retry_delay=0.8)
    engine.context.random = lambda: 0.999
    assert is_whole(await fetch(engine, url), SMALL)


async def test_a_stop_by_a_person_goes_before(engines: Engines, fault_server: FaultServer) -> None:
    """Paused is paused, and the time begins anew."""
    url = fault_server.add("/f.bin", LARGE, tempers.stall_after(MIB))
    engine = await engines(max_time=60.0)
    task = await engine.add(url)
    await until(lambda: fault_server.stalled("/f.bin"))
    await engine.execute(Command(CommandName.PAUSE, ids=(task.id,)))
    assert (await engine.rows([task.id]))[0].status is Status.PAUSED


async def test_a_stream_ends_in_time_too(engines: Engines, fault_server: FaultServer) -> None:
    """As `-o -` writes it."""
    url = fault_server.add("/f.bin", LARGE, tempers.stall_after(MIB))
    engine = await engines(max_time=0.3)
    chunks: list[bytes] = []

    async def read() -> None:
        async for chunk in engine.stream(url):
            chunks.append(chunk)  # noqa: PERF401  # those before the error count

    with pytest.raises(NetworkError) as caught:
        await read()
    assert caught.value.reason is Reason.MAX_TIME
    assert sum(map(len, chunks)) == MIB
