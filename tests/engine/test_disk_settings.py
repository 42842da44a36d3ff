"""Settings of the disk, seen in finished files: order, room, time, origin, and waiting for room."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, half_done, is_whole, row, until
from tests.faults import Resource, tempers
from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status
from tui_dl.disk import allocating
from tui_dl.disk.space import Space
from tui_dl.engine import room, watermark

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)
SIZES = pytest.mark.parametrize("resource", [SMALL, LARGE], ids=["small", "large"])
CHANGED_AT = 1_700_000_000.0
"""Last-Modified of the server's files."""
GIB = 1 << 30


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Give the free bytes of every disk, for a test to change; looks and waits are quick."""
    free = {"bytes": 50 * GIB}
    monkeypatch.setattr(watermark, "space_of", lambda _path: Space(1, free["bytes"], 100 * GIB))
    monkeypatch.setattr(watermark, "LOOK_EVERY_S", 0.01)
    for module in ("retrying", "waiting"):
        monkeypatch.setattr(f"tui_dl.engine.{module}.LOCAL_WAIT_S", 0.02)
    return free


# -- order -------------------------------------------------------------------------------------------------------------


async def test_sequential_part_files_are_a_beginning(engines: Engines, fault_server: FaultServer) -> None:
    """At every moment `NAME.part` holds the first bytes and no hole, from one connection."""
    url = fault_server.add("/film.mkv", LARGE, tempers.stall_after(2 * MIB))
    engine = await engines(sequential=True)
    task = await engine.add(url)
    await until(lambda: engines.path("film.mkv.part").exists() and engines.path("film.mkv.part").stat().st_size)
    await fault_server.wait_for(lambda: fault_server.stalled("/film.mkv"))
    beginning = await asyncio.to_thread(engines.path("film.mkv.part").read_bytes)
    assert beginning == LARGE.slice(0, LARGE_BYTES).read(0, len(beginning))
    assert fault_server.max_concurrent("/film.mkv") == 1
    fault_server.script("/film.mkv")
    fault_server.release()
    assert is_whole(await ended(engine, task), LARGE)


async def test_a_sequential_file_goes_on_where_it_was(engines: Engines, fault_server: FaultServer) -> None:
    """As any other, and in order still."""
    _, task = await half_done(engines, fault_server, "/film.mkv", LARGE, sequential=True)
    assert task.options.is_ordered
    engine = await engines(journal=engines.journal)
    before = fault_server.bytes_sent("/film.mkv")
    assert is_whole(await ended(engine, task), LARGE)
    assert fault_server.bytes_sent("/film.mkv") - before < 2 * MIB


# -- room --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preallocate", "is_taken"), [("auto", True), ("off", False)])
async def test_room_is_taken_before_the_first_byte(
    engines: Engines, fault_server: FaultServer, preallocate: str, is_taken: bool
) -> None:
    """The part file has all its blocks while it has hardly a byte; its length claims nothing."""
    resource = Resource(64 * MIB)
    url = fault_server.add("/f.bin", resource, tempers.stall_after(300_000))
    engine = await engines(preallocate=preallocate, connections=1)  # a further one would write far behind the first
    await engine.add(url)
    part = engines.path("f.bin.tui-dl.part")
    await until(lambda: part.exists() and part.stat().st_size)
    facts = await asyncio.to_thread(part.stat)
    if is_taken and not facts.st_blocks:
        pytest.skip("this file system cannot reserve")
    assert facts.st_size < MIB
    assert (facts.st_blocks * 512 >= resource.size_bytes) is is_taken


@pytest.mark.parametrize("sequential", [False, True], ids=["scattered", "ordered"])
async def test_the_journal_knows_a_part_file_before_its_room_is_taken(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, sequential: bool
) -> None:
    """Killed while room is taken, which may last, the next start finds the file instead of making another."""
    known: list[tuple[str]] = []

    def take(_fd: int, _length_bytes: int) -> None:
        with closing(sqlite3.connect(engines.journal)) as journal:
            known.extend(journal.execute("SELECT part_path FROM tasks"))

    monkeypatch.setattr(allocating, "_taker", lambda: take)
    url = fault_server.add("/f.bin", LARGE)
    assert is_whole(await fetch(await engines(journal=engines.journal, sequential=sequential), url), LARGE)
    assert known == [(str(engines.path("f.bin.part" if sequential else "f.bin.tui-dl.part")),)]


async def test_where_there_is_no_room_nothing_of_the_part_file_stays(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row waits, with neither a file nor the path of one, and goes on by itself when there is room."""
    is_full = True

    def take(_fd: int, _length_bytes: int) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(allocating, "_taker", lambda: take)
    for module in ("retrying", "waiting"):
        monkeypatch.setattr(f"tui_dl.engine.{module}.LOCAL_WAIT_S", 0.02)
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", LARGE))
    await until(lambda: engine.scheduler.waiting)
    waiting = await row(engine, task)
    assert (waiting.reason, waiting.part_path) == (Reason.DISK_FULL, "")
    assert await asyncio.to_thread(os.listdir, engines.dir) == []
    is_full = False
    assert is_whole(await ended(engine, task), LARGE)


