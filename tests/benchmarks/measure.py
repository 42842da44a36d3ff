"""Whole processes measured: wall, CPU, memory; contenders interleaved so that noise hits all alike."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Contender:
    """A program on the same work."""

    name: str
    """As the table shows it."""
    command: Callable[[Path], Sequence[str]]
    """Its arguments, given the folder to download into."""
    environment: dict[str, str] = field(default_factory=dict)
    """Added to the environment."""


@dataclass(frozen=True)
class Figures:
    """Of one run."""

    wall_s: float
    """Seconds from start to exit."""
    cpu_s: float
    """User and system seconds."""
    rss_bytes: int
    """Peak resident memory."""


def run_once(contender: Contender, work: Path, check: Callable[[Path], None]) -> Figures:
    """Run a contender in an empty folder and check what it made."""
    shutil.rmtree(work, ignore_errors=True)
    target = work / "out"
    target.mkdir(parents=True)
    environment = {**os.environ, "TUI_DL_HOME": str(work / "home"), **contender.environment}
    os.sync()
    started_at = time.perf_counter()
    process = subprocess.Popen(
        contender.command(target), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started_at
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{contender.name} ended with {process.returncode}")
    check(target)
    return Figures(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def compete(
    title: str, contenders: Sequence[Contender], work: Path, check: Callable[[Path], None], *, rounds: int, files: int
) -> None:
    """Run all contenders in turn, several rounds, and print medians with ratios to the first."""
    figures: dict[str, list[Figures]] = {one.name: [] for one in contenders}
    for _ in range(rounds):
        for one in contenders:
            figures[one.name].append(run_once(one, work, check))
    print(f"\n## {title} (median of {rounds}, interleaved)\n")
    print("| program | wall s | CPU s | RSS MiB | files/s | wall, ours / its | CPU, ours / its |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    ours = _median(figures[contenders[0].name])
    for name, runs in figures.items():
        its = _median(runs)
        print(
            f"| {name} | {its.wall_s:.2f} | {its.cpu_s:.2f} | {its.rss_bytes / 2**20:.0f} | {files / its.wall_s:.0f} "
            f"| {ours.wall_s / its.wall_s:.2f} | {ours.cpu_s / its.cpu_s:.2f} |",
            flush=True,
        )


def _median(runs: Sequence[Figures]) -> Figures:
    return Figures(
        statistics.median(one.wall_s for one in runs),
        statistics.median(one.cpu_s for one in runs),
        int(statistics.median(one.rss_bytes for one in runs)),
    )
