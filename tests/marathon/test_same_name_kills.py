"""A list whose addresses all want one name, killed ten times: each has its own file, once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.batch_rig import ListGet, marathon_files
from tests.marathon.rig import Server

if TYPE_CHECKING:
    from pathlib import Path

KILLS: Final = 10
SOME_FAILED: Final = 1
PATIENCE_S: Final = 600.0


@pytest.mark.marathon
@pytest.mark.parametrize("policy", ["--skip-existing", "--rename", "--overwrite"])
def test_one_name_for_all_killed_at_random(tmp_path: Path, policy: str) -> None:
    """Numbers that were given and not recorded would leave files that no row knows."""
    files, dice = marathon_files(5_000), random.Random(policy)
    with (
        Server(tmp_path, small=files, small_bytes=16 * 1024) as server,
        ListGet(tmp_path, server, policy, "--name-template", "image.bin", twins=0, gone=10) as get,
    ):
        step_bytes = server.total_bytes / (KILLS + 1)
        get.start()
        for _ in range(KILLS):
            target = server.sent_bytes + step_bytes * dice.random()
            get.watch(lambda target=target: server.sent_bytes > target, PATIENCE_S)  # type: ignore[misc]  # bound now
            assert get.process is not None
            assert get.process.poll() is None, get.story
            get.kill()
            get.start()
        assert get.end(PATIENCE_S) == SOME_FAILED, get.story
        get.require_agreement()
        assert max(path.name for path in get.folder.iterdir()) == "image.bin"
