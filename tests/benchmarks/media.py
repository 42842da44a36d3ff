"""Media against yt-dlp on the wall clock: `python -m tests.benchmarks.media [--quick] [--only NAME]`.

Whole programs, from their start to their end, on servers that pace each connection, all together, or only their
answers. Every run must leave the same files. `lag` is the loop beside four pages that are being read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NATIVE = [sys.executable, "-m", "yt_dlp"]
OURS = [sys.executable, "-m", "tui_dl", "ytdlp"]
QUIET = ["--ignore-config", "-q", "--no-warnings", "--no-progress", "--fixup", "never", "--no-cache-dir"]
MIB = 1 << 20


@contextlib.contextmanager
def server(root: Path, *words: str) -> Iterator[str]:
    """Run the server; yield its origin."""
    command = [sys.executable, "-m", "tests.benchmarks.media_server", "--root", str(root), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait()


def timed(work: Callable[[Path], None], folder: Path, expected: set[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of some work whose files must be right."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    before, began_at = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work(folder)
    wall_s, after = time.monotonic() - began_at, resource.getrusage(resource.RUSAGE_CHILDREN)
    found = [hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()]
    assert set(found) == expected, f"wrong files: {sorted(path.name for path in folder.iterdir())[:5]}"
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def serial(urls: list[str], *words: str) -> Callable[[Path], None]:
    """Return stock yt-dlp over all addresses."""
    return lambda folder: run([*NATIVE, *QUIET, *words, "-o", "%(autonumber)s.%(ext)s", *urls], folder)


def ours(urls: list[str], at_once: int, *words: str) -> Callable[[Path], None]:
    """Return ours with so many videos at once."""
    command = [*OURS, *QUIET, "--concurrent-downloads", str(at_once), *words, "-o", "%(autonumber)s.%(ext)s", *urls]
    return lambda folder: run(command, folder)


def by_xargs(urls: list[str], at_once: int) -> Callable[[Path], None]:
    """Return the advice that everybody gives."""

    def work(folder: Path) -> None:
        command = ["xargs", f"-P{at_once}", "-n1", *NATIVE, *QUIET, "-o", "%(epoch)s-%(id)s.%(ext)s"]
        subprocess.run(command, input="\n".join(urls), text=True, cwd=folder, check=True, env=environment())

    return work


def run(command: list[str], folder: Path) -> None:
    """Run a program to a good end."""
    subprocess.run(command, cwd=folder, check=True, env=environment())


def environment() -> dict[str, str]:
    """Return the environment of all contenders."""
    return {**os.environ, "PYTHONPATH": os.getcwd(), "TUI_DL_HOME": str(Path(tempfile.gettempdir()) / "bench-home")}  # noqa: PTH109  # text


def compete(title: str, contenders: dict[str, Callable[[Path], None]], work: Path, expected: set[str]) -> None:
    """Run each once and print the table; the first is what the others are compared with."""
    print(f"\n## {title}\n\n| program | wall s | CPU s | times as fast |\n| --- | ---: | ---: | ---: |")
    first_s = 0.0
    for name, contender in contenders.items():
        wall_s, cpu_s = timed(contender, work / "run", expected)
        first_s = first_s or wall_s
        print(f"| {name} | {wall_s:.1f} | {cpu_s:.1f} | {first_s / wall_s:.1f} |", flush=True)


def make_files(root: Path, count: int, size: int) -> tuple[list[str], set[str]]:
    """Make files of random bytes; return their names and digests."""
    names = []
    digests = set()
    for number in range(count):
        body = os.urandom(size)
        digests.add(hashlib.sha256(body).hexdigest())
        names.append(f"v{number}.mp4")
        (root / names[-1]).write_bytes(body)
    return names, digests


def make_streams(root: Path, count: int, fragments: int, size: int) -> tuple[list[str], set[str]]:
    """Make HLS streams of random bytes."""
    names, digests = [], set()
    for number in range(count):
        whole = hashlib.sha256()
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD"]
        for index in range(fragments):
            body = os.urandom(size)
            whole.update(body)
            (root / f"s{number}-{index}.ts").write_bytes(body)
            lines += ["#EXTINF:2,", f"s{number}-{index}.ts"]
        names.append(f"s{number}.m3u8")
        digests.add(whole.hexdigest())
        (root / names[-1]).write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    return names, digests


def paced(work: Path, *, is_quick: bool) -> None:
    """Ten files from a server that gives each connection 2 MiB/s."""
    root = work / "paced"
    root.mkdir()
    names, digests = make_files(root, 10, 2 * MIB if is_quick else 13 * MIB)
    with server(root, "--rate", str(2 * MIB)) as origin:
        urls = [f"{origin}/{name}" for name in names]
        contenders = {
            "yt-dlp": serial(urls),
            "xargs -P5 yt-dlp": by_xargs(urls, 5),
            "tui-dl ytdlp, 5 at once": ours(urls, 5),
            "tui-dl ytdlp, 10 at once": ours(urls, 10),
        }
        compete("10 files, 2 MiB/s for each connection", contenders, work, digests)


def shared(work: Path, *, is_quick: bool) -> None:
    """Ten files over one line that all connections share: nothing is to be gained."""
    root = work / "shared"
    root.mkdir()
    names, digests = make_files(root, 10, 2 * MIB if is_quick else 13 * MIB)
    with server(root, "--shared", str(20 * MIB)) as origin:
        urls = [f"{origin}/{name}" for name in names]
        contenders = {"yt-dlp": serial(urls), "tui-dl ytdlp, 5 at once": ours(urls, 5)}
        compete("10 files, 20 MiB/s for all connections together", contenders, work, digests)


def streams(work: Path, *, is_quick: bool) -> None:
    """Ten streams of 300 fragments from a server that takes 50 ms for each answer."""
    root = work / "streams"
    root.mkdir()
    names, digests = make_streams(root, 10, 30 if is_quick else 300, 48 * 1024)
    with server(root, "--delay", "0.05") as origin:
        urls = [f"{origin}/{name}" for name in names]
        contenders = {
            "yt-dlp -N 10": serial(urls, "-N", "10"),
            "tui-dl ytdlp -N 10, 5 at once": ours(urls, 5, "-N", "10"),
            "tui-dl ytdlp -N 10, 10 at once": ours(urls, 10, "-N", "10"),
            "tui-dl ytdlp, 5 at once, 8 connections to the host": ours(urls, 5),
        }
        compete("10 HLS streams of 300 fragments, 50 ms before each answer", contenders, work, digests)


def lag(work: Path, *, is_quick: bool) -> None:
    """How long the loop waits while four pages of 1 MB are read and a transfer runs at 500 MB/s."""
    root = work / "lag"
    root.mkdir()
    names, _ = make_files(root, 1, (64 if is_quick else 256) * MIB)
    filler = "".join(f'<p class="c{number}">Some text that is no video {number}</p>\n' for number in range(20_000))
    (root / "page.html").write_text(f"<html><title>t</title>{filler}<video><source src='/v0.mp4'></video></html>")
    with server(root, "--shared", str(500 * MIB)) as origin:
        asyncio.run(_lag(origin, names[0], work / "out", rounds=1 if is_quick else 4))


async def _lag(origin: str, name: str, folder: Path, *, rounds: int) -> None:
    from tests.media.runs import params_of  # noqa: PLC0415  # what only prints needs no yt-dlp
    from tui_dl.core.settings import Settings  # noqa: PLC0415  # see above
    from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine  # noqa: PLC0415  # see above
    from tui_dl.media.manager import AsyncDownloadManager  # noqa: PLC0415  # see above

    async with AsyncDownloadEngine(Settings(), MEMORY) as engine, AsyncDownloadManager(engine) as manager:
        url = f"{origin}/page.html"
        beside = manager.download([url] * 4, params_of(("-o", "%(autonumber)s.%(ext)s", "--max-filesize", "1"), folder))
        rates, lags = await asyncio.gather(_pull(engine, f"{origin}/{name}", rounds), _watch(beside))
        lags.sort()
        p99 = lags[int(len(lags) * 0.99)]
        print(f"\n## The loop while 4 pages of 1 MB are read and {max(rates) / 1e6:.0f} MB/s arrive\n")
        parts = (("p50", lags[len(lags) // 2]), ("p99", p99), ("most", lags[-1]))
        figures = ", ".join(f"{mark} {value * 1e3:.1f} ms" for mark, value in parts)
        print(f"lag {figures}; {manager.extraction.count} pages read in processes of their own")


async def _pull(engine: Any, url: str, rounds: int) -> list[float]:
    """Return the rates of a transfer that nothing is done with."""
    from tui_dl.core.ports_media import BodyWish  # noqa: PLC0415  # see above

    rates = []
    for _ in range(rounds):
        began_at, received = time.monotonic(), 0
        async with engine.media.body(BodyWish(url, {})) as body:
            async for chunk in body.chunks():
                received += len(chunk)
        rates.append(received / (time.monotonic() - began_at))
    return rates


async def _watch(beside: Any) -> list[float]:
    """Return how late the loop was, 200 times a second, while something else is done."""
    done = asyncio.ensure_future(beside)
    lags = []
    while not done.done():
        began_at = time.monotonic()
        await asyncio.sleep(0.005)
        lags.append(max(0.0, time.monotonic() - began_at - 0.005))
    await done
    return lags


ROWS = {"paced": paced, "shared": shared, "streams": streams, "lag": lag}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(ROWS))
    parser.add_argument("--quick", action="store_true", help="little work, to see that everything runs")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tui-dl-media-"))
    try:
        for name, row in ROWS.items():
            if not asked.only or name in asked.only:
                row(work, is_quick=asked.quick)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
