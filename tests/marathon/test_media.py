"""Two hundred times a person or the system stops `tui-dl ytdlp`, at any instant, over all kinds of media.

Every file that is finished in the end is that of stock yt-dlp, and no process of a stopped run is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.media.clips import has_ffmpeg, make_clips, write_pages
from tests.media.runs import files_in, run_native
from tests.media.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
STOPS: Final = 200
AT_ONCE: Final = 3
"""Runs at the same time."""
MOST_STOPS_OF_ONE: Final = 4
RATE_BPS: Final = 250_000
LONGEST_S: Final = 4.0
"""A stop comes at the latest so long after the start."""
HELD_S: Final = 0.3
"""So long a paused process gets no turn."""
GONE_S: Final = 5.0
"""Processes that a stopped run started are gone by then."""
TOKEN: Final = "MEDIA_MARATHON_RUN"
KINDS: Final = {
    "direct": ("v720.mp4",),
    "page": ("html5.html",),
    "stream": ("hls/master.m3u8", "-N", "2"),
    "stream in two parts": ("fmp4/master.m3u8", "-f", "bv+ba"),
    "encrypted": ("aes/media.m3u8",),
    "dash": ("dash/stream.mpd", "-f", "bv+ba"),
    "two files": ("base.mpd", "-f", "bv+ba"),
    "sound": ("v360.mp4", "-x", "--audio-format", "mp3"),
    "feed": ("feed.rss",),
    "tagged": ("html5.html", "--embed-metadata", "--write-subs", "--embed-subs"),
}
NAMED: Final = ("-o", "%(playlist_index|0)s %(title)s.%(ext)s")
pytestmark = pytest.mark.marathon


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve clips."""
    if not has_ffmpeg():
        pytest.skip("ffmpeg is not installed")
    root = tmp_path_factory.mktemp("site")
    make_clips(root)
    made = Site(root)
    write_pages(made)
    yield made
    made.close()


class Account:
    """What was seen."""

    def __init__(self) -> None:
        self.stops = 0
        self.kinds: dict[str, int] = {}
        self.cancels_s: list[float] = []
        self.left: list[str] = []
        self.wrong: list[str] = []
        self.lock = threading.Lock()

    def take(self) -> bool:
        """Whether one more stop is to be made."""
        with self.lock:
            self.stops += 1
            return self.stops <= STOPS


def start(site: Site, kind: str, folder: Path, token: str) -> subprocess.Popen[bytes]:
    """Start a run."""
    path, *arguments = KINDS[kind]
    quiet = ("--ignore-config", "-q", "--no-warnings", "--no-progress", "--no-cache-dir")
    environment = {**os.environ, TOKEN: token, "PYTHONPATH": str(ROOT), "TUI_DL_HOME": str(folder.parent / "home")}
    command = [sys.executable, "-m", "tui_dl", "ytdlp", *quiet, *NAMED, *arguments, f"{site.url}/{path}"]
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)


def left_of(token: str) -> dict[int, str]:
    """Return the processes that carry a token, zombies left out, and what they are."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"{TOKEN}={token}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:120]
    return found


def wait_for_end(pid: int, limit_s: float) -> None:
    """Wait until a process, which need be no child of ours, has ended."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [], max(0.0, limit_s))
        finally:
            os.close(descriptor)


def stop(process: subprocess.Popen[bytes], how: str, account: Account) -> None:
    """Stop a run in one of the ways in which runs are stopped, or hold it for a moment."""
    began_at = time.monotonic()
    if how == "pause":
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP)
            wait_for_end(process.pid, HELD_S)  # it has no turn, so only somebody else could end it before
            os.kill(process.pid, signal.SIGCONT)
        process.wait(120)
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, {"cancel": signal.SIGINT, "end": signal.SIGTERM, "kill": signal.SIGKILL}[how])
    process.wait(60)
    if how == "cancel":
        account.cancels_s.append(time.monotonic() - began_at)


def work(site: Site, whole: dict[str, dict[str, str]], base: Path, account: Account, number: int) -> None:
    """Stop runs of one folder after another until it is enough."""
    chance = random.Random(number)
    while True:
        kind = chance.choice(sorted(KINDS))
        folder = base / f"{number}" / "in"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for _ in range(chance.randint(1, MOST_STOPS_OF_ONE)):
            if not account.take():
                return
            token = f"{number}-{chance.random()}"
            process = start(site, kind, folder, token)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.2, LONGEST_S))
            how = chance.choice(("pause", "cancel", "end", "kill", "kill"))
            with account.lock:
                account.kinds[how] = account.kinds.get(how, 0) + 1
            stop(process, how, account)
            until = time.monotonic() + GONE_S
            while (left := left_of(token)) and time.monotonic() < until:
                wait_for_end(next(iter(left)), until - time.monotonic())
            account.left += [f"{kind}, {how}: {one}" for one in left.values()]
        if start(site, kind, folder, "last").wait(120) != 0 or files_in(folder) != whole[kind]:
            account.wrong.append(f"{kind}: {files_in(folder)} instead of {whole[kind]}")


async def test_whatever_is_stopped_ends_right(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pauses, cancels, SIGTERM and SIGKILL at random instants; then the same again, to its end."""
    whole = {}
    for kind, (path, *arguments) in KINDS.items():
        folder = tmp_path / "whole" / kind
        assert await run_native([f"{site.url}/{path}"], (*NAMED, *arguments), folder) == 0
        whole[kind] = files_in(folder)
    site.rate_bps = RATE_BPS
    account = Account()
    runs = [asyncio.to_thread(work, site, whole, tmp_path, account, number) for number in range(AT_ONCE)]
    await asyncio.gather(*runs)
    cancels_s = sorted(account.cancels_s)
    figures = f"median {cancels_s[len(cancels_s) // 2]:.2f}, most {cancels_s[-1]:.2f}"
    with capsys.disabled():
        sys.stdout.write(f"\n{account.kinds}; cancels, seconds: {figures}\n")
    assert account.left == []
    assert account.wrong == []
