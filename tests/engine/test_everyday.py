"""The short way of everyday files: what comes of it is what the long way would have made, with no request more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import ended, fetch, is_whole, log_of, received, row, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.status import Status
from tui_dl.core.task import FIELDS, OnExists, TaskOptions
from tui_dl.engine.everyday import MOST_BYTES, EverydayRules
from tui_dl.engine.short_transfer import ShortTransfer
from tui_dl.engine.transfer import Transfer

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

SMALL = Resource(20_000)
PAGE = Resource(body=b"<html>", content_type="text/html")
METALINK = Resource(body=b"<metalink", content_type="application/metalink4+xml")
WRONG_DIGEST = ("Repr-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")
NO_STORY = ("id", "dir", "path", "position", "batch_id", "owner", "added_at", "started_at", "finished_at")
"""Fields of a row that tell when and where it was fetched."""

WISHES: dict[str, tuple[Resource, tuple[Fault, ...], dict[str, Any]]] = {
    "a part": (SMALL, (), {}),
    "the whole": (SMALL, (lies.ignores_range,), {}),
    "nothing": (Resource(0), (), {}),
    "the longest": (Resource(MOST_BYTES), (), {}),
    "longer": (Resource(MOST_BYTES + 1), (), {}),
    "without a version": (Resource(20_000, etag=None, last_modified_at=None), (), {}),
    "in chunks": (SMALL, (tempers.chunked,), {}),
    "without a length": (SMALL, (tempers.without_length,), {}),
    "coded": (SMALL, (tempers.gzip_encoded(),), {}),
    "named": (Resource(20_000, content_disposition="attachment; filename=other.bin"), (), {}),
    "a page": (PAGE, (), {}),
    "a Metalink": (METALINK, (), {}),
    "a wrong digest": (Resource(20_000, headers=(WRONG_DIGEST,)), (), {}),
    "a mirror": (Resource(20_000, headers=(("Link", "<http://127.0.0.1:9/f>; rel=duplicate"),)), (), {}),
    "no ranges": (SMALL, (lies.refuses_range(416),), {}),
    "another range": (SMALL, (lies.claims_shifted_range(7),), {}),
    "a shorter range": (SMALL, (lies.shorter_range(5_000),), {}),
    "a wrong total": (SMALL, (lies.claims_total(30_000),), {}),
    "led elsewhere": (SMALL, (lies.redirect("/else.bin"),), {}),
    "not there": (SMALL, (lies.status(404),), {}),
    "cut": (SMALL, (tempers.cut_after(7_000),), {}),
    "too many": (SMALL, (lies.retry_after(429, 0),), {}),
    "with headers": (SMALL, (), {"options": TaskOptions(headers=(("X-A", "b"), ("accept", "image/*")))}),
    "with a name": (SMALL, (), {"name": "mine.bin"}),
    "with a digest": (SMALL, (), {"options": TaskOptions(checksum="crc32=00000000")}),
    "of another type": (SMALL, (), {"options": TaskOptions(accept="image/*")}),
    "too large": (SMALL, (), {"options": TaskOptions(max_bytes=5_000)}),
    "too small": (SMALL, (), {"options": TaskOptions(min_bytes=30_000)}),
    "left alone": (SMALL, (), {"options": TaskOptions(on_exists=OnExists.SKIP)}),
}


def told(task: DownloadTask) -> dict[str, Any]:
    """Return what a row says of its file."""
    fields = {name: getattr(task, name) for name in FIELDS if name not in NO_STORY}
    return fields | {name: getattr(task, name).replace(task.dir, "DIR") for name in ("reason_text", "part_path")}


async def story(engines: Engines, server: FaultServer, name: str, folder: str) -> tuple[Any, ...]:
    """Return what came of a wish: its row, its file, its log, the events, and what the server saw."""
    resource, faults, words = WISHES[name]
    url = server.add("/f.bin", resource, *faults)
    server.add("/else.bin", resource)
    engine = await engines(max_retries=1)
    # The room in a folder is looked at by the first that goes there, which takes the long way.
    await fetch(engine, server.add("/first.bin", SMALL), dir=engines.dir / folder)
    events, requests = len(engines.events), len(server.requests)
    task = await fetch(engine, url, dir=engines.dir / folder, **words)
    body = await asyncio.to_thread(Path(task.path).read_bytes) if task.path else None
    log = await log_of(engine, task)
    await engines.close(engine)
    seen = [(one.path, sorted(one.request.headers)) for one in server.requests[requests:]]
    return told(task), body, log, [event.kind for event in engines.events[events:]], seen


@pytest.mark.parametrize("name", WISHES)
async def test_it_comes_to_the_same_by_both_ways(
    name: str, engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row, bytes, log, events and every request are those of the long way."""
    short = await story(engines, fault_server, name, "short")
    monkeypatch.setattr(EverydayRules, "takes", lambda _rules, _live: False)
    assert short == await story(engines, fault_server, name, "long")


