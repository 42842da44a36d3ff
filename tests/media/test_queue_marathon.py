"""Random pauses, cancels and kills over all kinds of media: what is finished is whole, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.media.queue_stage import until
from tests.media.runs import files_in, run_native
from tui_dl.core.commands import CommandName
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tests.media.queue_stage import Queue
    from tests.media.site import Site

PATHS = (
    "html5.html",
    "hls/master.m3u8",
    "base.mpd",
    "dash/stream.mpd",
    "feed.rss",
    "three.html",
    "aes/media.m3u8",
    "v720.mp4",
)
BLOWS = 140
KILLS = 60
RATE_BPS = 1_200_000.0
SLOW_BPS = 60_000.0
"""So slow that many kills fall within the transfers."""
SEED = 20261130
RUN = """
import asyncio, json, sys
from pathlib import Path
from tests.media.queue_stage import Queue
async def main():
    queue = Queue(Path(sys.argv[1]))
    await queue.open(keeps=True, per_site=4)
    for url in sys.argv[2:]:
        await queue.add(url)
    print("ready", flush=True)
    await queue.engine.wait()
    await queue.close()
    print("done", flush=True)
asyncio.run(main())
"""


def kin_of(pid: int) -> list[int]:
    """Return processes of ours that still run: readers, ffmpeg and watchers of a process that is gone."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if f"TUI_DL_MARATHON={pid}".encode() in environment and state != "Z":
            found.append(int(folder.name))
    return found


@pytest.mark.marathon
async def test_blows_of_a_person_leave_whole_files(queue: Queue, site: Site, tmp_path: Path) -> None:
    """Pauses, cancels, retries and resumes at random instants, then all to its end: equal to stock yt-dlp's."""
    urls = [f"{site.url}/{path}" for path in PATHS]
    assert await run_native(urls, ["--no-cache-dir"], tmp_path / "native") == 0
    wanted = files_in(tmp_path / "native")
    choice = random.Random(SEED)  # a schedule
    await queue.close()
    await queue.open(per_site=4)
    site.rate_bps = RATE_BPS
    slowest_s = 0.0
    for url in urls:
        await queue.add(url)
    for _ in range(BLOWS):
        await asyncio.sleep(choice.random() * 0.25)  # the random instant is what is tested
        rows = await queue.engine.rows(await queue.engine.view(TaskQuery()))
        open_rows = [task for task in rows if task.status is not Status.COMPLETED]
        if not open_rows:
            break
        task = choice.choice(open_rows)
        name = choice.choice((CommandName.PAUSE, CommandName.CANCEL))
        began_at = time.monotonic()
        await queue.order(name, task)
        slowest_s = max(slowest_s, time.monotonic() - began_at)
        await queue.order(CommandName.RESUME, task)
        await queue.order(CommandName.RETRY, task)
    site.rate_bps = 0.0
    for task in await queue.engine.rows(await queue.engine.view(TaskQuery())):
        await queue.order(CommandName.RESUME, task)
        if task.status in (Status.FAILED, Status.CANCELLED):
            await queue.order(CommandName.RETRY, task)
    assert await queue.idle() == []
    held = files_in(queue.dir)
    assert {name: held.get(name) for name in wanted} == wanted
    assert [name for name in held if name not in wanted] == []
    assert slowest_s < 3.0, slowest_s
    print(f"slowest command {slowest_s:.2f} s")  # noqa: T201  # a figure


@pytest.mark.marathon
async def test_kills_leave_whole_files(queue: Queue, site: Site, tmp_path: Path) -> None:
    """The whole process is killed at random instants; started again it goes on, and leaves no process behind."""
    urls = [f"{site.url}/{path}" for path in PATHS]
    await run_native(urls, ["--no-cache-dir"], tmp_path / "native")
    wanted = files_in(tmp_path / "native")
    choice = random.Random(SEED)  # a schedule
    site.rate_bps = SLOW_BPS
    queue.dir.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "killed"
    kills = await asyncio.to_thread(_kill_often, folder, urls, choice)
    site.rate_bps = 0.0
    assert await asyncio.to_thread(_run, folder, urls, 120.0)
    held = files_in(folder / "downloads")
    assert {name: held.get(name) for name in wanted} == wanted
    assert [name for name in held if name not in wanted] == []
    assert kills
    await until(lambda: not kin_of(os.getpid()))
    print(f"{kills} kills")  # noqa: T201  # a figure


def _kill_often(folder: Path, urls: list[str], choice: random.Random) -> int:
    kills = 0
    for _ in range(KILLS):
        if _run(folder, urls, 1.0 + choice.random() * 1.2):
            break
        kills += 1
    return kills


def _run(folder: Path, urls: list[str], limit_s: float) -> bool:
    """Run the queue for a time, then kill it; whether it came to its end by itself."""
    environment = {**os.environ, "TUI_DL_MARATHON": str(os.getpid())}
    with subprocess.Popen([sys.executable, "-c", RUN, str(folder), *urls], env=environment) as process:
        try:
            return process.wait(limit_s) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return False
