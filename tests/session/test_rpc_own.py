"""Our own methods over the Unix socket: commands, rows, waiting, events."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from tui_dl._version import __version__
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.wire_commands import command_json, outcome_of
from tui_dl.core.wire_tasks import task_of

if TYPE_CHECKING:
    from tests.session.rpc_stage import Rpc


async def _add(rpc: Rpc, *urls: str, **arguments: Any) -> list[int]:
    outcome = await rpc.call("tui_dl.execute", {"name": "add", "arguments": {"urls": list(urls), **arguments}})
    return [*outcome["ids"], *outcome["known_ids"]]


async def test_adds_and_waits(rpc: Rpc) -> None:
    """A command adds, `wait` returns when the file is there, and the row reads back as the engine's own."""
    (task_id,) = await _add(rpc, rpc.file())
    done = await rpc.call("tui_dl.wait", {"ids": [task_id]})
    assert done == {"is_done": True, "counts": {"completed": 1}, "failed_ids": [], "unfinished": 0}
    assert (rpc.dir / "a.bin").read_bytes() == rpc.content()
    (shown,) = (await rpc.call("tui_dl.rows", {"ids": [task_id]}))["rows"]
    (row,) = await rpc.engine.rows([task_id])
    assert task_of(shown).path == row.path
    assert shown["gid"] == row.gid
    # The same again changes nothing, and names what is there.
    assert await _add(rpc, rpc.file()) == [task_id]


async def test_paused_adds_pages_and_places(rpc: Rpc) -> None:
    """What is added paused never starts; pages follow filter and order; a place in the queue can be counted."""
    ids = await _add(rpc, *(rpc.file(f"/p{number}.bin") for number in range(5)), paused=True)
    first = Command(CommandName.MOVE_TO, ids=(ids[3],), arguments={"position": 0})
    assert outcome_of(await rpc.call("tui_dl.execute", command_json(first))).value == 0
    wanted = {"query": "status:paused", "offset": 1, "limit": 2}
    assert (await rpc.call("tui_dl.view", wanted))["ids"] == [ids[0], ids[1]]
    by_name = {"query": "p", "sort": "name", "is_descending": True, "excluding_ids": [ids[4]], "limit": 2}
    rows = (await rpc.call("tui_dl.rows", by_name))["rows"]
    assert [row["filename"] for row in rows] == ["p3.bin", "p2.bin"]
    assert rpc.files.requests == []
    waited = await rpc.call("tui_dl.wait", {"query": "status:paused"})
    assert waited["is_done"]
    waited = await rpc.call("tui_dl.wait", {"ids": ids, "timeout_s": 0})
    assert (waited["is_done"], waited["unfinished"]) == (False, 5)
    resumed = await rpc.call("tui_dl.execute", {"name": "resume", "query": {"filter": "p4"}})
    assert resumed["changed"] == 1


async def test_live_changes(rpc: Rpc) -> None:
    """Settings and options change while it runs, secrets of headers are never shown again."""
    (task_id,) = await _add(rpc, rpc.file(), paused=True)
    await rpc.call("tui_dl.execute", {"name": "set-settings", "arguments": {"settings": {"connections": 3}}})
    assert rpc.engine.settings.connections == 3
    options = {"connections": 2, "limit_rate_bps": 1000, "headers": [["Cookie", "x=1"], ["X-A", "b"]]}
    await rpc.call("tui_dl.execute", {"name": "set-options", "ids": [task_id], "arguments": {"options": options}})
    details = await rpc.call("tui_dl.details", {"id": task_id})
    assert details["task"]["options"]["headers"] == [["Cookie", "***"], ["X-A", "b"]]
    assert (await rpc.engine.rows([task_id]))[0].options.headers == (("Cookie", "x=1"), ("X-A", "b"))


async def test_what_cannot_be_meant(rpc: Rpc) -> None:
    """Mistakes get an error that says what is wrong, and change nothing."""
    for params, words in (
        ({"name": "pause"}, "wants ids, a query or all"),
        ({"name": "fly"}, "no such command"),
        ({"name": "pause", "ids": ["1"]}, "ids of tasks"),
        ({"name": "pause", "query": "size:huge"}, "size"),
        ({"name": "add", "arguments": {"urls": ["gopher://x/"]}}, "gopher"),
        ({"name": "set-settings", "arguments": {"settings": {"proxy": "http://x/"}}}, "one start to the next"),
        ({"name": "move-to", "ids": [1], "arguments": {"position": "x"}}, "position"),
    ):
        error = await rpc.error("tui_dl.execute", params)
        assert words in error["message"]
        assert error["code"] == 1
    assert (await rpc.error("tui_dl.rows", {"offset": -1}))["code"] == 1
    assert (await rpc.error("tui_dl.rows", {"wat": 1}))["code"] == 1
    assert (await rpc.error("tui_dl.nothing"))["code"] == 1
    assert await rpc.call("tui_dl.details", {"id": 12345}) is None


async def test_says_who_it_is_and_stops(rpc: Rpc) -> None:
    """The session names itself; a stop is answered before it ends."""
    assert (await rpc.call("tui_dl.session"))["pid"] == 42
    assert await rpc.call("tui_dl.stop") == "OK"
    assert rpc.session.stops == [False]
    snapshot = await rpc.call("tui_dl.snapshot")
    assert snapshot["live"] == []
    assert snapshot["concurrent_downloads"] == 5
    assert (await rpc.call("tui_dl.statistics"))["completed"] == 0
    assert await rpc.call("tui_dl.batches") == []
    assert await rpc.call("tui_dl.failure_groups") == []
    assert __version__


async def test_tells_events_as_lines_and_over_websocket(rpc: Rpc) -> None:
    """Both streams tell the same steps; a WebSocket hears the kinds it asked for."""
    async with rpc.unix.get("http://localhost/events") as stream, rpc.unix.ws_connect("http://localhost/jsonrpc") as ws:
        await ws.send_json({"id": 1, "method": "tui_dl.subscribe", "params": {"kinds": ["completed"]}})
        assert (await ws.receive_json())["result"] == "OK"
        (task_id,) = await _add(rpc, rpc.file())
        kinds = []
        while "completed" not in kinds:
            kinds.append(json.loads(await asyncio.wait_for(stream.content.readline(), 20))["event"])
        assert kinds == ["added", "started", "completed"]
        told = [await ws.receive_json(timeout=20) for _ in range(3)]
        assert [one["method"] for one in told] == [
            "aria2.onDownloadStart",
            "aria2.onDownloadComplete",
            "tui_dl.event",
        ]
        assert told[2]["params"][0]["id"] == task_id


async def test_long_answers_are_whole(rpc: Rpc) -> None:
    """More rows than are read and written at a time come in order, each once, in a single answer and in a batch."""
    await _add(rpc, *(rpc.files.url(f"/{number}") for number in range(600)), paused=True)
    ids = (await rpc.call("tui_dl.view"))["ids"]
    assert len(set(ids)) == 600
    assert [row["id"] for row in (await rpc.call("tui_dl.rows"))["rows"]] == ids
    request = {"id": 1, "method": "tui_dl.rows", "params": {"offset": 100, "limit": 450}}
    first, second = await rpc.post([request, request])
    assert [row["id"] for row in first["result"]["rows"]] == ids[100:550]
    assert first == second