async def test_everyday_files_go_the_short_way(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the long way is made for them once the room on the disk is known."""
    engine = await engines()
    await fetch(engine, fault_server.add("/first.bin", SMALL))
    made: list[Transfer] = []
    monkeypatch.setattr(Transfer, "__init__", lambda self, *_: made.append(self))
    for number in range(3):
        assert is_whole(await fetch(engine, fault_server.add(f"/{number}.bin", SMALL)), SMALL)
    assert not made


async def on_its_way(engine: AsyncDownloadEngine, server: FaultServer, *faults: Fault) -> DownloadTask:
    """Return a task on the short way that the server keeps waiting."""
    await fetch(engine, server.add("/first.bin", SMALL))
    task = await engine.add(server.add("/kept.bin", SMALL, *faults))
    await until(lambda: any(one.path == "/kept.bin" for one in server.requests))
    return task


@pytest.mark.parametrize("faults", [(tempers.never_answers(),), (tempers.stall_after(5_000),)])
@pytest.mark.parametrize("name", [CommandName.PAUSE, CommandName.CANCEL])
async def test_a_stop_on_the_short_way(
    faults: tuple[Fault, ...], name: CommandName, engines: Engines, fault_server: FaultServer
) -> None:
    """Before the head and within the body it ends at once, and what a person wants then goes on from the start."""
    engine = await engines()
    task = await on_its_way(engine, fault_server, *faults)
    await engine.execute(Command(name, (task.id,)))
    wanted = Status.PAUSED if name is CommandName.PAUSE else Status.CANCELLED
    assert (await row(engine, task)).status is wanted
    fault_server.script("/kept.bin")
    again = CommandName.RESUME if name is CommandName.PAUSE else CommandName.RETRY
    await engine.execute(Command(again, (task.id,)))
    assert is_whole(await ended(engine, task), SMALL)


async def test_a_stop_while_it_is_saved_leaves_it_whole(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is here: it completes, and the stop finds nothing to do."""
    engine = await engines()
    await fetch(engine, fault_server.add("/first.bin", SMALL))
    is_saving, may_save = asyncio.Event(), asyncio.Event()
    save = ShortTransfer._save

    async def slowly(self: ShortTransfer, buffers: list[bytes]) -> None:
        is_saving.set()
        await may_save.wait()
        await save(self, buffers)

    monkeypatch.setattr(ShortTransfer, "_save", slowly)
    task = await engine.add(fault_server.add("/kept.bin", SMALL))
    await is_saving.wait()
    pausing = asyncio.ensure_future(engine.execute(Command(CommandName.PAUSE, (task.id,))))
    await asyncio.sleep(0)
    may_save.set()
    await pausing
    assert is_whole(await ended(engine, task), SMALL)


async def test_a_slow_body_shows_how_far_it_is(engines: Engines, fault_server: FaultServer) -> None:
    """Whoever looks sees what has arrived, and its one connection."""
    engine = await engines()
    task = await on_its_way(engine, fault_server, tempers.stall_after(5_000))
    await until(lambda: received(engine, task) == 5_000)
    assert engine.snapshot().live[task.id].connections == 1
