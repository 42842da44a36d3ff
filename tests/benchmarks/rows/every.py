"""The list of rows, by the names that `--only` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.rows import batch, digests, ladder, large_file, paced_server, round_trips, small_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.table import Table


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    name: str
    """As `--only` takes it."""
    title: str
    """What is measured."""
    target: str
    """What must come out; empty: nothing must, it is there to be seen."""
    run: Callable[[Bench], list[Table]]
    """Does it."""
    libraries: tuple[str, ...] = ()
    """Peers from PyPI that it needs."""


ROWS = (
    Row(
        "plain",
        "one 2 GiB file, loopback, one connection and eight",
        "wall at most curl's and aria2c's, CPU at most 1.25 of curl's",
        large_file.plain,
    ),
    Row("tls", "the same over TLS", "wall at most 1.2 of the best", large_file.tls),
    Row(
        "paced",
        "a server that gives 20 MB/s a connection, 8 and 16 connections",
        "within 5 % of connections x 20 MB/s, ahead of aria2c",
        paced_server.well_behaved,
    ),
    Row(
        "misbehaving",
        "one stalling and one slow connection among eight",
        "ahead of aria2c by 2 or more",
        paced_server.misbehaving,
    ),
    Row(
        "small",
        "10,000 files of 5-50 KB, 50 at once, everything on",
        "files a second at least aria2c's, 4 times pypdl's and parfive's",
        small_files.loopback,
        ("pypdl", "parfive", "aiohttp", "uvloop"),
    ),
    Row(
        "delay",
        "50 ms before each answer, 50 at once",
        "within 10 % of concurrency / delay",
        small_files.delayed,
        ("aiohttp", "uvloop"),
    ),
    Row(
        "batch",
        "100,000 files of 5-50 KB (--files), 50 at once, everything on",
        "minutes, resident memory below 150 MB, files a second at least aria2c's",
        batch.loopback,
        ("pypdl", "parfive", "img2dataset", "aiohttp", "uvloop"),
    ),
    Row(
        "batch-delay",
        "the same with 50 ms before each answer",
        "within 10 % of concurrency / delay, resident memory below 150 MB",
        batch.delayed,
        ("aiohttp", "uvloop"),
    ),
    Row(
        "ladder",
        "10, 100, 1,000 and 10,000 files beside sequential requests and ten threads",
        "every file arrives",
        ladder.ladder,
        ("requests",),
    ),
    Row(
        "round-trips",
        "2,000 small files over TLS at 0 and 100 ms, many connections and few, HTTP/1.1 and HTTP/2",
        "",
        round_trips.over_tls,
        ("aiohttp", "uvloop", "curl_cffi", "httpx"),
    ),
    Row("digests", "1 GiB with SHA-256", "", digests.checked),
)
