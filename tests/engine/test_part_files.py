"""A part file that was altered between two attempts: noticed, mended, or left alone; never believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine.stage import LARGE_BYTES, MIB, ended, half_done, is_whole, log_of, row, until
from tests.faults import Resource, first, tempers
from tui_dl.core.commands import Command, CommandName

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask

OLD = Resource(LARGE_BYTES)


def part_of(task: DownloadTask) -> Path:
    """Return the path of a task's part file."""
    return Path(task.part_path)


def overwrite(path: Path, offset: int, octets: bytes) -> None:
    """Change bytes in place."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(octets)


def cut(path: Path, length_bytes: int) -> None:
    """Cut or lengthen a file."""
    with path.open("r+b") as file:
        file.truncate(length_bytes)


async def stopped(engines: Engines, fault_server: FaultServer) -> DownloadTask:
    """Leave a half-fetched file and return its row."""
    _, task = await half_done(engines, fault_server, "/f.bin", OLD)
    engine = await engines(journal=engines.journal, concurrent_downloads=1)
    await engine.execute(Command(CommandName.PAUSE, (task.id,)))
    now = await row(engine, task)
    await engines.close(engine)
    return now


async def resumed(engines: Engines, task: DownloadTask) -> tuple[DownloadTask, str]:
    """Resume a paused task; return its row and log at the end."""
    engine = await engines(journal=engines.journal)
    await engine.execute(Command(CommandName.RESUME, (task.id,)))
    done = await ended(engine, task)
    return done, await log_of(engine, task)


async def test_an_altered_part_file_is_mended(engines: Engines, fault_server: FaultServer) -> None:
    """Only the extent whose sum differs is fetched again."""
    task = await stopped(engines, fault_server)
    before = fault_server.bytes_sent("/f.bin")
    overwrite(part_of(task), MIB + 1000, b"tampered")
    done, log = await resumed(engines, task)
    assert is_whole(done, OLD)
    assert "are not what was written" in log
    assert fault_server.bytes_sent("/f.bin") - before < LARGE_BYTES


async def test_a_truncated_part_file_is_mended(engines: Engines, fault_server: FaultServer) -> None:
    """What was cut off counts as not held."""
    task = await stopped(engines, fault_server)
    cut(part_of(task), MIB + 1)
    done, _ = await resumed(engines, task)
    assert is_whole(done, OLD)


async def test_a_lengthened_part_file_is_cut(engines: Engines, fault_server: FaultServer) -> None:
    """What somebody appended is no part of the file."""
    task = await stopped(engines, fault_server)
    cut(part_of(task), LARGE_BYTES)
    overwrite(part_of(task), LARGE_BYTES, b"more")
    done, _ = await resumed(engines, task)
    assert is_whole(done, OLD)


async def test_a_deleted_part_file_starts_over(engines: Engines, fault_server: FaultServer) -> None:
    """The row goes on from nothing, and the log says why."""
    task = await stopped(engines, fault_server)
    part_of(task).unlink()
    done, log = await resumed(engines, task)
    assert is_whole(done, OLD)
    assert "starts over" in log


async def test_a_part_file_replaced_by_a_link_is_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """What stands in its place is neither followed nor written."""
    task = await stopped(engines, fault_server)
    precious = engines.dir.parent / "precious"
    precious.write_bytes(b"mine")
    part_of(task).unlink()
    part_of(task).symlink_to(precious)
    done, _ = await resumed(engines, task)
    assert is_whole(done, OLD)
    assert precious.read_bytes() == b"mine"


async def test_an_empty_one_that_another_task_counts_on_is_left_to_it(
    engines: Engines, fault_server: FaultServer
) -> None:
    """Two tasks whose files have one name, the first cancelled before its first byte: both get their own file."""
    other = Resource(LARGE_BYTES, seed=2)
    urls = [
        fault_server.add("/a/f.bin", OLD, first(1, tempers.stall_after(0))),
        fault_server.add("/b/f.bin", other, first(1, tempers.stall_after(0))),
    ]
    engine = await engines(preallocate="off")
    tasks: list[DownloadTask] = []

    def has_part() -> bool:
        progress = engine.progress(tasks[-1].id)
        return progress is not None and bool(progress.task.part_path)

    for url in urls:
        tasks.append(task := await engine.add(url))
        await until(has_part)
        await engine.execute(Command(CommandName.CANCEL, (task.id,)))
    held = [part_of(await row(engine, task)) for task in tasks]
    assert [path.name for path in held] == ["f.bin.tui-dl.part", "f (1).bin.tui-dl.part"]
    assert [path.stat().st_size for path in held] == [0, 0]
    await engine.execute(Command(CommandName.RETRY, tuple(task.id for task in tasks)))
    done = [await ended(engine, task) for task in tasks]
    assert is_whole(done[0], OLD)
    assert is_whole(done[1], other)
