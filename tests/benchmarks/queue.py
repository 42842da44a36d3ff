"""A queue of a million: `python -m tests.benchmarks.queue [--rows N]`.

Added from a list by the whole program on a pty, in the foreground and through the background session; resident memory;
first frame on it; then, in this process, filter, sort, bulk actions, and how long the loop and a checkpoint wait
meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.benchmarks.screen import Terminal, cpu_s_of
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.query_text import parse_query
from tui_dl.core.settings import Settings
from tui_dl.engine.engine import AsyncDownloadEngine
from tui_dl.session.lock import Card, held_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from tui_dl.core.ports import TransportAnswer, TransportRequest

HOSTS = 200
ADD_LIMIT_S = 300.0
TARGETS = {"add": 30.0, "memory": 220.0, "first frame": 250.0, "filter": 300.0, "sort": 2000.0, "lag": 60.0}
FILTERS = ("host:127.0.0.17", "status:failed", "image-0012", "name:*7.png -host:127.0.0.1", "size:>1G reason:404")


def say(what: str, figure: float, unit: str, target: str = "") -> None:
    """Print one figure beside its target."""
    goal = TARGETS.get(target)
    verdict = "" if goal is None else f"   (target {goal:g} {unit}: {'met' if figure <= goal else 'MISSED'})"
    print(f"{what:46} {figure:8.1f} {unit}{verdict}", flush=True)


@contextlib.contextmanager
def silent_server(port: int = 0) -> Iterator[int]:
    """Listen on every loopback address and answer nothing; yield the port."""
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", port))  # loopback has 200 addresses, and nobody else knows the port
        listening.listen(64)
        yield listening.getsockname()[1]


def write_list(path: Path, rows: int, port: int) -> None:
    """Write a list whose addresses take turns among the hosts."""
    with path.open("w") as file:
        for number in range(rows):
            host = f"127.0.0.{number * 7919 % HOSTS + 1}"
            file.write(f"http://{host}:{port}/files/{number % 97}/image-{number:07d}.png\n")


def rows_in(journal: Path) -> int:
    """Return the rows that the journal counts, without a part in its locks."""
    if not journal.exists():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=0.2)) as connection:
            return int(connection.execute("SELECT coalesce(sum(tasks), 0) FROM counts").fetchone()[0])
    except sqlite3.Error:
        return 0


def peak_mb(pid: int) -> float:
    """Return the most resident memory of a process so far."""
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure_program(work: Path, rows: int, port: int) -> Path:
    """Add the list and open the screen on it with the real program; return the journal."""
    listed = work / "list.txt"
    write_list(listed, rows, port)
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TUI_DL_HOME": str(work / "home")}
    command = [sys.executable, "-m", "tui_dl", "--foreground", "-j1", "-d", str(work / "out")]
    terminal = Terminal([*command, "-i", str(listed)], environment)
    journal = await_added(terminal, work / "home", rows)
    say(f"{rows:,} rows from a list, whole program", time.monotonic() - terminal.started_at, "s", "add")
    say("    of CPU", terminal.cpu_s(), "s")
    terminal.read_for(3.0)
    say("resident memory, adding, running, showing", peak_mb(terminal.pid), "MB", "memory")
    terminal.end(signal.SIGTERM)
    say("journal's file", journal.stat().st_size / 1e6, "MB")
    for _ in range(3):
        terminal = Terminal(command, environment)
        terminal.read_until(b"image-00", 30.0)
        say("first frame with its rows", (time.monotonic() - terminal.started_at) * 1000, "ms", "first frame")
        terminal.read_for(3.0)
        say("resident memory, showing", peak_mb(terminal.pid), "MB", "memory")
        terminal.end(signal.SIGTERM)
    return journal


def measure_session(work: Path, rows: int, port: int) -> None:
    """Add the list through a background session of its own, and end that."""
    home = work / "session home"
    listed = work / "list.txt"
    write_list(listed, rows, port)
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TUI_DL_HOME": str(home)}
    program = [sys.executable, "-m", "tui_dl"]
    terminal = Terminal([*program, "-j1", "-d", str(work / "out"), "-i", str(listed)], environment)
    try:
        await_added(terminal, home, rows)
        say(f"{rows:,} rows from a list, to the session", time.monotonic() - terminal.started_at, "s", "add")
        (lock_file,) = home.rglob("session.lock")
        card = held_by(lock_file)
        if isinstance(card, Card):
            say("    of CPU, client", terminal.cpu_s(), "s")
            say("    of CPU, session", cpu_s_of(card.pid), "s")
            say("resident memory of the session", peak_mb(card.pid), "MB", "memory")
    finally:
        terminal.end(signal.SIGTERM)
        subprocess.run([*program, "stop"], env=environment, check=False, stderr=subprocess.DEVNULL)  # ours


def await_added(terminal: Terminal, home: Path, rows: int) -> Path:
    """Wait until the journal below a folder counts all rows; return it."""
    found: list[Path] = []
    while not found or rows_in(found[0]) < rows:
        terminal.read_for(0.2)
        found = found or [one for one in home.rglob("journal.sqlite3") if one.is_file()]
        if time.monotonic() - terminal.started_at > ADD_LIMIT_S:
            raise SystemExit(f"the list was not added:\n{terminal.text()}")
    return found[0]


class Silent:
    """Carries nothing."""

    async def get(self, request: TransportRequest) -> TransportAnswer:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError(request)

    async def aclose(self) -> None:
        """Close nothing."""


class Lag:
    """The longest the loop kept somebody waiting, and the longest a checkpoint did."""

    def __init__(self, engine: AsyncDownloadEngine) -> None:
        self._engine = engine
        self.loop_ms = self.checkpoint_ms = 0.0

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.ensure_future(self._watch_loop()), asyncio.ensure_future(self._watch_journal())]
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch_loop(self) -> None:
        while True:
            began_at = time.perf_counter()
            await asyncio.sleep(0.005)
            self.loop_ms = max(self.loop_ms, (time.perf_counter() - began_at - 0.005) * 1000)

    async def _watch_journal(self) -> None:
        while True:
            began_at = time.perf_counter()
            await self._engine.context.journal.settle()
            self.checkpoint_ms = max(self.checkpoint_ms, (time.perf_counter() - began_at) * 1000)
            await asyncio.sleep(0.02)


async def timed(engine: AsyncDownloadEngine, what: str, work: Awaitable[Any], unit: str, target: str = "") -> Any:
    """Await it and print how long it took and kept others waiting."""
    began_at = time.perf_counter()
    async with Lag(engine) as lag:
        result = await work
    took_s = time.perf_counter() - began_at
    say(what, took_s * (1000 if unit == "ms" else 1), unit, target)
    say("    loop", lag.loop_ms, "ms", "lag")
    if unit == "s":
        say("    a checkpoint waited", lag.checkpoint_ms, "ms")
    return result


async def measure_engine(journal: Path, work: Path) -> None:
    """Ask and command the queue through the engine."""
    settings = Settings(dir=str(work / "out"), concurrent_downloads=1)
    async with AsyncDownloadEngine(settings, journal, transport=Silent()) as engine:
        for text in FILTERS:
            found = await timed(engine, f"filter {text}", engine.view(parse_query(text)), "ms", "filter")
            print(f"    {len(found):,} rows")
        for key in SortKey:
            for is_descending in (False, True):
                query = TaskQuery(sort=key, is_descending=is_descending)
                turned = " (turned)" if is_descending else ""
                await timed(engine, f"sort by {key}{turned}", engine.view(query), "ms", "sort")
        hosts = parse_query("host:127.0.0.1")
        for name, query, arguments in (
            (CommandName.PAUSE, hosts, {}),
            (CommandName.PAUSE, TaskQuery(), {}),
            (CommandName.RESUME, TaskQuery(), {}),
            (CommandName.SET_PRIORITY, hosts, {"value": "high"}),
            (CommandName.MOVE_DOWN, hosts, {}),
            (CommandName.CANCEL, TaskQuery(), {}),
            (CommandName.RETRY, hosts, {}),
            (CommandName.CLEAR_FINISHED, TaskQuery(), {}),
            (CommandName.UNDO, TaskQuery(), {}),
        ):
            meant = "one host in two" if query is hosts else "all"
            work_under_way = engine.execute(Command(name, query=query, arguments=arguments))
            outcome = await timed(engine, f"{name} {meant}", work_under_way, "s")
            print(f"    {outcome.changed:,} rows")


def main() -> None:
    """Run all of it in a folder of its own and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tui-dl-queue-"))
    try:
        with silent_server() as port:
            measure_session(work, asked.rows, port)
            journal = measure_program(work, asked.rows, port)
        asyncio.run(measure_engine(journal, work))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
