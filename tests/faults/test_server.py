"""The server's books: logs, counts, waiting, connection limits, restarts, and the process that may be killed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from tests.faults import oracle, tempers
from tests.faults.__main__ import small_path, small_resource
from tests.faults.fixtures import fault_server
from tests.faults.ledger import read_counter, read_log
from tests.faults.raw_client import RawClient, fetch
from tests.faults.script import Resource
from tests.faults.server import FaultServer
from tests.faults.wire import Finish

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fault_server"]

ALPHABET = Resource(body=b"abcdefghijklmnopqrstuvwxyz")
ROOT = Path(__file__).parents[2]


async def test_the_log_says_what_was_asked_and_answered(fault_server: FaultServer) -> None:
    """Method, headers, range, status, bytes, connection and times of a request are kept."""
    url = fault_server.add("/f", ALPHABET)
    await fetch(url, "Range: bytes=3-5", "X-One: 1", "x-one: 2")
    log = fault_server.requests[0]
    await fault_server.wait_for(lambda: not log.is_active)
    assert (log.method, log.path, log.range_asked) == ("GET", "/f", "bytes=3-5")
    assert (log.status, log.content_range, log.sent_bytes) == (206, "bytes 3-5/26", 3)
    assert (log.headers["x-one"], log.finish) == ("1, 2", Finish.WHOLE)
    assert log.ended_at is not None
    assert log.ended_at >= log.started_at


async def test_bytes_are_summed_by_path(fault_server: FaultServer) -> None:
    """Two requests of one path and one of another are counted apart and together."""
    one, two = fault_server.add("/1", ALPHABET), fault_server.add("/2", ALPHABET)
    for url, asked in ((one, "bytes=0-9"), (one, "bytes=0-0"), (two, "bytes=-5")):
        await fetch(url, f"Range: {asked}")
    assert (fault_server.bytes_sent("/1"), fault_server.bytes_sent("/2"), fault_server.bytes_sent()) == (11, 5, 16)


async def test_generated_content_comes_over_the_wire(fault_server: FaultServer) -> None:
    """A range across pieces and blocks is the oracle's content at its own offset."""
    url = fault_server.add("/f", Resource(size_bytes=5_000_000, seed=9))
    answer = await fetch(url, "Range: bytes=1000000-3999999")
    assert len(answer.body) == 3_000_000
    assert oracle.first_wrong(answer.body, 9, 1_000_000) is None


async def test_most_concurrent_requests_are_kept(fault_server: FaultServer) -> None:
    """max_concurrent remembers three at a time after they are gone."""
    url = fault_server.add("/f", ALPHABET, tempers.stall_after(1))
    clients = [asyncio.create_task(fetch(url)) for _ in range(3)]
    await fault_server.wait_for(lambda: fault_server.stalled("/f") == 3)
    fault_server.release()
    await asyncio.gather(*clients)
    await fault_server.wait_for(lambda: fault_server.active_requests == 0)
    assert fault_server.max_concurrent("/f") == 3


async def test_waiting_in_vain_says_what_was_seen(fault_server: FaultServer) -> None:
    """A time-out of wait_for names the requests there were."""
    await fetch(fault_server.add("/seen", ALPHABET))
    with pytest.raises(TimeoutError, match="/seen"):
        await fault_server.wait_for(lambda: False, limit_s=0.02)


async def test_connections_beyond_the_limit_are_reset() -> None:
    """With one connection allowed the second is reset, and counted."""
    async with FaultServer(connection_limit=1) as server:
        url = server.add("/f", ALPHABET)
        async with RawClient(url) as held:
            assert (await held.get()).status == 200
            async with RawClient(url) as surplus:
                with pytest.raises(ConnectionResetError):
                    await surplus.get()
            assert (server.connections_made, server.connections_refused) == (1, 1)
            assert (await held.get()).status == 200


async def test_cut_connections_end_for_the_client(fault_server: FaultServer) -> None:
    """All connections break at once, under way or idle."""
    url = fault_server.add("/f", ALPHABET, tempers.stall_after(3))
    async with RawClient(url) as client:
        await client.ask()
        await client.head()
        assert await client.reader.readexactly(3) == b"abc"
        fault_server.cut_connections()
        with contextlib.suppress(ConnectionResetError):
            assert await client.rest() == b""
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)