async def test_a_low_disk_stops_what_runs_and_it_goes_on(
    engines: Engines, fault_server: FaultServer, free: dict[str, int]
) -> None:
    """It waits with the reason and a notice, holds no slot, and goes on by itself where it was."""
    url = fault_server.add("/f.bin", LARGE, tempers.pace(4e6))
    engine = await engines()
    task = await engine.add(url)
    await until(lambda: engines.path("f.bin.tui-dl.part").exists())
    free["bytes"] = MIB
    await until(lambda: engine.scheduler.waiting)
    waiting = await row(engine, task)
    assert (waiting.status, waiting.reason, waiting.retry_count) == (Status.WAITING, Reason.LOW_SPACE, 0)
    assert "are to stay free" in waiting.reason_text
    assert any("low on space" in notice for notice in engine.snapshot().notices)
    assert engine.scheduler.slots_in_use == 0
    free["bytes"] = 50 * GIB
    assert is_whole(await ended(engine, task), LARGE)
    assert engine.snapshot().notices == ()


async def test_nothing_is_asked_for_while_a_disk_is_low(
    engines: Engines, fault_server: FaultServer, free: dict[str, int]
) -> None:
    """A queue waits in the queue: no request, no row that waits, and all of it goes on with the room."""
    free["bytes"] = 0
    engine = await engines(concurrent_downloads=2)
    urls = [fault_server.add(f"/{index}.bin", SMALL) for index in range(20)]
    tasks = [await engine.add(url) for url in urls]
    await until(lambda: engine.snapshot().notices)
    assert fault_server.requests == []
    assert len(engine.scheduler.waiting) <= 2
    free["bytes"] = GIB
    for task in tasks:
        assert is_whole(await ended(engine, task), SMALL)


async def test_what_cannot_fit_lets_others_go_first(
    engines: Engines, fault_server: FaultServer, free: dict[str, int]
) -> None:
    """The large file waits before it begins and holds no slot; the small one behind it ends; then there is room."""
    free["bytes"] = 512 * MIB + 2 * MIB
    engine = await engines(concurrent_downloads=1)
    large = await engine.add(fault_server.add("/large.bin", LARGE))
    small = await engine.add(fault_server.add("/small.bin", SMALL))
    assert is_whole(await ended(engine, small), SMALL)
    waiting = await row(engine, large)
    assert (waiting.status, waiting.reason) == (Status.WAITING, Reason.LOW_SPACE)
    assert "large.bin needs 3 MiB more" in waiting.reason_text
    assert engines.names() == ["small.bin"]
    free["bytes"] = GIB
    assert is_whole(await ended(engine, large), LARGE)


