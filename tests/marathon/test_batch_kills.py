"""A long list killed ten times: at the end the folder, or its shards, and the journal agree exactly."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.batch_rig import ListGet, marathon_files
from tests.marathon.rig import Server

if TYPE_CHECKING:
    from pathlib import Path

KILLS: Final = 10
SAMPLE_FILES: Final = 50
SAMPLE_KILLS: Final = 1
START_SHARE: Final = 0.25
"""Kills that come while the program starts and reads its list."""
LONGEST_START_S: Final = 1.5
LOOKED_AT: Final = 200
"""Files that are looked at after each kill."""
SOME_FAILED: Final = 1
PATIENCE_S: Final = 600.0


def _kill_often(get: ListGet, dice: random.Random, kills: int) -> None:
    """Kill the command so many times, mostly at random bytes, and start it again each time."""
    step_bytes = get.server.total_bytes / (kills + 1)
    get.start()
    for _ in range(kills):
        if dice.random() < START_SHARE:
            get.watch(lambda: False, dice.uniform(0, LONGEST_START_S))
        else:
            target = get.server.sent_bytes + step_bytes * dice.random()
            get.watch(lambda target=target: get.server.sent_bytes > target, PATIENCE_S)  # type: ignore[misc]  # bound now
        assert get.process is not None
        assert get.process.poll() is None, get.story
        get.kill()
        get.require_no_lie(LOOKED_AT)
        get.start()


@pytest.mark.parametrize("sink", ["folder", "shards"])
@pytest.mark.parametrize(
    ("files", "kills"),
    [
        pytest.param(SAMPLE_FILES, SAMPLE_KILLS, id="sample"),
        pytest.param(0, KILLS, id="marathon", marks=pytest.mark.marathon),
    ],
)
def test_a_batch_killed_at_random(tmp_path: Path, sink: str, files: int, kills: int) -> None:
    """No file twice, none missing, none half, and nothing else in the folder; what failed is in neither."""
    files = files or marathon_files()
    options = ("--shards", str(max(1, files // 7))) if sink == "shards" else ()
    with (
        Server(tmp_path, small=files, small_bytes=16 * 1024) as server,
        ListGet(tmp_path, server, *options, twins=files // 50, gone=max(1, files // 200)) as get,
    ):
        _kill_often(get, random.Random(files), kills)
        assert get.end(PATIENCE_S) == SOME_FAILED, get.story
        get.require_agreement()
        beyond_bytes = server.sent_bytes - server.total_bytes * (1 + 1 / 50)
        print(f"{sink}: {files} files, {kills} kills, {beyond_bytes / (1 << 20):.2f} MiB fetched again")  # noqa: T201  # to quote
