"""A server for media: a rate for each connection, one for all together, a pause before each answer; never a burst.

`python -m tests.benchmarks.media_server --root DIR [--rate N] [--shared N] [--delay S]`
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from pathlib import Path

import uvloop

TICKS = 50
"""Pieces a second."""
KINDS = {"m3u8": "application/vnd.apple.mpegurl", "html": "text/html"}
RANGE = re.compile(rb"\r\n[Rr]ange: bytes=(\d+)-(\d*)")


class Pace:
    """A schedule that one connection keeps, or all keep together."""

    def __init__(self, rate_bps: float) -> None:
        self.rate_bps = rate_bps
        self._due_at = 0.0

    async def wait(self, size_bytes: int) -> None:
        """Wait until so much may be sent."""
        now = asyncio.get_running_loop().time()
        self._due_at = max(self._due_at, now - 1 / TICKS) + size_bytes / self.rate_bps
        if (wait_s := self._due_at - now) > 0:
            await asyncio.sleep(wait_s)


class MediaServer:
    """Serves the files below a folder."""

    def __init__(self, root: Path, rate_bps: float, shared_bps: float, delay_s: float) -> None:
        self._root, self._rate_bps, self._delay_s = root, rate_bps, delay_s
        self._shared = Pace(shared_bps) if shared_bps else None
        self._kept: dict[str, bytes] = {}

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection."""
        pace = self._shared or (Pace(self._rate_bps) if self._rate_bps else None)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head, writer, pace)
        except (OSError, RuntimeError, asyncio.IncompleteReadError):
            return  # the client is gone, as it may be at any time
        finally:
            writer.close()

    def _body(self, name: str) -> bytes | None:
        path = self._root / name.lstrip("/")
        if name not in self._kept and path.is_file():
            self._kept[name] = path.read_bytes()
        return self._kept.get(name)

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter, pace: Pace | None) -> None:
        await asyncio.sleep(self._delay_s)
        name = head.split(b" ", 2)[1].decode().partition("?")[0]
        body = self._body(name)
        if body is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        kind = KINDS.get(name.rpartition(".")[2], "video/mp4")
        start, end, status = 0, len(body), "200 OK"
        if asked := RANGE.search(head):
            start, status = int(asked[1]), "206 Partial Content"
            end = min(end, int(asked[2]) + 1) if asked[2] else end
        fields = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {end - start}", 'ETag: "1"']
        if asked:
            fields.append(f"Content-Range: bytes {start}-{end - 1}/{len(body)}")
        writer.write("\r\n".join([*fields, "Accept-Ranges: bytes", "", ""]).encode())
        view = memoryview(body)[start:end]
        step = len(view) if pace is None else max(1, int(pace.rate_bps / TICKS))
        for position in range(0, len(view), step or 1):
            piece = view[position : position + step]
            if pace is not None:
                await pace.wait(len(piece))
            writer.write(piece)
            await writer.drain()


async def serve(server: MediaServer) -> None:
    """Serve until standard input ends; the first line of output is the origin."""
    listening = await asyncio.start_server(server.converse, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    async with listening:
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="bytes a second for each connection")
    parser.add_argument("--shared", type=float, default=0.0, help="bytes a second for all connections together")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    asked = parser.parse_args()
    uvloop.run(serve(MediaServer(asked.root, asked.rate, asked.shared, asked.delay)))


if __name__ == "__main__":
    main()
