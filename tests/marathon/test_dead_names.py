"""Two hundred thousand files on a hundred thousand names of which a fifth is dead, with figures.

`TUI_DL_NAMES=1500` scales it down; few names are fetched several times in turn, and the best counts.
`TUI_DL_DEAD_DELAY=0.2` has the name server take so many seconds to say that a name is not there.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.name_world import DEAD, urls
from tui_dl.core.events import EventKind
from tui_dl.core.settings import Settings
from tui_dl.core.task import NewTask
from tui_dl.engine.engine import AsyncDownloadEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tui_dl.core.events import Event

pytestmark = pytest.mark.marathon

NAMES: Final = int(os.environ.get("TUI_DL_NAMES", "100000"))
AT_ONCE: Final = 50
DEAD_PART: Final = 5
BLOCK: Final = 5000
DELAY_S: Final = "0.1"
DEAD_DELAY_S: Final = os.environ.get("TUI_DL_DEAD_DELAY", "0")
MOST_GROWTH_BYTES: Final = 80 << 20
"""Resident memory from after the first tenth of the living files to the end."""
MOST_RATIO: Final = 1.05
"""Of the living files' time among the dead to that alone."""
ROUNDS: Final = 1 if NAMES >= 20_000 else 3
"""Short runs differ by more than a twentieth by chance alone."""
WARM_UP_NAMES: Final = 100
"""Fetched before the clock runs: what is measured first must not pay for what is imported then."""


@pytest.fixture
def world() -> Iterator[tuple[int, int]]:
    """Yield the ports of the web server and the name server, in a process of their own."""
    command = [sys.executable, "-m", "tests.engine.name_world", DELAY_S, DEAD_DELAY_S]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        web, names = map(int, process.stdout.readline().split())
        yield web, names
        process.stdin.close()


def resident_bytes() -> int:
    """Return the memory that this process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


async def fetched(folder: Path, wanted: list[str], names_port: int) -> tuple[float, int]:
    """Fetch all; return the seconds until the last living file, and the growth of memory after the first tenth."""
    settings = Settings(
        dir=str(folder), concurrent_downloads=AT_ONCE, dns_servers=f"127.0.0.1:{names_port}", ip_version="ipv4"
    )
    alive = sum(f".{DEAD}:" not in url for url in wanted)
    done, last_at, early_bytes = 0, 0.0, 0

    def hear(event: Event) -> None:
        nonlocal done, last_at, early_bytes
        if event.kind is EventKind.COMPLETED:
            done, last_at = done + 1, time.monotonic()
            if done == alive // 10:
                early_bytes = resident_bytes()

    async with AsyncDownloadEngine(settings, folder / "journal.db") as engine:
        engine.subscribe(hear)
        for start in range(0, len(wanted), BLOCK):
            block = wanted[start : start + BLOCK]
            await engine.add_many([NewTask(url, str(folder), url.rpartition("/")[2]) for url in block])
        began_at = time.monotonic()
        result = await engine.wait()
        growth_bytes = resident_bytes() - early_bytes
    assert (done, result.failed) == (alive, len(wanted) - alive)
    return last_at - began_at, growth_bytes


def new(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder


async def test_dead_names_slow_nobody(tmp_path: Path, world: tuple[int, int]) -> None:
    """Memory stays as it is, and the living files take hardly longer."""
    web, names = world
    mixed = urls(web, NAMES, each=2, dead_part=DEAD_PART)
    alive = [url for url in mixed if f".{DEAD}:" not in url]
    alone, among = [], []
    await fetched(new(tmp_path / "first"), urls(web, WARM_UP_NAMES, each=1, dead_part=0), names)
    for turn in range(ROUNDS):
        alone.append(await fetched(new(tmp_path / f"alone {turn}"), alive, names))
        among.append(await fetched(new(tmp_path / f"mixed {turn}"), mixed, names))
    (alone_s, _), (mixed_s, _) = min(alone), min(among)
    growth_bytes = max(growth for _, growth in among)
    print(  # noqa: T201  # figures to quote
        f"{len(mixed)} files on {NAMES} names: the {len(alive)} living alone {alone_s:.1f} s, with the dead"
        f" {mixed_s:.1f} s ({mixed_s / alone_s:.2f}); memory grew by {growth_bytes >> 20} MiB"
    )
    assert growth_bytes < MOST_GROWTH_BYTES
    assert mixed_s < MOST_RATIO * alone_s
