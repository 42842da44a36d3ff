"""`ls` beside a session: speeds and bytes of what runs, and the table redrawn in place."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.session_stage import Stage
from tui_dl.cli import watching
from tui_dl.cli.listing import row_lines, row_objects
from tui_dl.cli.live_numbers import NOTHING_LIVE, LiveNumbers, live_numbers
from tui_dl.cli.main import run
from tui_dl.cli.terminal import Terminal
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask
from tui_dl.disk.locations import locations_under
from tui_dl.session.lock import SessionLock
from tui_dl.session.paths import SocketPaths, lock_file_in

if TYPE_CHECKING:
    import pytest

TASK = DownloadTask(id=7, url="http://h/a", dir="/d", filename="a", total_bytes=None, host="h")
LIVE = LiveNumbers(
    {7: {"downloaded_bytes": 512, "total_bytes": 1024, "status": "downloading", "speed_bps": 2048.0, "eta_s": 61.0}}
)


def test_what_runs_has_its_numbers() -> None:
    """Columns for speed and time left where something runs; the fields of a pipe stay the same ones."""
    head, line = row_lines([[TASK]], 120, LIVE)
    assert head.split() == ["ID", "STATUS", "SIZE", "DONE", "SPEED", "LEFT", "NAME", "HOST", "WHY"]
    assert line.split() == ["7", "downloading", "1.00", "KiB", "50", "%", "2.00", "KiB/s", "1:01", "a", "h"]
    assert [*row_lines([[TASK]], None, LIVE)] == ["7\tdownloading\t512\t1024\t\ta\thttp://h/a"]
    assert next(iter(row_lines([[TASK]], 120))).split() == ["ID", "STATUS", "SIZE", "DONE", "NAME", "HOST", "WHY"]


def test_programs_have_them_too() -> None:
    """The journal's count of a download under way is of its last state: 0 for one that was never interrupted."""
    (line,) = map(json.loads, row_objects([[TASK]], LIVE))
    known = {name: line.get(name) for name in ("status", "downloaded_bytes", "total_bytes", "speed_bps", "eta_s")}
    assert known == {**LIVE.rows[7]}
    (line,) = map(json.loads, row_objects([[TASK]]))
    assert "speed_bps" not in line


async def test_it_asks_the_session_that_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in hand there is laid over the rows."""
    async with Stage(home) as stage:
        await stage.type("add", stage.held_file())
        while (await stage.tasks())[0].total_bytes is None:  # noqa: ASYNC110  # pulled, nobody tells
            await asyncio.sleep(0.01)
        live = await asyncio.to_thread(live_numbers, locations_under(home))
        assert (live.rows[1]["total_bytes"], live.counts["downloading"]) == (1 << 20, 1)
        capsys.readouterr()
        assert await stage.type("ls") == 0
        assert capsys.readouterr().out.startswith("1\tdownloading\t")
        assert await stage.type("ls", "--json") == 0
        assert "speed_bps" in json.loads(capsys.readouterr().out)
    assert live_numbers(locations_under(home)).counts == {}


def test_a_session_that_hangs_holds_up_no_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and never answers; what the journal has is listed all the same."""
    monkeypatch.setattr("tui_dl.cli.live_numbers.ANSWER_S", 0.1)
    lock = SessionLock.take(lock_file_in(home / "data"))
    assert lock is not None
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(f"{folder}/r")
        deaf.listen()
        lock.write(SocketPaths(Path(folder) / "a", Path(folder) / "r"), "1")
        assert live_numbers(locations_under(home)) == NOTHING_LIVE
    lock.release()


async def test_the_table_is_redrawn_in_place(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What changed alone is written, and Ctrl+C ends it."""
    monkeypatch.setattr(
        watching, "terminal_of", lambda _stream: Terminal(lambda: (80, 10), has_colour=False, has_utf8=True)
    )
    async with Stage(home) as stage:
        await stage.type("add", "--paused", stage.held_file())
        turns = 0

        def pause(_seconds: float) -> None:
            nonlocal turns
            turns += 1
            if turns == 2:
                run(["pause", "1"])
            if turns == 4:
                raise KeyboardInterrupt

        capsys.readouterr()
        watch = partial(watching.watch, locations_under(home), TaskQuery(), None, pause=pause)
        assert await asyncio.to_thread(watch) == 0
        out = capsys.readouterr().out
        assert out.count("held.bin") == 1
        assert "1 paused" in out
        assert (await stage.tasks())[0].status is Status.PAUSED


def test_watching_needs_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """And no other form."""
    assert run(["ls", "--watch"]) == 2
    assert "redraws a terminal" in capsys.readouterr().err
    assert run(["ls", "--watch", "--json"]) == 2
