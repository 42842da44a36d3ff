"""The fault server as a process of its own, for tests that kill it or its client: `python -m tests.faults`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import lies, tempers
from tests.faults.ledger import Ledger
from tests.faults.script import Resource
from tests.faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.script import Fault

FILE_PATH = "/file.bin"
"""Where the large file is served."""


def small_path(index: int) -> str:
    """Return the path of one of the small files."""
    return f"/small/{index:05}.bin"


def small_resource(seed: int, index: int, size_bytes: int) -> Resource:
    """Return one of the small files; each has a seed of its own (`seed + 1 + index`) and sizes vary by half."""
    varied = size_bytes // 2 + (index * 7919) % max(1, size_bytes)
    return Resource(size_bytes=varied, seed=seed + 1 + index, etag=f'"small-{seed}-{index}"')


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the first line printed is the origin")
    parser.add_argument("--size", type=int, default=64 << 20, help=f"bytes of {FILE_PATH}")
    parser.add_argument("--seed", type=int, default=1, help="names the content")
    parser.add_argument("--etag", default=None, help='entity tag with quotes; "none" sends none; default from the seed')
    parser.add_argument("--no-last-modified", action="store_true")
    parser.add_argument("--pace", type=float, default=None, help="bytes a second of each connection")
    parser.add_argument("--pace-together", type=float, default=None, help="bytes a second of all connections")
    parser.add_argument("--at-most", type=int, default=None, help="requests answered at a time; others get 503")
    parser.add_argument(
        "--send-buffer", type=int, default=0, help="bytes that the system keeps of what was sent; 0: as it likes"
    )
    parser.add_argument("--no-ranges", action="store_true", help="answer 200 to any Range")
    parser.add_argument("--small", type=int, default=0, help="number of files /small/00000.bin ...")
    parser.add_argument("--small-size", type=int, default=16 << 10, help="their mean size in bytes")
    parser.add_argument(
        "--log", type=Path, default=None, help="JSON lines of finished requests; LOG.count is the counter"
    )
    return parser.parse_args(words)


def populate(server: FaultServer, options: argparse.Namespace) -> None:
    """Add the files the command line asks for."""
    faults: list[Fault] = []
    if options.no_ranges:
        faults.append(lies.ignores_range)
    if options.pace is not None:
        faults.append(tempers.pace(options.pace))
    if options.pace_together is not None:
        faults.append(tempers.pace_together(options.pace_together))
    if options.at_most is not None:
        faults.append(lies.at_most(options.at_most))
    etag = f'"seed-{options.seed}"' if options.etag is None else options.etag
    large = Resource(
        size_bytes=options.size,
        seed=options.seed,
        etag=None if etag == "none" else etag,
        last_modified_at=None if options.no_last_modified else 1_700_000_000.0 + options.seed,
    )
    server.add(FILE_PATH, large, *faults)
    for index in range(options.small):
        server.add(small_path(index), small_resource(options.seed, index, options.small_size), *faults)


async def serve(options: argparse.Namespace, ledger: Ledger | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    server = FaultServer(
        host=options.host, port=options.port, is_remembering=False, send_buffer_bytes=options.send_buffer
    )
    if ledger is not None:
        server.on_bytes, server.on_finished = ledger.add, ledger.finish_with(server.length_of)
    populate(server, options)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        sys.stdout.write(server.origin + "\n")
        sys.stdout.flush()
        await stop.wait()


def main(words: Sequence[str]) -> None:
    """Run the server with the books the command line names."""
    options = arguments(words)
    with contextlib.ExitStack() as stack:
        ledger = None
        if options.log is not None:
            counter = options.log.with_name(options.log.name + ".count")
            ledger = stack.enter_context(Ledger(options.log, counter))
        asyncio.run(serve(options, ledger))


if __name__ == "__main__":
    main(sys.argv[1:])