async def test_a_closed_server_listens_again_on_its_port(fault_server: FaultServer) -> None:
    """After aclose nobody answers; after listen the same URL works."""
    url = fault_server.add("/f", ALPHABET)
    await fault_server.aclose()
    with pytest.raises(ConnectionRefusedError):
        await fetch(url)
    await fault_server.listen()
    assert (await fetch(url)).body == ALPHABET.body


async def test_an_abandoned_transfer_is_counted_to_within_a_piece(fault_server: FaultServer) -> None:
    """A client that leaves a paced transfer has cost about what it read."""
    url = fault_server.add("/f", Resource(size_bytes=10_000_000), tempers.pace(500_000))
    async with RawClient(url) as client:
        await client.ask()
        await client.head()
        await client.reader.readexactly(40_000)
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)
    assert 40_000 <= fault_server.bytes_sent("/f") <= 150_000
    assert fault_server.requests[0].finish is Finish.PEER_GONE


class _Process:
    """The server as a process, and its origin."""

    def __init__(self, log: Path, *words: str) -> None:
        command = [sys.executable, "-m", "tests.faults", "--log", str(log), *words]
        self.child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        self.origin = self.child.stdout.readline().strip()

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait, and return the exit code."""
        self.child.send_signal(number)
        assert self.child.stdout is not None
        self.child.stdout.close()
        return self.child.wait(10)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[_Process]:
    """Run a paced server process with three small files."""
    process = _Process(tmp_path / "log", "--size", "4000000", "--seed", "5", "--pace", "200000", "--small", "3")
    yield process
    if process.child.poll() is None:
        process.end(signal.SIGKILL)


async def test_a_killed_process_has_counted_what_it_sent(process: _Process, tmp_path: Path) -> None:
    """After SIGKILL in mid-transfer the counter holds at least what the client got and at most a tick more a piece."""
    async with RawClient(process.origin + "/file.bin") as client:
        await client.ask("Range: bytes=0-")
        assert (await client.head()).headers["etag"] == b'"seed-5"'
        held = await client.reader.readexactly(50_000)
        process.end(signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            held += await client.rest()
    assert oracle.first_wrong(held, 5, 0) is None
    assert len(held) <= read_counter(tmp_path / "log.count") <= len(held) + 8_000


async def test_the_process_logs_requests_and_ends_well(process: _Process, tmp_path: Path) -> None:
    """A line for every finished request, small files that differ, and exit code 0 after SIGTERM."""
    bodies = [(await fetch(process.origin + small_path(index))).body for index in range(3)]
    for index, body in enumerate(bodies):
        resource = small_resource(5, index, 16 << 10)
        assert len(body) == resource.size_bytes
        assert oracle.first_wrong(body, resource.seed, 0) is None
    await fetch(process.origin + "/file.bin", "Range: bytes=10-19", 'If-Range: "seed-5"')
    assert process.end(signal.SIGTERM) == 0
    last = read_log(tmp_path / "log")[-1]
    assert (last["path"], last["start"], last["end"], last["sent_bytes"]) == ("/file.bin", 10, 20, 10)
    assert (last["status"], last["if_range"], last["finish"]) == (206, '"seed-5"', "WHOLE")


def test_the_counter_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A second process adds to what the first counted."""
    for expected in (26, 52):
        process = _Process(tmp_path / "log", "--size", "26")
        assert len(asyncio.run(fetch(process.origin + "/file.bin")).body) == 26
        process.end(signal.SIGKILL)
        assert read_counter(tmp_path / "log.count") == expected


async def test_a_connection_that_comes_at_the_very_end_is_closed() -> None:
    """Its handler is cancelled before it began, and nobody else would."""
    transport = Mock(spec=asyncio.Transport)
    async with FaultServer() as server:
        server._protocol().connection_made(transport)
    await asyncio.sleep(0)
    transport.abort.assert_called_once()
