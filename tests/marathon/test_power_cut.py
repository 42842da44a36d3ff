"""Power cuts at random instants: nothing acknowledged is lost, no final name lies, little is fetched twice."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.grounds import PowerlessDisk, needs_root
from tests.marathon.rig import MIB, Engine, Server, require_no_lie, require_whole

if TYPE_CHECKING:
    from pathlib import Path

SIZE_BYTES: Final = 96 * MIB
SMALL: Final = 60
PACE_BPS: Final = 3e6
CONNECTIONS: Final = 8
MOST_LOST_BYTES: Final = 64 * MIB
SETTINGS: Final = ("retry_delay=0.05", "max_retries=50", f"connections={CONNECTIONS}", "concurrent_downloads=4")
LONGEST_S: Final = 3.0
"""Cuts fall within this time from the start of a run."""


def cut_at_random(disk: PowerlessDisk, engine: Engine, dice: random.Random) -> set[str]:
    """Cut the power at a random instant of the run; return the names that were said to be completed."""
    engine.watch(lambda: False, LONGEST_S * dice.random() ** 2)
    disk.cut()
    said = {str(line["path"]).rpartition("/")[2] for line in engine.said("completed")}
    if engine.process is not None:
        engine.kill()
    disk.restore()
    return said


@pytest.mark.marathon
@needs_root
@pytest.mark.parametrize("seed", range(4))
def test_power_cut(tmp_path: Path, seed: int) -> None:
    """After each of ten cuts all acknowledged rows are there and all files said to be completed are whole."""
    dice = random.Random(seed)
    cuts, worst_bytes, lost_bytes = 0, 0, 0
    started_at = time.monotonic()
    with (
        Server(tmp_path, "--pace", str(PACE_BPS), size_bytes=SIZE_BYTES, small=SMALL) as server,
        PowerlessDisk(tmp_path, 320 * MIB) as disk,
        Engine(tmp_path, *SETTINGS, journal=disk.path / "journal.db", folder=disk.path / "downloads") as engine,
    ):
        acknowledged: set[str] = set()
        completed: set[str] = set()
        for _ in range(10):
            engine.start(*(url for url in server.urls if url not in acknowledged))
            completed |= cut_at_random(disk, engine, dice)
            cuts += 1
            acknowledged |= {line["url"] for line in engine.said("acknowledged")}
            engine.folder.mkdir(exist_ok=True)
            require_no_lie(engine.folder, server)
            missing = completed - {one.name for one in engine.folder.iterdir()}
            assert not missing, f"said to be completed and gone: {missing}"
            finished = [size for name, (_, size) in server.contents.items() if (engine.folder / name).exists()]
            now_lost = server.sent_bytes - sum(finished) - engine.held_bytes() - lost_bytes
            worst_bytes = max(worst_bytes, now_lost)
            lost_bytes += now_lost
        assert engine.run(*(url for url in server.urls if url not in acknowledged)) == 0, engine.story
        rows = engine.said("rows")[0]["rows"]
        assert sorted(row["url"] for row in rows) == sorted(server.urls)
        require_whole(engine.folder, server)
        beyond_bytes = server.sent_bytes - server.total_bytes
        print(  # noqa: T201  # figures to quote
            f"{cuts} power cuts in {time.monotonic() - started_at:.0f} s: {len(acknowledged)} rows and "
            f"{len(completed)} files acknowledged, none lost; {beyond_bytes / MIB:.1f} MiB fetched again in all, "
            f"claimed and lost at worst {worst_bytes / MIB:.1f} MiB"
        )
        assert beyond_bytes <= cuts * MOST_LOST_BYTES
