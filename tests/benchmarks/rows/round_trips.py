"""Small files over TLS, near and 100 ms away, with many connections and with few: HTTP/1.1 beside HTTP/2."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.benchmarks.programs import TUI_DL
from tests.benchmarks.serving import serving
from tests.benchmarks.table import Table

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.measure import Contender

AT_ONCE = 50
FEW = 6
"""Connections that a browser allows itself to a host, and many servers allow anyone."""
ROUND_TRIP_S = 0.1


def has_http2() -> bool:
    """Tell whether this build of ours takes `--http2`."""
    done = subprocess.run([*TUI_DL, "get", "--help"], capture_output=True, text=True, check=False)
    return "--http2" in done.stdout


def over_tls(bench: Bench) -> list[Table]:
    """Run all at no distance, then 100 ms away."""
    tables = [_at(bench, bench.web.tls_origin, "no distance")]
    arguments = ["--port", str(bench.web.tls_port), "--round-trip", str(ROUND_TRIP_S)]
    with serving("delay_proxy", arguments) as origin:
        tables.append(_at(bench, origin.replace("http:", "https:"), "100 ms round trips"))
    return tables


def _at(bench: Bench, origin: str, distance: str) -> Table:
    payload = bench.small.first(bench.scale.tls_files)
    job = bench.job(payload, origin, is_tls=True)
    has = has_http2()
    contenders: list[Contender] = [job.ours(f"-j{AT_ONCE}")]
    if has:
        contenders.append(job.ours(f"-j{AT_ONCE}", "--http2"))
    contenders += [
        job.curl_list("--http1.1", at_once=AT_ONCE),
        job.curl_list("--http2", at_once=AT_ONCE),
        job.library("aiohttp", at_once=AT_ONCE),
        job.library("curl_cffi", "--http2", at_once=AT_ONCE),
        job.library("httpx", "--http2", at_once=AT_ONCE, most_rounds=3),
        job.ours(f"-j{FEW}"),
        job.library("aiohttp", at_once=FEW),
        job.library("curl_cffi", at_once=FEW),
    ]
    lines = bench.lines(contenders, payload)
    title = f"{len(payload.digests)} files of 5-50 KB over TLS, {distance}"
    remarks = [
        "aiohttp, curl_cffi and httpx write files without journal, part file or commit",
        f"{FEW} at once stands for a host that allows {FEW} connections; HTTP/2 needs one for its {AT_ONCE}",
    ]
    if not has:
        remarks.append("this build of tui-dl has no --http2")
    return Table("round-trips", title, bench.rounds, len(payload.digests), lines, (), tuple(remarks))
