"""Whole processes measured: wall, CPU, memory; contenders interleaved so that noise hits all alike."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import resource
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LAUNCH = """
exec 3<&0
(read -r _ <&3; exec "$@" </dev/null 2>"$BENCHMARK_ERRORS" 3<&-) >/dev/null &
echo $!
"""
"""Starts the program from a small process, for Linux counts the memory of whoever forks into the child's peak; waits
for a line, so that the shell is gone and cannot reap it before."""
SHOWN_ERROR_LENGTH = 160
MANY_FILES = 400
LEAST_FREE_BYTES = 16 << 30
"""With less room on the disk nothing is kept."""
ZEROS = bytes(1 << 20)


@dataclass(frozen=True)
class Contender:
    """A program on the same work."""

    name: str
    """As the table shows it."""
    command: Callable[[Path], Sequence[str]]
    """Its arguments, given the folder to download into."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment."""
    absent: str = ""
    """Why it cannot run; the table says so in its place."""
    most_rounds: int = 0
    """Rounds after which its figures are known well enough; 0: all."""


@dataclass(frozen=True)
class Outcome:
    """What a check found in the folder a program downloaded into."""

    right_files: int
    """Files with the right name and digest."""
    right_bytes: int
    """Their bytes."""
    problem: str = ""
    """What is missing or differs, for the table."""


@dataclass(frozen=True)
class Figures:
    """Of one run."""

    wall_s: float
    """Seconds from start to exit."""
    cpu_s: float
    """User and system seconds."""
    rss_bytes: int
    """Peak resident memory."""
    outcome: Outcome
    """What it left."""


@dataclass(frozen=True)
class Setting:
    """What all contenders of a competition share."""

    work: Path
    """Folder emptied before each run."""
    check: Callable[[Path], Outcome]
    """Judges the folder downloaded into."""
    rounds: int
    """How often each runs; the table shows medians."""
    limit_s: float = 900.0
    """A run that takes longer is ended and counted as that long."""
    cores: str = ""
    """Cores for the program, in taskset's grammar; empty: all."""
    is_synced: bool = True
    """Everything is written to the disk before each run, so that nobody pays for the one before."""
    warm_bytes: int = 0
    """What is written and thrown away before each run, so that none finds colder memory than others."""


@contextlib.contextmanager
def reaping() -> Iterator[None]:
    """Let grandchildren become children when their parent ends, so that they can be waited for."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise SystemExit("the kernel refused to make this process a reaper; the benchmarks need Linux")
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def clear(folder: Path) -> None:
    """Make a folder go; what many files are in is only moved aside while the disk has room, to be removed at the end.

    On an ext4 without a journal whoever makes files within minutes of a thousandfold removal looks through all inodes
    that were set free lately (`recently_deleted()` was a third of the CPU of the next contender).
    """
    count = sum(len(names) for _, _, names in os.walk(folder))
    if count < MANY_FILES or shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.rename(tempfile.mkdtemp(prefix="aside-", dir=folder.parent))


def warm_page_cache(folder: Path, size_bytes: int) -> None:
    """Write so much and throw it away: what is written next is kept in the memory that this set free.

    A virtual machine has to ask its host for pages that lay idle. The same download took 2.3 s and 6.3 s (5.3 s of it
    in the kernel, copying into the page cache), by whether somebody had just used that memory.
    """
    with (folder / "warm").open("wb", buffering=0) as file:
        for _ in range(-(-size_bytes // len(ZEROS))):
            file.write(ZEROS)
    (folder / "warm").unlink()


def run_once(contender: Contender, setting: Setting) -> Figures:
    """Run a contender in an empty folder and check what it made; within `reaping()`."""
    clear(setting.work)
    target = setting.work / "out"
    target.mkdir(parents=True)
    errors = setting.work / "errors.txt"
    environment = {
        **os.environ,
        "TUI_DL_HOME": str(setting.work / "home"),
        "BENCHMARK_ERRORS": str(errors),
        **contender.environment,
    }
    pinned = ("taskset", "-c", setting.cores) if setting.cores else ()
    command = (*pinned, *contender.command(target))
    if setting.is_synced:
        os.sync()
    warm_page_cache(setting.work, setting.warm_bytes)
    pid, started_at = _launch(command, environment)
    status, usage = _await_end(pid, setting.limit_s)
    wall_s = time.perf_counter() - started_at
    outcome = setting.check(target)
    code = os.waitstatus_to_exitcode(status)
    problem = outcome.problem
    if code == -signal.SIGKILL and wall_s >= setting.limit_s:
        problem = f"not done within {setting.limit_s:.0f} s"
    elif code:
        said = errors.read_text(errors="replace").strip().rpartition("\n")[2][:SHOWN_ERROR_LENGTH]
        problem = f"exit {code}: {said}" if said else f"exit {code}"
    outcome = Outcome(outcome.right_files, outcome.right_bytes, problem)
    return Figures(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, outcome)


def _launch(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, float]:
    """Start a program; return its id and the instant of its start."""
    with subprocess.Popen(
        ["sh", "-c", LAUNCH, "sh", *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        pid = int(launcher.stdout.readline())
        launcher.wait()
        started_at = time.perf_counter()
        launcher.stdin.write(b"\n")
    return pid, started_at


def _await_end(pid: int, limit_s: float) -> tuple[int, resource.struct_rusage]:
    """Wait for a program, at the limit end it; return its status and what it used."""
    is_over = threading.Event()

    def end() -> None:
        if not is_over.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    except KeyboardInterrupt:
        end()
        os.wait4(pid, 0)
        raise
    finally:
        is_over.set()
        timer.cancel()
    return status, usage


def compete(contenders: Sequence[Contender], setting: Setting) -> dict[str, list[Figures]]:
    """Run all contenders in turn, several rounds, each begun by another; return the figures of those that could run."""
    present = [one for one in contenders if not one.absent]
    figures: dict[str, list[Figures]] = {one.name: [] for one in present}
    for number in range(setting.rounds):
        first = number % len(present) if present else 0
        for one in (*present[first:], *present[:first]):
            if not one.most_rounds or number < one.most_rounds:
                figures[one.name].append(run_once(one, setting))
    clear(setting.work)
    return figures


def median(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure; of the outcomes the worst, so that no failure hides."""
    return Figures(
        statistics.median(one.wall_s for one in runs),
        statistics.median(one.cpu_s for one in runs),
        int(statistics.median(one.rss_bytes for one in runs)),
        min((one.outcome for one in runs), key=lambda outcome: (not outcome.problem, outcome.right_files)),
    )
