"""A server that answers each request a fixed time after it came: `python -m tests.benchmarks.delaying_server`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import uvloop

from tests.benchmarks.http_head import Request, answer, etag_of, not_found, read_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


MOST_KEPT_BYTES = 512 * 1024 * 1024


class Kept(NamedTuple):
    """A file held in memory, so that a disk never adds to the delay."""

    body: bytes
    """All of it."""
    etag: str
    """Its validator."""
    modified_at: float
    """Seconds since the epoch."""


class Store:
    """The files under a root, each read once; of a large batch the last ones each time, from the page cache."""

    def __init__(self, root: Path, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._root = root
        self._kept: dict[str, Kept] = {}
        self._left_bytes = most_bytes

    def find(self, name: str) -> Kept | None:
        """Return a file, None if there is none."""
        if name not in self._kept:
            path = self._root / name
            if not path.is_file():
                return None
            status = path.stat()
            read = Kept(path.read_bytes(), etag_of(status), status.st_mtime)
            self._left_bytes -= len(read.body)
            if self._left_bytes < 0:
                return read
            self._kept[name] = read
        return self._kept[name]

    def read_all(self, folder: str) -> None:
        """Read a folder's files before the first request."""
        for path in sorted((self._root / folder).iterdir()):
            if path.is_file():
                self.find(f"{folder}/{path.name}")


class Delayer(asyncio.Protocol):
    """One connection: answers in order, each the delay after its request."""

    def __init__(self, store: Store, delay_s: float, alive: set[asyncio.Transport]) -> None:
        self._alive = alive
        self._store = store
        self._delay_s = delay_s
        self._gathered = b""
        self._is_busy = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._alive.add(self._transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the transport."""
        self._alive.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Gather requests."""
        self._gathered += data
        self._next()

    def _next(self) -> None:
        if self._is_busy or b"\r\n\r\n" not in self._gathered:
            return
        head, _, self._gathered = self._gathered.partition(b"\r\n\r\n")
        self._is_busy = True
        request = read_request(head + b"\r\n\r\n")
        asyncio.get_running_loop().call_later(self._delay_s, self._answer, request)

    def _answer(self, request: Request) -> None:
        self._is_busy = False
        if self._transport.is_closing():
            return
        kept = self._store.find(request.path)
        if kept is None:
            self._transport.write(not_found())
        else:
            head, start, end = answer(request, len(kept.body), kept.etag, kept.modified_at)
            self._transport.write(head + kept.body[start:end])
        if request.is_last:
            self._transport.close()
        self._next()


async def end_all(alive: set[asyncio.Transport]) -> None:
    """Abort connections and wait until they are gone."""
    while alive:
        for transport in alive:
            transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def delaying(root: Path, delay_s: float, folder: str = "") -> AsyncIterator[str]:
    """Serve a folder on loopback; yield the origin."""
    store = Store(root)
    if folder:
        store.read_all(folder)
    alive: set[asyncio.Transport] = set()
    make: Callable[[], Delayer] = lambda: Delayer(store, delay_s, alive)  # noqa: E731 - a protocol factory in one line
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, backlog=1024)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await end_all(alive)


async def serve(root: Path, delay_s: float, folder: str) -> None:
    """Serve until standard input ends."""
    async with delaying(root, delay_s, folder) as origin:
        print(origin, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Read the arguments and serve; the first line of output is the origin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--folder", default="", help="folder under the root to hold in memory from the start")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds between a request and its answer")
    asked = parser.parse_args()
    uvloop.run(serve(asked.root, asked.delay, asked.folder))


if __name__ == "__main__":
    main()
