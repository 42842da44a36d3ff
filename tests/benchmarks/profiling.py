"""Ours alone under profilers: which functions and which native symbols the time goes to."""

from __future__ import annotations

import os
import pstats
import re
import shutil
import subprocess
import sys
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING

from tests.benchmarks.payload import MIB
from tests.benchmarks.programs import TUI_DL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.bench import Bench

LARGE_BYTES = 1024 * MIB
QUICK_BYTES = 64 * MIB
SHOWN = 25
SAMPLES_PER_S = 500
WORKS = ("large", "small")
FRAME = re.compile(r"^(?P<name>.+) \((?P<file>[^():]+)(?::\d+)?\)$")


def profile(bench: Bench, work: str) -> str:
    """Run the work under every profiler that is there; return their tables."""
    command = _command(bench, work)
    folder = bench.work / "profile"
    folder.mkdir()
    parts = []
    if shutil.which("perf"):
        parts += ["## Native symbols, all threads (perf, share of samples)", "", _perf(command, folder)]
    spy = bench.peers.python.with_name("py-spy")
    if not bench.peers.absence("py-spy") and spy.exists():
        parts += [
            "## Python functions that hold the interpreter's lock, all threads (py-spy, share of samples)",
            "",
            _py_spy(spy, command, folder),
        ]
    else:
        parts += ["## Python functions, main thread (cProfile)", "", _cprofile(command, folder)]
    return "\n".join(parts)


def _command(bench: Bench, work: str) -> list[str]:
    out = bench.work / "profiled"
    if work == "large":
        is_quick = bench.scale.large_bytes <= QUICK_BYTES
        payload = bench.large(QUICK_BYTES if is_quick else LARGE_BYTES)
        source = ["-x1", payload.urls(bench.web.origin)[0]]
    else:
        payload = bench.small.first(bench.scale.small_files)
        source = ["-j50", "-i", str(bench.job(payload, bench.web.origin).listing)]
    return [*TUI_DL, "get", "-q", "--overwrite", "-d", str(out), *source]


def _environment(folder: Path, run: str) -> dict[str, str]:
    return {**os.environ, "TUI_DL_HOME": str(folder / f"home-{run}")}


def _perf(command: list[str], folder: Path) -> str:
    record = folder / "perf.data"
    start = ["perf", "record", "-q", "-F", str(SAMPLES_PER_S), "-o", str(record), "--"]
    done = subprocess.run(
        [*start, *command], env=_environment(folder, "perf"), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"perf failed: {done.stderr.strip()[-200:]}"
    report = ["perf", "report", "-i", str(record), "--stdio", "-q", "--no-children", "--sort", "dso,symbol"]
    text = subprocess.run(report, capture_output=True, text=True, check=False).stdout
    rows = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return "\n".join(rows[:SHOWN]) + "\n"


def _py_spy(spy: Path, command: list[str], folder: Path) -> str:
    stacks = folder / "stacks.txt"
    start = [str(spy), "record", "--gil", "-f", "raw", "-F", "-r", str(SAMPLES_PER_S), "-o", str(stacks), "--"]
    done = subprocess.run(
        [*start, *command], env=_environment(folder, "spy"), capture_output=True, text=True, check=False
    )
    if not stacks.exists():
        return f"py-spy failed: {done.stderr.strip()[-200:]}"
    return count_stacks(stacks.read_text())


def count_stacks(text: str) -> str:
    """Turn collapsed stacks into a table: samples in a function itself, and in it and all it calls."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    total = 0
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_short(frame) for frame in stack.split(";")]
        total += int(count)
        own[frames[-1]] += int(count)
        for frame in set(frames):
            whole[frame] += int(count)
    rows = [f"{'own':>6} {'whole':>6}  function"]
    for name, samples in own.most_common(SHOWN):
        rows.append(f"{samples / total:6.1%} {whole[name] / total:6.1%}  {name}")
    return "\n".join(rows) + "\n"


def _short(frame: str) -> str:
    found = FRAME.match(frame)
    if not found:
        return frame
    file = "/".join(found["file"].split("/")[-2:])
    return f"{found['name']} ({file})"


def _cprofile(command: list[str], folder: Path) -> str:
    record = folder / "profile"
    start = [sys.executable, "-m", "cProfile", "-o", str(record), *command[1:]]
    subprocess.run(start, env=_environment(folder, "cprofile"), capture_output=True, check=False)
    text = StringIO()
    pstats.Stats(str(record), stream=text).sort_stats("tottime").print_stats(SHOWN)
    return text.getvalue()
