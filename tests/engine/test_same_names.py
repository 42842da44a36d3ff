"""Many addresses of one name: each gets a file of its own, once, also after a kill."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, ended, fetch, is_whole, received, until
from tests.faults import Resource, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.filename import numbered
from tui_dl.core.status import Status
from tui_dl.core.task import OnExists, TaskOptions
from tui_dl.engine.targets import FEW_LOOKS
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

POLICIES = pytest.mark.parametrize("policy", [OnExists.SKIP, OnExists.RENAME, OnExists.OVERWRITE], ids=str)
COUNT = 3 * FEW_LOOKS


def _resources(count: int) -> list[Resource]:
    return [Resource(1000 + number, number) for number in range(count)]


async def _add_all(
    engine: AsyncDownloadEngine, folder: Path, urls: Sequence[str], policy: OnExists
) -> list[DownloadTask]:
    options = TaskOptions(on_exists=policy)
    return await engine.add_many([checked_task(url, str(folder), "", options) for url in urls], batch="list.txt")


def _require_all(tasks: Sequence[DownloadTask], resources: Sequence[Resource], engines: Engines) -> None:
    assert Counter(task.status for task in tasks) == {Status.COMPLETED: len(resources)}
    assert all(is_whole(task, resource) for task, resource in zip(tasks, resources, strict=True))
    assert len(engines.names()) == len(resources) == len({task.path for task in tasks})


@POLICIES
@pytest.mark.parametrize("at_once", [1, 20])
async def test_each_address_of_one_name_has_its_own_file(
    engines: Engines, fault_server: FaultServer, policy: OnExists, at_once: int
) -> None:
    """None is skipped, none replaced, whichever policy holds for what was there before."""
    resources = _resources(COUNT)
    urls = [fault_server.add(f"/{number}/image.jpg", one) for number, one in enumerate(resources)]
    engine = await engines(concurrent_downloads=at_once)
    tasks = await _add_all(engine, engines.dir, urls, policy)
    _require_all([await ended(engine, task) for task in tasks], resources, engines)
    assert engines.names() == sorted(numbered("image.jpg", number) for number in range(COUNT))


@POLICIES
async def test_a_second_run_after_one_that_was_cut_off_doubles_nothing(
    engines: Engines, fault_server: FaultServer, policy: OnExists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files have their names, the journal missed it: their rows know which names they went for."""
    resources = _resources(COUNT)
    urls = [fault_server.add(f"/{number}/image.jpg", one) for number, one in enumerate(resources)]
    engine = await engines(journal=engines.journal, concurrent_downloads=20)

    half = COUNT // 2
    for task in await _add_all(engine, engines.dir, urls[:half], policy):
        await ended(engine, task)
    # From here on no end is recorded, as where the process is killed between the naming and the record of it.
    may_go_on = asyncio.Event()

    async def hang(*_: object) -> None:
        await may_go_on.wait()

    monkeypatch.setattr(engine.context.small_files, "_on_committed", hang)
    await _add_all(engine, engines.dir, urls[half:], policy)
    await until(lambda: len(engines.names()) > half)
    left = set(engines.names())
    with closing(sqlite3.connect(engines.journal)) as killed, closing(sqlite3.connect(f"{engines.journal}-2")) as copy:
        killed.backup(copy)
    may_go_on.set()
    await engines.close(engine)
    for name in set(engines.names()) - left:
        engines.path(name).unlink()

    engine = await engines(journal=Path(f"{engines.journal}-2"), concurrent_downloads=20)
    tasks = await _add_all(engine, engines.dir, urls, policy)
    _require_all([await ended(engine, task) for task in tasks], resources, engines)


async def test_a_number_is_recorded_before_the_first_byte(engines: Engines, fault_server: FaultServer) -> None:
    """What the journal does not know when the process is killed would be fetched twice."""
    fault_server.add("/1/f.bin", Resource(50_000), tempers.stall_after(1000))
    engine = await engines(journal=engines.journal)
    tasks = [await engine.add(fault_server.url("/1/f.bin"))]
    await fault_server.wait_for(lambda: fault_server.stalled("/1/f.bin"))
    tasks.append(await engine.add(fault_server.add("/2/f.bin", Resource(50_000, 2), tempers.stall_after(1000))))
    await until(lambda: received(engine, tasks[1]))
    recorded = await engine.context.journal.rows([task.id for task in tasks])
    assert [task.filename for task in recorded] == ["f.bin", "f (1).bin"]
    fault_server.release()
    for task in tasks:
        await ended(engine, task)
    assert engines.names() == ["f (1).bin", "f.bin"]


