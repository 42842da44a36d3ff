"""A TCP proxy that makes a way longer without making it narrower: `python -m tests.benchmarks.delay_proxy`.

Each byte arrives half a round trip after it was sent, in both directions, whatever the rate; the first bytes of a
client wait a whole round trip more, which the handshake of a connection takes on a real way. Windows and slow start
are those of loopback, so this shows the cost of waiting, not of a long fat pipe.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import uvloop

from tests.benchmarks.delaying_server import end_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_UNDER_WAY_BYTES = 64 << 20
"""A direction that holds more stops reading until it holds less."""


class Way:
    """One direction: bytes under way and the instants at which they arrive."""

    def __init__(self, delay_s: float, opens_at: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay_s = delay_s
        self._opens_at = opens_at
        self._under_way: deque[tuple[float, bytes | None]] = deque()
        self._held_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self.source: asyncio.Transport | None = None
        self.target: asyncio.Transport | None = None

    def send(self, data: bytes | None) -> None:
        """Put bytes on the way; None is the end."""
        due_at = max(self._loop.time(), self._opens_at) + self._delay_s
        self._under_way.append((due_at, data))
        self._held_bytes += len(data or b"")
        if self._held_bytes > MOST_UNDER_WAY_BYTES and self.source is not None:
            self.source.pause_reading()
        if self._timer is None:
            self._timer = self._loop.call_at(due_at, self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        now_at = self._loop.time()
        chunks = []
        is_over = False
        while self._under_way and self._under_way[0][0] <= now_at:
            data = self._under_way.popleft()[1]
            is_over = is_over or data is None
            chunks.append(data or b"")
        arrived = b"".join(chunks)
        self._held_bytes -= len(arrived)
        if self.source is not None and self._held_bytes <= MOST_UNDER_WAY_BYTES and not self.source.is_closing():
            self.source.resume_reading()
        if self.target is not None and not self.target.is_closing():
            if arrived:
                self.target.write(arrived)
            if is_over:
                self.target.close()
        if self._under_way:
            self._timer = self._loop.call_at(self._under_way[0][0], self._arrive)


class End(asyncio.Protocol):
    """One end of a proxied connection: what comes in goes on its way."""

    def __init__(self, outward: Way, inward: Way, alive: set[asyncio.Transport]) -> None:
        self._alive = alive
        self._outward = outward
        self._inward = inward

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Become the source of one direction and the target of the other."""
        self._transport = cast("asyncio.Transport", transport)
        self._outward.source = self._inward.target = self._transport
        self._alive.add(self._transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self._outward.send(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Pass the end on."""
        self._alive.discard(self._transport)
        self._outward.send(None)


class NearEnd(End):
    """The client's end, which opens the far one."""

    def __init__(self, port: int, round_trip_s: float, alive: set[asyncio.Transport]) -> None:
        now_at = asyncio.get_running_loop().time()
        self._forth = Way(round_trip_s / 2, opens_at=now_at + round_trip_s)
        self._back = Way(round_trip_s / 2, opens_at=now_at)
        self._port = port
        super().__init__(self._forth, self._back, alive)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the server; bytes wait on their way meanwhile."""
        super().connection_made(transport)
        self._opening = asyncio.get_running_loop().create_task(self._open(cast("asyncio.Transport", transport)))

    async def _open(self, near: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: End(self._back, self._forth, self._alive), "127.0.0.1", self._port)
        except OSError:
            near.abort()


@asynccontextmanager
async def delayed(port: int, round_trip_s: float) -> AsyncIterator[int]:
    """Lead to a port of loopback by a longer way; yield the port to use instead."""
    loop = asyncio.get_running_loop()
    alive: set[asyncio.Transport] = set()
    server = await loop.create_server(lambda: NearEnd(port, round_trip_s, alive), "127.0.0.1", 0, backlog=1024)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await end_all(alive)


async def serve(port: int, round_trip_s: float) -> None:
    """Proxy until standard input ends."""
    async with delayed(port, round_trip_s) as near_port:
        print(f"http://127.0.0.1:{near_port}", flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Read the arguments and serve; the first line of output names the port."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of the server on loopback")
    parser.add_argument("--round-trip", type=float, required=True, help="seconds")
    asked = parser.parse_args()
    uvloop.run(serve(asked.port, asked.round_trip))


if __name__ == "__main__":
    main()
