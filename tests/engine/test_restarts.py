"""Quitting and starting again: the same queue, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from typing import TYPE_CHECKING

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, half_done, is_whole, log_of, received, row, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine import holding

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask

LARGE = Resource(LARGE_BYTES)
SMALL = Resource(20_000)


async def test_the_queue_goes_on(engines: Engines, fault_server: FaultServer) -> None:
    """Running, queued, failed and paused rows are what they were, and the unfinished ones are fetched."""
    engine = await engines(journal=engines.journal, concurrent_downloads=1, max_retries=0)
    failed = await fetch(engine, fault_server.add("/failed.bin", SMALL, lies.status(404)))
    running = await engine.add(fault_server.add("/running.bin", LARGE, tempers.stall_after(MIB)))
    queued = [await engine.add(fault_server.add(f"/{number}.bin", Resource(5000, number))) for number in range(5)]
    await engine.execute(Command(CommandName.PAUSE, (queued[0].id,)))
    await until(lambda: received(engine, running) >= MIB)
    await engines.close(engine)
    fault_server.script("/running.bin")

    engine = await engines(journal=engines.journal)
    result = await engine.wait([running, *queued[1:]])
    assert result.success == 5
    assert is_whole(await row(engine, running), LARGE)
    assert (await row(engine, queued[0])).status is Status.PAUSED
    assert (await row(engine, failed)).reason is Reason.NOT_FOUND
    assert fault_server.bytes_sent("/running.bin") < LARGE_BYTES + MIB


async def test_options_and_headers_survive(engines: Engines, fault_server: FaultServer) -> None:
    """What was asked for a task is asked again."""
    options = TaskOptions(connections=1, headers=(("X-Token", "t"),))
    _, task = await half_done(engines, fault_server, "/f.bin", LARGE, options=options)
    engine = await engines(journal=engines.journal)
    done = await ended(engine, task)
    assert done.options == options
    assert [log.headers["x-token"] for log in fault_server.requests] == ["t", "t"]


async def test_a_waiting_task_waits_no_longer_after_a_restart(engines: Engines, fault_server: FaultServer) -> None:
    """It goes back to the queue and is tried at once."""
    engine = await engines(journal=engines.journal, retry_delay=500.0, max_retry_delay=500.0)
    task = await engine.add(fault_server.add("/f.bin", SMALL, lies.status(500)))
    await until(lambda: task.id in engine.snapshot().live and engine.snapshot().live[task.id].task.due_at)
    await engines.close(engine)
    fault_server.script("/f.bin")
    engine = await engines(journal=engines.journal)
    assert is_whole(await ended(engine, task), SMALL)


async def test_a_completed_address_is_not_fetched_again(engines: Engines, fault_server: FaultServer) -> None:
    """Added once more after a restart it is its old row."""
    url = fault_server.add("/f.bin", SMALL)
    engine = await engines(journal=engines.journal)
    task = await fetch(engine, url)
    await engines.close(engine)
    engine = await engines(journal=engines.journal)
    assert (await engine.add(url)).id == task.id
    await engine.wait()
    assert len(fault_server.requests) == 1


def copied(journal: Path, to: Path) -> None:
    """Copy a journal in use, as it is at this instant."""
    to.parent.mkdir(exist_ok=True)
    source, target = sqlite3.connect(journal), sqlite3.connect(to)
    with target:
        source.backup(target)
    source.close()
    target.close()


async def test_a_file_whose_record_was_lost_is_not_fetched_twice(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between the rename and its record: the file is known by its sums, and completed in its place."""
    task, before = await _crash_after_rename(engines, fault_server, monkeypatch)
    engine = await engines(journal=before)
    done = await ended(engine, task)
    assert is_whole(done, LARGE)
    assert engines.names() == ["f.bin"]
    assert len(fault_server.requests) == 1


async def test_another_file_in_its_place_is_not_taken_for_it(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sums decide, not name and length."""
    task, before = await _crash_after_rename(engines, fault_server, monkeypatch)
    engines.path("f.bin").write_bytes(bytes(LARGE_BYTES))
    engine = await engines(journal=before)
    done = await ended(engine, task)
    assert is_whole(done, LARGE)
    assert engines.names() == ["f (1).bin", "f.bin"]
    assert "starts over" in await log_of(engine, task)


async def _crash_after_rename(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> tuple[DownloadTask, Path]:
    """Complete a file; return its row and a journal as it was just before the completion was recorded."""
    before = engines.journal.parent / "crashed" / "journal.db"
    real = holding.Holding.complete

    async def recorded(self: holding.Holding, path: str) -> None:
        await asyncio.to_thread(copied, engines.journal, before)
        await real(self, path)

    monkeypatch.setattr(holding.Holding, "complete", recorded)
    engine = await engines(journal=engines.journal)
    task = await fetch(engine, fault_server.add("/f.bin", LARGE))
    await engines.close(engine)
    monkeypatch.setattr(holding.Holding, "complete", real)
    return task, before


async def test_a_part_file_of_another_process_is_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Two engines on copies of one journal never write one part file."""
    engine = await engines(journal=engines.journal)
    task = await engine.add(fault_server.add("/f.bin", LARGE, tempers.stall_after(MIB)))
    await until(lambda: received(engine, task) >= MIB)
    await engine.context.journal.flush()
    other = engines.journal.parent / "other" / "journal.db"
    await asyncio.to_thread(copied, engines.journal, other)
    second = await engines(journal=other)
    refused = await ended(second, task)
    assert (refused.status, refused.reason) == (Status.FAILED, Reason.PART_BUSY)
    fault_server.release()
    assert is_whole(await ended(engine, task), LARGE)


async def test_a_removed_folder_is_made_anew_for_a_queue_that_goes_on(
    engines: Engines, fault_server: FaultServer
) -> None:
    """Nothing of the file is left, so nothing of it is believed."""
    _, task = await half_done(engines, fault_server, "/f.bin", LARGE)
    shutil.rmtree(engines.dir)
    engine = await engines(journal=engines.journal)
    assert is_whole(await ended(engine, task), LARGE)


async def test_many_restarts_in_a_row_end_with_the_file(engines: Engines, fault_server: FaultServer) -> None:
    """However often it is stopped, each byte is fetched about once."""
    url = fault_server.add("/f.bin", LARGE, tempers.stall_after(400_000))
    task = None
    for _ in range(6):
        engine = await engines(journal=engines.journal)
        task = await engine.add(url)
        await fault_server.wait_for(lambda: fault_server.stalled("/f.bin"))
        await engines.close(engine)
        await fault_server.wait_for(lambda: not fault_server.active_requests)
    fault_server.script("/f.bin")
    engine = await engines(journal=engines.journal)
    assert task is not None
    assert is_whole(await ended(engine, task), LARGE)
    assert fault_server.bytes_sent("/f.bin") <= LARGE_BYTES + 7 * (64 * 1024 + 400_000)
