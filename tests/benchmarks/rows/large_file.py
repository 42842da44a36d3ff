"""One large file from nginx on loopback, plain and over TLS, on one connection and on eight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.payload import MIB
from tests.benchmarks.table import Side, Table, ratio, verdicts_on

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

ONE = "tui-dl get -x1"
EIGHT = "tui-dl get -x8"
MOST_TIMES_CURLS_CPU = 1.25
MOST_TIMES_BEST_OVER_TLS = 1.2


def plain(bench: Bench) -> list[Table]:
    """Compare with curl, aria2c, wget2 and axel."""
    payload = bench.large(bench.scale.large_bytes)
    job = bench.job(payload, bench.web.origin)
    contenders = [
        job.ours("-x1"),
        job.ours("-x8"),
        job.curl(),
        job.aria2("-x1", "-s1"),
        job.aria2("-x8", "-s8"),
        job.wget2(),
        job.axel("-n8"),
    ]
    lines = bench.lines(contenders, payload)
    title = f"one file of {payload.total_bytes // MIB} MiB, loopback, plain"
    table = Table("plain", title, bench.rounds, 1, lines)
    one, eight = table.line(ONE), table.line(EIGHT)
    curl, aria2 = table.line("curl"), table.line("aria2c -x1 -s1")
    verdicts = verdicts_on(
        [
            ("wall of -x1 against curl's", ratio(one, curl), Side.AT_MOST, 1.0),
            ("wall of -x1 against aria2c's on one", ratio(one, aria2), Side.AT_MOST, 1.0),
            ("wall of -x8 against curl's", ratio(eight, curl), Side.AT_MOST, 1.0),
            ("wall of -x8 against aria2c's on 8", ratio(eight, table.line("aria2c -x8 -s8")), Side.AT_MOST, 1.0),
            ("CPU of -x1 against curl's", ratio(one, curl, "cpu_s"), Side.AT_MOST, MOST_TIMES_CURLS_CPU),
            ("CPU of -x8 against curl's", ratio(eight, curl, "cpu_s"), Side.AT_MOST, MOST_TIMES_CURLS_CPU),
        ]
    )
    return [Table(table.name, title, bench.rounds, 1, lines, verdicts)]


def tls(bench: Bench) -> list[Table]:
    """Compare with the same over TLS; every program is told the authority."""
    payload = bench.large(bench.scale.large_bytes)
    job = bench.job(payload, bench.web.tls_origin, is_tls=True)
    contenders = [
        job.ours("-x1"),
        job.ours("-x8"),
        job.curl(),
        job.aria2("-x1", "-s1"),
        job.aria2("-x8", "-s8"),
        job.wget2(),
    ]
    lines = bench.lines(contenders, payload)
    title = f"one file of {payload.total_bytes // MIB} MiB, loopback, TLS"
    table = Table("tls", title, bench.rounds, 1, lines)
    others = [line for line in lines[2:] if line.wall_s and not line.note]
    best = min(others, key=lambda line: line.wall_s, default=None)
    name = best.program if best else ""
    verdicts = verdicts_on(
        [
            (
                f"wall of -x1 against the best ({name})",
                ratio(table.line(ONE), best),
                Side.AT_MOST,
                MOST_TIMES_BEST_OVER_TLS,
            ),
            (
                f"wall of -x8 against the best ({name})",
                ratio(table.line(EIGHT), best),
                Side.AT_MOST,
                MOST_TIMES_BEST_OVER_TLS,
            ),
        ]
    )
    remark = "axel is left out: it cannot be told an authority"
    return [Table(table.name, title, bench.rounds, 1, lines, verdicts, (remark,))]
