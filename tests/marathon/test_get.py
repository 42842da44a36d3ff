"""`tui-dl get` as a process: killed and signalled, the same command again goes on where it was."""

from __future__ import annotations

import random
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.rig import MIB, Engine, Server, require_no_lie, require_whole
from tui_dl.disk.locations import locations_under

if TYPE_CHECKING:
    from pathlib import Path

PER_FILE_BYTES: Final = 16 * MIB
LONGEST_STOP_S: Final = 2.0
INTERRUPTED: Final = 130


class Get(Engine):
    """`tui-dl get`, again and again with the same addresses."""

    def __init__(self, home: Path, urls: list[str]) -> None:
        super().__init__(home, journal=locations_under(home / "tui-dl-home").journal_file)
        self._urls = urls

    def command(self, *words: str) -> list[str]:
        """Return the command line, the same for each run."""
        options = ["--json", "--dir", str(self.folder), "--retry-delay", "0.05", "--max-retries", "20"]
        return [sys.executable, "-m", "tui_dl", "get", *options, *words, *self._urls]


@pytest.mark.parametrize(
    ("size_mib", "kills"), [pytest.param(2, 1, id="sample"), pytest.param(200, 30, marks=pytest.mark.marathon)]
)
def test_get_killed_at_random(tmp_path: Path, size_mib: int, kills: int) -> None:
    """Whatever kills it, the same command ends with all files whole, no other file, and little fetched twice."""
    dice = random.Random(kills)
    with Server(tmp_path, "--pace", "4e6", size_bytes=size_mib * MIB + 321, small=3) as server:
        with Get(tmp_path, server.urls) as get:
            for _ in range(kills):
                get.start()
                target = server.sent_bytes + dice.randrange(2 * size_mib * MIB // (kills + 1))
                if not get.watch(partial(server.has_sent, target)):
                    break
                get.kill()
                require_no_lie(get.folder, server)
            assert get.run() == 0, get.story
            require_whole(get.folder, server)
            summary = get.said("summary")[0]
            assert summary["failed"] == 0
        beyond_bytes = server.sent_bytes - server.total_bytes
        print(f"get: {kills} kills, {beyond_bytes / MIB:.2f} MiB fetched again")  # noqa: T201  # to quote
        assert beyond_bytes <= kills * PER_FILE_BYTES


@pytest.mark.parametrize(
    "number",
    [pytest.param(one, marks=pytest.mark.marathon) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)],
)
def test_get_signalled(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends it within 2 s; hardly a byte is fetched again afterwards."""
    with (
        Server(tmp_path, "--pace", "4e6", size_bytes=3 * MIB, small=1) as server,
        Get(tmp_path, server.urls) as get,
    ):
        get.start()
        assert get.watch(lambda: server.sent_bytes > MIB)
        took_s = get.signal(number)
        assert took_s <= LONGEST_STOP_S
        assert get.last_code == INTERRUPTED
        assert get.run() == 0, get.story
        require_whole(get.folder, server)
        assert server.sent_bytes <= server.total_bytes + MIB
        print(f"get: {number.name} took {took_s:.2f} s")  # noqa: T201  # to quote
