"""The delaying server and the delaying proxy wait as long as they say, and change no byte."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tests.benchmarks.delay_proxy import delayed
from tests.benchmarks.delaying_server import Store, delaying

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DELAY_S = 0.05
ROUND_TRIP_S = 0.06
TIMER_S = 0.002
"""Loops may wake so much early."""


def now() -> float:
    """Return the loop's clock."""
    return asyncio.get_running_loop().time()


async def ask(port: int, name: str, *headers: str) -> bytes:
    """Fetch a file on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET /{name} HTTP/1.1", "Host: here", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_each_answer_comes_after_the_delay_and_many_come_together(tmp_path: Path) -> None:
    """Twenty requests at once take one delay, not twenty, and no less than one."""
    (tmp_path / "file.bin").write_bytes(b"x" * 1000)
    async with delaying(tmp_path, DELAY_S) as origin:
        port = int(origin.rpartition(":")[2])
        started_at = now()
        answers = await asyncio.gather(*(ask(port, "file.bin") for _ in range(20)))
        taken_s = now() - started_at
    assert all(answer.endswith(b"\r\n\r\n" + b"x" * 1000) for answer in answers)
    assert DELAY_S - TIMER_S < taken_s < 20 * DELAY_S / 2


async def test_the_delaying_server_knows_ranges_and_missing_files(tmp_path: Path) -> None:
    """A range is answered with 206 and its bytes, a name that is not there with 404."""
    (tmp_path / "file.bin").write_bytes(bytes(range(100)))
    async with delaying(tmp_path, 0.0) as origin:
        port = int(origin.rpartition(":")[2])
        part = await ask(port, "file.bin", "Range: bytes=10-19")
        missing = await ask(port, "other.bin", "Range: bytes=0-")
    assert part.startswith(b"HTTP/1.1 206 ")
    assert b"Content-Range: bytes 10-19/100\r\n" in part
    assert part.endswith(b"\r\n\r\n" + bytes(range(10, 20)))
    assert missing.startswith(b"HTTP/1.1 404 ")


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """Serve one client that gets back whatever it sends; yield the port."""
    is_over = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        is_over.set()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await is_over.wait()


async def test_the_proxy_delays_a_round_trip_and_two_at_the_start() -> None:
    """The first exchange costs the handshake and itself, the next one only itself."""
    async with echoing() as far_port, delayed(far_port, ROUND_TRIP_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        started_at = now()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        first_s = now() - started_at
        started_at = now()
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        second_s = now() - started_at
        writer.close()
        await writer.wait_closed()
    assert first_s > 2 * ROUND_TRIP_S - 2 * TIMER_S
    assert ROUND_TRIP_S - 2 * TIMER_S < second_s < 2 * ROUND_TRIP_S


async def test_the_proxy_does_not_narrow_the_way() -> None:
    """Eight megabytes that go at once come back whole in far less time than one window a round trip would take."""
    body = bytes(range(256)) * 32768
    async with echoing() as far_port, delayed(far_port, ROUND_TRIP_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        started_at = now()
        writer.write(body)
        assert await reader.readexactly(len(body)) == body
        taken_s = now() - started_at
        writer.close()
        await writer.wait_closed()
    assert taken_s < len(body) / 65536 * ROUND_TRIP_S / 2


def test_a_store_that_is_full_reads_on(tmp_path: Path) -> None:
    """A batch larger than the memory for it is served from the files."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 10)
    store = Store(tmp_path, most_bytes=15)
    first, second = store.find("a"), store.find("b")
    assert first is not None
    assert second is not None
    assert (first.body, second.body) == (b"a" * 10, b"b" * 10)
    assert store.find("a") is first
    again = store.find("b")
    assert again == second
    assert again is not second
