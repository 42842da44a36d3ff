"""A ladder of batches beside `requests`, one after another and in ten threads: the three tiers people know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import CLIENT_CORE, SERVER_CORE
from tests.benchmarks.serving import serving
from tests.benchmarks.table import Side, Table, verdicts_on

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from tests.benchmarks.payload import Payload

AT_ONCE = 50
THREADS = 10
DELAY_S = 0.05
ONE_BY_ONE, TEN_THREADS = "requests one by one", "requests 10 threads"
MOST_WAIT_S = 120.0
"""One after another is left out where the delays alone take longer."""
LONG_STEP = 1_000
"""From here on, one after another runs once: its time is the delay's, and known."""


def ladder(bench: Bench) -> list[Table]:
    """Climb twice: at full speed, and with 50 ms before each answer, as a server far away gives."""
    tables = [_step(bench, count, bench.web.origin, 0.0) for count in bench.scale.ladder]
    arguments = ["--root", str(bench.root), "--folder", "small", "--delay", str(DELAY_S)]
    with serving("delaying_server", arguments, SERVER_CORE) as origin:
        tables += [_step(bench, count, origin, DELAY_S) for count in bench.scale.ladder]
    return tables


def _step(bench: Bench, count: int, origin: str, delay_s: float) -> Table:
    is_too_long = count * delay_s > MOST_WAIT_S
    way = f"{1000 * delay_s:.0f} ms before each answer" if delay_s else "loopback"
    payload: Payload = bench.small.first(count)
    job = bench.job(payload, origin)
    once = 1 if count >= LONG_STEP else 0
    contenders = [
        job.ours(f"-j{AT_ONCE}"),
        *([] if is_too_long else [job.library("requests", at_once=1, most_rounds=once, label=ONE_BY_ONE)]),
        job.library("requests", at_once=THREADS, most_rounds=once, label=TEN_THREADS),
    ]
    rounds = min(bench.rounds, 3)
    lines = bench.lines(contenders, payload, rounds=rounds, cores=CLIENT_CORE)
    mean_bytes = lines[0].right_bytes / max(1, lines[0].right_files)
    title = f"ladder, {count} files, {way}, mean size {mean_bytes / 1000:.1f} KB"
    table = Table("ladder", title, rounds, count, lines)
    ours, one, ten = table.line(contenders[0].name), table.line(ONE_BY_ONE), table.line(TEN_THREADS)
    remarks = []
    if is_too_long:
        remarks.append(f"one after another left out: {count} x {delay_s:g} s are {count * delay_s / 60:.0f} minutes")
    if ours and one and ten:
        remarks.append(
            f"files a second, one by one : ten threads : ours = 1 : {ten.files_per_s / one.files_per_s:.1f} : "
            f"{ours.files_per_s / one.files_per_s:.1f}"
        )
    verdicts = verdicts_on(
        [("success rate of ours", lines[0].right_files / count, Side.AT_LEAST, 1.0)],
    )
    return Table(table.name, title, rounds, count, lines, verdicts, tuple(remarks))
