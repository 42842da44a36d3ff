"""The session measured over a pty: `python -m tests.benchmarks.session [--rows N] [--attaches N]`.

First frame of an attach and of a start from nothing (wall, and the CPU of client and session, which a busy machine
stretches less), memory and CPU of a session that nobody looks at, and what many screens leave behind; with `--rows` the
same on a queue that long, added from a list through the session.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.screen import Terminal
from tui_dl.session.paths import lock_file_in
from tui_dl.session.reaching import StartWish, reach_or_start

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = b"Progress"
IDLE_S = 10.0
PROGRAM = [sys.executable, "-m", "tui_dl"]


class Machine:
    """A home of its own, with at most one session in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        home = {"TUI_DL_HOME": str(folder / "h"), "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", os.getcwd()), **home}  # noqa: PTH109  # text
        os.environ.update(home)
        self.lock_file = lock_file_in(folder / "h" / "data")

    def start(self) -> None:
        """Start a session that stays."""
        reach_or_start(self.lock_file, StartWish(folder=str(self.folder), must_stay=True)).close()

    def stop(self) -> None:
        """End it."""
        subprocess.run([*PROGRAM, "stop"], env=self.environment, capture_output=True, check=True)

    @property
    def pid(self) -> int:
        """Process of the session."""
        return int(json.loads(self.lock_file.read_text())["pid"])

    def attach(self) -> tuple[float, float, float]:
        """Show the screen and leave it; return the wall time to its first frame, and the client's and session's CPU."""
        before_s = cpu_s(self.pid) if self.lock_file.exists() and self.lock_file.stat().st_size else 0.0
        terminal = Terminal(PROGRAM, self.environment)
        terminal.read_until(FRAME, 60)
        took_s = time.monotonic() - terminal.started_at
        client_s, session_s = cpu_s(terminal.pid), cpu_s(self.pid) - before_s
        terminal.type(b"d")
        while os.waitpid(terminal.pid, os.WNOHANG)[0] == 0:
            terminal.read_once(0.01)
        os.close(terminal.fd)
        return took_s, client_s, session_s


def cpu_s(pid: int) -> float:
    """Return the seconds that a process and its threads were on a processor."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_mb(pid: int) -> tuple[float, float]:
    """Return what a process holds, and what is its own alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    facts = {line.split(":")[0]: line.split()[1] for line in lines if ":" in line}
    return int(facts["Rss"]) / 1024, int(facts["Pss"]) / 1024


def tell_frames(name: str, attach: Callable[[], tuple[float, float, float]], times: int) -> None:
    """Attach so often and print the medians."""
    found = [attach() for _ in range(times)]
    wall, client, session = (statistics.median(one[part] for one in found) * 1000 for part in range(3))
    best = min(one[0] for one in found) * 1000
    print(f"{name}: {wall:.0f} ms (best {best:.0f}); CPU {client:.0f} ms client, {session:.0f} ms session")


def tell_idle(name: str, machine: Machine) -> None:
    """Print what a session costs that nobody looks at."""
    time.sleep(2)
    before_s = cpu_s(machine.pid)
    time.sleep(IDLE_S)
    rss, pss = memory_mb(machine.pid)
    share = (cpu_s(machine.pid) - before_s) / IDLE_S
    print(f"{name}: {share:.2%} CPU, {rss:.0f} MB resident, {pss:.0f} MB its own share")


def from_nothing(machine: Machine) -> tuple[float, float, float]:
    """Attach where no session lives."""
    machine.stop()
    return machine.attach()


def add_rows(machine: Machine, rows: int) -> None:
    """Add a list of addresses that nobody answers through the session."""
    listed = machine.folder / "list.txt"
    with listed.open("w") as file:
        file.writelines(f"http://127.0.0.1:9/{number // 1000:04}/file-{number:07}.bin\n" for number in range(rows))
    before_s, started_at = cpu_s(machine.pid), time.monotonic()
    command = [*PROGRAM, "-i", str(listed), "-d", str(machine.folder), "--max-retries", "1000"]
    terminal = Terminal(command, machine.environment)
    terminal.read_until(FRAME, 60)
    terminal.type(b"d")
    while os.waitpid(terminal.pid, os.WNOHANG)[0] == 0:
        terminal.read_once(0.05)
    os.close(terminal.fd)
    took_s = time.monotonic() - started_at
    rss, _ = memory_mb(machine.pid)
    session_s = cpu_s(machine.pid) - before_s
    print(f"{rows:,} rows from a list: {took_s:.1f} s, {session_s:.1f} s CPU of the session, {rss:.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--attaches", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tui-dl-bench-") as folder:
        machine = Machine(Path(folder))
        machine.start()
        tell_idle("never attached", machine)
        tell_frames("attach", machine.attach, 9)
        tell_frames("start from nothing", lambda: from_nothing(machine), 5)
        machine.stop()
        machine.start()
        for _ in range(given.attaches):
            machine.attach()
        tell_idle(f"after {given.attaches} screens", machine)
        if given.rows:
            add_rows(machine, given.rows)
            tell_frames(f"attach with {given.rows:,} rows", machine.attach, 5)
            tell_frames(f"start with {given.rows:,} rows", lambda: from_nothing(machine), 3)
        machine.stop()


if __name__ == "__main__":
    main()