async def test_many_that_do_not_fit_are_not_all_asked_for(
    engines: Engines, fault_server: FaultServer, free: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a few wait for room, the rest of the queue asks no server."""
    monkeypatch.setattr(room, "MOST_WAITING", 3)
    free["bytes"] = 512 * MIB + MIB
    engine = await engines(concurrent_downloads=1)
    urls = [fault_server.add(f"/{index}.bin", LARGE) for index in range(6)]
    tasks = [await engine.add(url) for url in urls]
    await until(lambda: len(engine.scheduler.waiting) == 3)
    beside = await fetch(engine, fault_server.add("/beside.bin", Resource(1000)), dir=str(engines.dir / "beside"))
    assert beside.status is Status.COMPLETED, "the queue was gone through beyond those that are left alone"
    assert len({log.path for log in fault_server.requests} - {"/beside.bin"}) == 3
    free["bytes"] = GIB
    for task in tasks:
        assert is_whole(await ended(engine, task), LARGE)


async def test_a_paused_wait_for_room_is_paused(
    engines: Engines, fault_server: FaultServer, free: dict[str, int]
) -> None:
    """Quitting while it waits leaves it in the queue for the next start."""
    free["bytes"] = 0
    engine = await engines(journal=engines.journal)
    task = await engine.add(fault_server.add("/f.bin", LARGE))
    await until(lambda: engine.snapshot().notices)
    await engines.close(engine)
    free["bytes"] = GIB
    engine = await engines(journal=engines.journal)
    assert is_whole(await ended(engine, task), LARGE)


# -- time and origin ---------------------------------------------------------------------------------------------------


async def modified_at(engines: Engines, url: str, **settings: Any) -> float:
    """Fetch an address and return its file's time."""
    task = await fetch(await engines(**settings), url)
    assert task.status is Status.COMPLETED
    return (await asyncio.to_thread(os.stat, task.path)).st_mtime


@SIZES
async def test_remote_time_is_the_servers(engines: Engines, fault_server: FaultServer, resource: Resource) -> None:
    """Set before the file has its name, small or large."""
    assert await modified_at(engines, fault_server.add("/f.bin", resource), remote_time=True) == CHANGED_AT


@SIZES
async def test_the_time_is_that_of_the_download_unasked(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Off by default."""
    assert await modified_at(engines, fault_server.add("/f.bin", resource)) > CHANGED_AT + 1e6


async def test_a_time_yet_to_come_is_not_taken(engines: Engines, fault_server: FaultServer) -> None:
    """A server's clock may be wrong; ours is not made so."""
    resource = Resource(20_000, last_modified_at=None, headers=(("Last-Modified", formatdate(4e9, usegmt=True)),))
    found = await modified_at(engines, fault_server.add("/f.bin", resource), remote_time=True)
    assert CHANGED_AT + 1e6 < found < 4e9 - 1e6


async def attributes_of(engines: Engines, url: str, **settings: Any) -> dict[str, bytes]:
    """Fetch an address and return what its file's attributes say."""
    task = await fetch(await engines(**settings), url)
    assert task.status is Status.COMPLETED

    def read() -> dict[str, bytes]:
        names = [name for name in os.listxattr(task.path) if name.startswith("user.xdg.")]
        return {name: os.getxattr(task.path, name) for name in names}

    try:
        return await asyncio.to_thread(read)
    except OSError:
        pytest.skip("no attributes here")


@SIZES
async def test_the_origin_is_noted_without_secrets(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Address and referer as asked for; what looks like a token is left out."""
    url = fault_server.add("/f.bin", resource) + "?file=1&token=abc"
    found = await attributes_of(engines, url, origin_attributes=True, referer="https://u:p@h.example/page?sid=1")
    assert found == {
        "user.xdg.origin.url": (fault_server.url("/f.bin") + "?file=1").encode(),
        "user.xdg.referrer.url": b"https://h.example/page",
    }


async def test_no_origin_is_noted_unasked(engines: Engines, fault_server: FaultServer) -> None:
    """Off by default: where a file came from is its owner's matter."""
    assert await attributes_of(engines, fault_server.add("/f.bin", SMALL)) == {}


async def test_low_space_is_told_once(engines: Engines, fault_server: FaultServer, free: dict[str, int]) -> None:
    """Whoever listens hears that it waits, and that it goes on."""
    free["bytes"] = 512 * MIB + MIB
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", LARGE))
    await until(lambda: engine.scheduler.waiting)
    assert [event.kind for event in engines.events].count(EventKind.WAITING) == 1
    free["bytes"] = GIB
    done = await ended(engine, task)
    assert Path(done.path).name == "f.bin"
