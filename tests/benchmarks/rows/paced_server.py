"""One file from a server that gives each connection a fixed rate, well-behaved and misbehaving."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.benchmarks.bench import CLIENT_CORE, SERVER_CORE
from tests.benchmarks.payload import MIB
from tests.benchmarks.serving import serving
from tests.benchmarks.table import Side, Table, ratio, verdicts_on

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

RATE_BPS = 20e6
PROOF_S = 2.0
WITHIN = 0.05
STALLED, SLOW, SLOW_BPS = 3, 6, 1e6
LEAST_AHEAD = 2.0


def proof(origin: str, path: str) -> str:
    """Read one connection with a bare socket; return what the server really gave."""
    parts = urlsplit(origin)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as connection:
        connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        connection.recv(65536)
        started_at = time.perf_counter()
        received_bytes = 0
        while (taken_s := time.perf_counter() - started_at) < PROOF_S:
            received_bytes += len(connection.recv(1 << 20))
    return f"the server gave a bare socket {received_bytes / taken_s / 1e6:.2f} MB/s over {taken_s:.1f} s"


def well_behaved(bench: Bench) -> list[Table]:
    """Eight and sixteen connections at 20 MB/s each, server and program on a core of their own."""
    with serving("paced_server", ["--root", str(bench.root), "--rate", str(RATE_BPS)], SERVER_CORE) as origin:
        return [_paced(bench, origin, count) for count in (8, 16)]


def _paced(bench: Bench, origin: str, count: int) -> Table:
    payload = bench.large(count * bench.scale.paced_bytes)
    job = bench.job(payload, origin)
    remark = proof(origin, next(iter(payload.digests)))
    ours = job.ours(f"-x{count}", f"--per-host={count}")
    aria2 = job.aria2(f"-x{count}", f"-s{count}")
    lines = bench.lines([ours, aria2, job.axel(f"-n{count}")], payload, cores=CLIENT_CORE)
    best_s = payload.total_bytes / (count * RATE_BPS)
    title = f"{payload.total_bytes // MIB} MiB, {count} connections of 20 MB/s: {best_s:.2f} s at best"
    table = Table("paced", title, bench.rounds, 1, lines)
    own = table.line(ours.name)
    share = best_s / own.wall_s if own and not own.note else 0.0
    verdicts = verdicts_on(
        [
            ("share of connections x 20 MB/s", share, Side.AT_LEAST, 1 - WITHIN),
            ("wall against aria2c's", ratio(own, table.line(aria2.name)), Side.AT_MOST, 1.0),
        ]
    )
    return Table(table.name, title, bench.rounds, 1, lines, verdicts, (remark,))


def misbehaving(bench: Bench) -> list[Table]:
    """Eight connections of 20 MB/s, of which the third falls silent and the sixth is slow."""
    payload = bench.large(bench.scale.misbehaving_bytes)
    faults = ["--stalled", str(STALLED), "--slow", str(SLOW), "--slow-rate", str(SLOW_BPS)]
    arguments = ["--root", str(bench.root), "--rate", str(RATE_BPS), *faults]
    with serving("paced_server", arguments, SERVER_CORE) as origin:
        job = bench.job(payload, origin)
        contenders = [job.ours("-x8"), job.aria2("-x8", "-s8"), job.axel("-n8")]
        lines = bench.lines(contenders, payload, rounds=min(bench.rounds, 3), cores=CLIENT_CORE, limit_s=300.0)
    title = f"{payload.total_bytes // MIB} MiB, connection {STALLED} of 8 falls silent after 4 MiB, {SLOW} gives 1 MB/s"
    table = Table("misbehaving", title, min(bench.rounds, 3), 1, lines)
    ours, aria2 = lines[0], lines[1]
    ahead = aria2.wall_s / ours.wall_s if ours.wall_s and not ours.note else 0.0
    verdicts = verdicts_on([("times ahead of aria2c", ahead, Side.AT_LEAST, LEAST_AHEAD)])
    return [Table(table.name, title, table.rounds, 1, lines, verdicts)]