async def test_an_overwrite_replaces_what_was_there_and_spares_the_batch(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The old file goes, the files of the others stay."""
    engines.dir.mkdir()
    engines.path("f.bin").write_bytes(b"old")
    os.utime(engines.path("f.bin"))
    resources = _resources(3)
    urls = [fault_server.add(f"/{number}/f.bin", one) for number, one in enumerate(resources)]
    engine = await engines(concurrent_downloads=1)
    tasks = await _add_all(engine, engines.dir, urls, OnExists.OVERWRITE)
    _require_all([await ended(engine, task) for task in tasks], resources, engines)
    assert engines.names() == ["f (1).bin", "f (2).bin", "f.bin"]


async def test_names_alike_are_told_apart_where_the_folder_cannot(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tasks at work never go for names that the file system takes for one."""
    monkeypatch.setattr("tui_dl.engine.targets.is_case_blind", lambda _: True)
    urls = [
        fault_server.add(f"/{path}", Resource(1000, seed), tempers.stall_after(10))
        for seed, path in enumerate(("A.jpg", "a.jpg", "a.JPG"))
    ]
    engine = await engines()
    tasks = [await engine.add(url) for url in urls]
    await fault_server.wait_for(lambda: all(fault_server.stalled(path) for path in ("/A.jpg", "/a.jpg", "/a.JPG")))
    fault_server.release()
    names = {(await ended(engine, task)).filename.casefold() for task in tasks}
    assert names == {"a.jpg", "a (1).jpg", "a (2).jpg"}


async def test_case_counts_where_the_folder_tells_names_apart(engines: Engines, fault_server: FaultServer) -> None:
    """A number that is not needed is not added."""
    urls = [
        fault_server.add(f"/{path}", Resource(1000, seed), tempers.stall_after(10))
        for seed, path in enumerate(("A.jpg", "a.jpg"))
    ]
    engine = await engines()
    tasks = [await engine.add(url) for url in urls]
    await fault_server.wait_for(lambda: all(fault_server.stalled(path) for path in ("/A.jpg", "/a.jpg")))
    fault_server.release()
    for task in tasks:
        await ended(engine, task)
    assert engines.names() == ["A.jpg", "a.jpg"]


async def test_a_failed_task_gives_its_name_back(engines: Engines, fault_server: FaultServer) -> None:
    """Only a file keeps a name."""
    engine = await engines(max_retries=0, concurrent_downloads=1)
    failed = await fetch(engine, fault_server.add("/1/f.bin", Resource(5000), tempers.drop_after(10)))
    task = await fetch(engine, fault_server.add("/2/f.bin", Resource(5000, 2)))
    assert (failed.status, task.filename) == (Status.FAILED, "f.bin")


async def test_a_template_places_what_the_library_adds(engines: Engines, fault_server: FaultServer) -> None:
    """Folders are made with the first file that goes there."""
    engine = await engines(name_template="{path}/{stem}.{ext}")
    task = await fetch(engine, fault_server.add("/a/b/f.bin", Resource(100)))
    assert Path(task.path) == engines.dir / "a" / "b" / "f.bin"
    missing = await fetch(engine, fault_server.url("/c/d/f.bin"))
    assert missing.status is Status.FAILED
    assert engines.names() == ["a"]


async def test_a_cancel_takes_the_folders_with_it_that_we_made(engines: Engines, fault_server: FaultServer) -> None:
    """Those that hold something, and those of others, stay."""
    engines.dir.mkdir()
    engines.path("theirs").mkdir()
    engine = await engines(name_template="{path}/{name}")
    urls = [
        fault_server.add(f"/{path}/f.bin", Resource(LARGE_BYTES), tempers.stall_after(1000))
        for path in ("a/b", "a/c", "theirs")
    ]
    tasks = [await engine.add(url) for url in urls]
    await until(lambda: all(received(engine, task) for task in tasks))
    done = await fetch(engine, fault_server.add("/a/c/small.bin", Resource(100)))
    await engine.execute(Command(CommandName.DELETE_PART, ids=tuple(task.id for task in tasks)))
    assert sorted(str(one.relative_to(engines.dir)) for one in engines.dir.rglob("*")) == [
        "a",
        "a/c",
        "a/c/small.bin",
        "theirs",
    ]
    assert done.status is Status.COMPLETED
    again = await fetch(engine, fault_server.add("/a/b/g.bin", Resource(100)))
    assert again.path == str(engines.path("a") / "b" / "g.bin")
