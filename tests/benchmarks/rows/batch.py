"""A whole batch: a hundred thousand small files, from nginx and from a server that waits before each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import CLIENT_CORE, SERVER_CORE
from tests.benchmarks.rows.small_files import AT_ONCE, DELAY_S, OURS, WITHIN, contenders, times
from tests.benchmarks.serving import serving
from tests.benchmarks.table import Line, Side, Table, verdicts_on

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

MOST_ROUNDS = 3
"""A round of all programs takes a quarter of an hour."""
MOST_RSS_MB = 150.0
MOST_WALL_S = 300.0
"""Minutes, for a hundred thousand files."""


def loopback(bench: Bench) -> list[Table]:
    """Fifty at once with journal, part files and commits, beside those that have none of these."""
    payload, count = bench.batch, bench.scale.batch_files
    job = bench.job(payload, bench.web.origin)
    rounds = min(bench.rounds, MOST_ROUNDS)
    programs = contenders(job, ("pypdl", "parfive", "img2dataset"), most_rounds=1)
    lines = bench.lines(programs, payload, rounds=rounds)
    title = f"a batch of {count:,} files of 5-50 KB, {AT_ONCE} at once"
    table = Table("batch", title, rounds, count, lines)
    ours = table.line(OURS)
    verdicts = verdicts_on(
        [
            ("seconds for 100,000 files", _seconds(ours, count), Side.AT_MOST, MOST_WALL_S),
            ("resident memory, MB", _rss_mb(ours), Side.AT_MOST, MOST_RSS_MB),
            ("files a second against aria2c's", times(ours, table, f"aria2c -j{AT_ONCE}"), Side.AT_LEAST, 1.0),
        ]
    )
    remarks = (
        "bare aiohttp writes files without journal, part file or commit: the ceiling of the engine's client",
        "img2dataset: its downloader alone, without decoding and resizing",
    )
    return [Table(table.name, title, rounds, count, lines, verdicts, remarks)]


def delayed(bench: Bench) -> list[Table]:
    """Fifty milliseconds before each answer, for the whole batch."""
    payload, count = bench.batch, bench.scale.batch_files
    with serving("delaying_server", ["--root", str(bench.root), "--delay", str(DELAY_S)], SERVER_CORE) as origin:
        job = bench.job(payload, origin)
        contenders = [
            job.ours(f"-j{AT_ONCE}"),
            job.aria2(f"-j{AT_ONCE}"),
            job.curl_list(at_once=AT_ONCE),
            job.library("aiohttp", at_once=AT_ONCE),
        ]
        rounds = min(bench.rounds, MOST_ROUNDS)
        lines = bench.lines(contenders, payload, rounds=rounds, cores=CLIENT_CORE)
    best = AT_ONCE / DELAY_S
    title = f"a batch of {count:,} files, 50 ms before each answer, {AT_ONCE} at once: {best:.0f}/s at best"
    table = Table("batch-delay", title, rounds, count, lines)
    ours = table.line(OURS)
    share = ours.files_per_s / best if ours else 0.0
    verdicts = verdicts_on(
        [
            ("share of concurrency / delay", share, Side.AT_LEAST, 1 - WITHIN),
            ("resident memory, MB", _rss_mb(ours), Side.AT_MOST, MOST_RSS_MB),
        ]
    )
    return [Table(table.name, title, rounds, count, lines, verdicts)]


def _seconds(ours: Line | None, count: int) -> float | None:
    return None if ours is None or ours.note else ours.wall_s * 100_000 / count


def _rss_mb(ours: Line | None) -> float | None:
    return None if ours is None else ours.rss_bytes / 1e6
