"""Many small files: from nginx on loopback, and from a server that waits before each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import CLIENT_CORE, SERVER_CORE
from tests.benchmarks.serving import serving
from tests.benchmarks.table import Line, Side, Table, ratio, verdicts_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.measure import Contender
    from tests.benchmarks.programs import Work

AT_ONCE = 50
DELAY_S = 0.05
OURS = f"tui-dl get -j{AT_ONCE}"
LEAST_TIMES_LIBRARIES = 4.0
WITHIN = 0.1


def loopback(bench: Bench) -> list[Table]:
    """Fifty at once with journal, part files and commits, beside programs and libraries with none of these."""
    payload = bench.small.first(bench.scale.small_files)
    job = bench.job(payload, bench.web.origin)
    lines = bench.lines(contenders(job, ("pypdl", "parfive"), most_rounds=3), payload)
    title = f"{len(payload.digests)} files of 5-50 KB, {AT_ONCE} at once"
    table = Table("small", title, bench.rounds, len(payload.digests), lines)
    ours = table.line(OURS)
    verdicts = verdicts_on(
        [
            ("files a second against aria2c's", times(ours, table, f"aria2c -j{AT_ONCE}"), Side.AT_LEAST, 1.0),
            ("... pypdl's", times(ours, table, f"pypdl {AT_ONCE}"), Side.AT_LEAST, LEAST_TIMES_LIBRARIES),
            ("... parfive's", times(ours, table, f"parfive {AT_ONCE}"), Side.AT_LEAST, LEAST_TIMES_LIBRARIES),
        ]
    )
    remark = "bare aiohttp writes files without journal, part file or commit: the ceiling of the engine's client"
    return [Table(table.name, title, bench.rounds, table.files, lines, verdicts, (remark,))]


def contenders(job: Work, libraries: Iterable[str], *, most_rounds: int) -> list[Contender]:
    """Return ours, the programs, these libraries for so many rounds at most, and bare aiohttp."""
    return [
        job.ours(f"-j{AT_ONCE}"),
        job.aria2(f"-j{AT_ONCE}"),
        job.wget2(f"--max-threads={AT_ONCE}"),
        job.curl_list(at_once=AT_ONCE),
        *(job.library(name, at_once=AT_ONCE, most_rounds=most_rounds) for name in libraries),
        job.library("aiohttp", at_once=AT_ONCE),
    ]


def times(ours: Line | None, table: Table, program: str) -> float | None:
    """Return how many times its files a second ours are."""
    wall = ratio(ours, table.line(program))
    return None if wall is None else 1 / wall


def delayed(bench: Bench) -> list[Table]:
    """Fifty milliseconds before each answer: what is lost between one answer and the next request."""
    payload = bench.small.first(bench.scale.small_files)
    arguments = ["--root", str(bench.root), "--folder", "small", "--delay", str(DELAY_S)]
    with serving("delaying_server", arguments, SERVER_CORE) as origin:
        job = bench.job(payload, origin)
        contenders = [
            job.ours(f"-j{AT_ONCE}"),
            job.aria2(f"-j{AT_ONCE}"),
            job.curl_list(at_once=AT_ONCE),
            job.library("aiohttp", at_once=AT_ONCE),
        ]
        lines = bench.lines(contenders, payload, cores=CLIENT_CORE)
    best = AT_ONCE / DELAY_S
    title = (
        f"{len(payload.digests)} files of 5-50 KB, 50 ms before each answer, {AT_ONCE} at once: {best:.0f}/s at best"
    )
    table = Table("delay", title, bench.rounds, len(payload.digests), lines)
    ours = table.line(OURS)
    share = ours.files_per_s / best if ours else 0.0
    verdicts = verdicts_on([("share of concurrency / delay", share, Side.AT_LEAST, 1 - WITHIN)])
    return [Table(table.name, title, bench.rounds, table.files, lines, verdicts)]
