"""One large file with its digest checked: what that adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.measure import Contender
from tests.benchmarks.payload import MIB
from tests.benchmarks.table import Table

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench


def checked(bench: Bench) -> list[Table]:
    """Compare ours with and without, aria2c with and without, and curl followed by sha256sum."""
    payload = bench.large(bench.scale.digest_bytes)
    job = bench.job(payload, bench.web.origin)
    (name, digest) = next(iter(payload.digests.items()))
    line = f'curl -qsfS -o "$1/{name}" {job.url} && echo "{digest}  $1/{name}" | sha256sum -c --status'
    contenders = [
        job.ours("-x1", name="tui-dl get -x1"),
        job.ours("-x1", f"--checksum=sha-256={digest}", name="tui-dl get -x1 --checksum"),
        job.ours("-x8", name="tui-dl get -x8"),
        job.ours("-x8", f"--checksum=sha-256={digest}", name="tui-dl get -x8 --checksum"),
        job.curl(),
        Contender("curl && sha256sum", lambda out: ("sh", "-c", line, "sh", str(out))),
        job.aria2("-x1", "-s1"),
    ]
    named = job.aria2("-x1", "-s1", f"--checksum=sha-256={digest}")
    contenders.append(Contender("aria2c -x1 -s1 --checksum", named.command, absent=named.absent))
    lines = bench.lines(contenders, payload)
    title = f"one file of {payload.total_bytes // MIB} MiB with SHA-256"
    table = Table("digests", title, bench.rounds, 1, lines)
    remarks = []
    for program, without in (
        ("tui-dl get -x1 --checksum", "tui-dl get -x1"),
        ("tui-dl get -x8 --checksum", "tui-dl get -x8"),
        ("curl && sha256sum", "curl"),
        ("aria2c -x1 -s1 --checksum", "aria2c -x1 -s1"),
    ):
        with_digest, bare = table.line(program), table.line(without)
        if with_digest and bare:
            extra_s = with_digest.wall_s - bare.wall_s
            remarks.append(f"{program}: {extra_s:+.2f} s wall, {with_digest.cpu_s - bare.cpu_s:+.2f} s CPU")
    return [Table(table.name, title, bench.rounds, 1, lines, (), tuple(remarks))]
