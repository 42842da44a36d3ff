"""The engine as a process to be killed: start, take up or add, wait, say each fact once it is one."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import TuiDlError
from tui_dl.core.metalink import parse_metalink
from tui_dl.core.query import TaskQuery
from tui_dl.core.settings import Settings, settings_with
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine.engine import AsyncDownloadEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.events import Event
    from tui_dl.core.task import DownloadTask

BEAT_S: Final = 0.005
"""Pause between two beats; what a beat comes late is the loop's lag."""
INTERRUPTED: Final = 130
COULD_NOT_START: Final = 3
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def say(kind: str, **facts: object) -> None:
    """Write a line that is the kernel's before anything else is done."""
    os.write(1, json.dumps({"event": kind, **facts}).encode() + b"\n")


def facts_of(task: DownloadTask) -> dict[str, object]:
    """Return what a test wants to know of a row."""
    return {
        "id": task.id,
        "url": task.url,
        "status": task.status,
        "reason": task.reason,
        "text": task.reason_text,
        "path": task.path,
        "downloaded_bytes": task.downloaded_bytes,
    }


class Heart:
    """Beats on the loop and keeps how late each beat was."""

    def __init__(self) -> None:
        self.lags_s: list[float] = []
        self._due_at = 0.0

    def start(self) -> None:
        """Begin to beat, until the loop ends."""
        loop = asyncio.get_running_loop()
        self._due_at = loop.time() + BEAT_S
        loop.call_at(self._due_at, self._beat)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        self.lags_s.append(loop.time() - self._due_at)
        self._due_at = loop.time() + BEAT_S
        loop.call_at(self._due_at, self._beat)

    def figures(self) -> dict[str, float]:
        """Return the lags in milliseconds."""
        lags = sorted(self.lags_s) or [0.0]
        return {"lag_p99_ms": 1000 * lags[len(lags) * 99 // 100], "lag_max_ms": 1000 * lags[-1]}


def resident_bytes() -> int:
    """Return the memory that the process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.marathon.worker", description=__doc__)
    parser.add_argument("journal", type=Path)
    parser.add_argument("folder")
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--into", action="append", default=[], nargs=2, metavar=("FOLDER", "URL"))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting")
    parser.add_argument("--metalink", type=Path, default=None, help="a document whose files are added")
    parser.add_argument("--name", default="", help="file name of a single address")
    parser.add_argument("--retry-failed", action="store_true")
    parser.add_argument("--memory-every", type=float, default=0.0, help="say the memory held every so many seconds")
    return parser.parse_args(words)


async def work(options: argparse.Namespace, engine: AsyncDownloadEngine) -> int:
    """Do what is in the journal and on the command line; return the exit code."""
    for folder, url in [*((options.folder, url) for url in options.urls), *options.into]:
        try:
            task = await engine.add(url, dir=folder, name=options.name)
        except TuiDlError as error:
            say("refused", url=url, reason=error.reason, text=error.message)
        else:
            say("acknowledged", **facts_of(task))
    if options.metalink is not None:
        document = await asyncio.to_thread(options.metalink.read_bytes)
        metalink = parse_metalink(document, options.metalink.name)
        for task in await engine.add_many([one.task(options.folder, TaskOptions()) for one in metalink.files]):
            say("acknowledged", **facts_of(task))
    if options.retry_failed:
        await engine.execute(Command(CommandName.RETRY_FAILED))
    await engine.wait()
    rows = await engine.rows(await engine.view(TaskQuery()))
    say("rows", rows=[facts_of(row) for row in rows])
    return 0 if all(row.status is Status.COMPLETED for row in rows) else 1


async def say_memory(every_s: float) -> None:
    """Say the memory held, until cancelled."""
    while every_s:
        await asyncio.sleep(every_s)
        say("memory", resident_bytes=resident_bytes(), objects=len(gc.get_objects()), tasks=len(asyncio.all_tasks()))


async def run(options: argparse.Namespace) -> int:
    """Run the engine until all is finished or a signal came; return the exit code."""
    settings = settings_with(Settings(), dict(pair.split("=", 1) for pair in options.set))
    engine = AsyncDownloadEngine(settings, options.journal)
    working = asyncio.ensure_future(supervised(options, engine))
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, working.cancel)
    memory = asyncio.ensure_future(say_memory(options.memory_every))
    heart = Heart()
    heart.start()
    try:
        return await working
    except asyncio.CancelledError:
        return INTERRUPTED
    finally:
        memory.cancel()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = usage.ru_utime + usage.ru_stime
        say("figures", cpu_s=cpu_s, peak_bytes=usage.ru_maxrss * 1024, **heart.figures())


async def supervised(options: argparse.Namespace, engine: AsyncDownloadEngine) -> int:
    """Start the engine, work, and close it with everything durable."""

    def tell(event: Event) -> None:
        say(event.kind, **facts_of(event.task))

    try:
        await engine.start()
    except TuiDlError as error:
        say("not-started", reason=error.reason, text=error.message)
        return COULD_NOT_START
    engine.subscribe(tell)
    say("running", pid=os.getpid())
    try:
        return await work(options, engine)
    finally:
        await engine.aclose()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(arguments(sys.argv[1:]))))
