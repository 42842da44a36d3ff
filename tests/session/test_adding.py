"""Addresses of a command line on their way to the session: nothing that was asked for them is lost."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tui_dl.cli.options import SETTING_PARAMETERS
from tui_dl.cli.order import read_order
from tui_dl.cli.session_adding import SessionQueue, given_settings, travelling
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.disk.locations import locations_under
from tui_dl.session.calling import Caller

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.session.rpc_stage import Rpc


async def test_rows_arrive_as_they_were_read(rpc: Rpc, tmp_path: Path) -> None:
    """Name, folder, options, priority, line and columns are those of the list's reader, wherever it runs."""
    options = TaskOptions(
        connections=3, headers=(("Authorization", "Basic eDp5"),), on_exists=OnExists.SKIP, mirrors=("http://h.test/b",)
    )
    news = [
        NewTask("http://127.0.0.1:9/a%20b.bin", str(tmp_path), "a.bin", options, 1, 0, 7, '{"label":"x"}'),
        NewTask("http://127.0.0.1:9/c.bin", str(tmp_path)),
    ]

    with Caller(str(rpc.path)) as caller, closing(SessionQueue(caller)) as queue:
        await queue.add_checked(news, batch="list.csv")
        await queue.add_checked(news[:1], batch="list.csv")
        assert (queue.added, queue.known) == (2, 1)
        (shown,) = await asyncio.to_thread(caller.call, "tui_dl.batches")
    first, second = await rpc.engine.rows([1, 2])
    assert (first.url, first.filename, first.dir, first.options) == (news[0].url, "a.bin", str(tmp_path), options)
    assert (first.priority, first.line, json.loads(first.extra)) == (1, 7, {"label": "x"})
    assert (second.url, second.filename, second.options) == (news[1].url, "c.bin", TaskOptions())
    assert shown["name"] == "list.csv"


async def test_blocks_on_the_way_side_by_side_keep_their_order(rpc: Rpc, tmp_path: Path) -> None:
    """A list's first row is the queue's first, whichever of its connections is read first."""
    blocks = [[NewTask(f"http://127.0.0.1:9/{first + row}", str(tmp_path)) for row in range(40)] for first in (0, 40)]
    with Caller(str(rpc.path)) as caller, closing(SessionQueue(caller)) as queue:
        first, second = (queue.add_checked(block, batch="list") for block in blocks)
        later = asyncio.ensure_future(second)
        await asyncio.to_thread(lambda: None)
        await first
        await later
        assert (queue.added, queue.ids) == (80, list(range(1, 81)))
    rows = await rpc.engine.rows(list(range(1, 81)))
    assert [row.url for row in rows] == [new.url for block in blocks for new in block]


async def test_ids_are_told_in_the_order_of_the_list(rpc: Rpc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the answer to the later block is read first."""
    later_read = threading.Event()
    ask = Caller.ask

    def held_up(caller: Caller, request: bytes) -> Any:
        answer = ask(caller, request)
        assert b"/1st" not in request or later_read.wait(timeout=60)
        return answer

    monkeypatch.setattr(Caller, "ask", held_up)
    with Caller(str(rpc.path)) as caller, closing(SessionQueue(caller)) as queue:
        first, second = (
            asyncio.ensure_future(
                queue.add_checked([NewTask(f"http://127.0.0.1:9/{name}", str(tmp_path))], batch="list")
            )
            for name in ("1st", "2nd")
        )
        await second
        later_read.set()
        await first
        assert queue.ids == [1, 2]


def test_what_the_command_line_asks_for_its_addresses_goes_with_them(tmp_path: Path) -> None:
    """A session that was started with other settings is told nothing of them, and nothing of the folder."""
    given: dict[str, Any] = dict.fromkeys(SETTING_PARAMETERS)
    given |= {"urls": ("http://h.test/a.bin",), "connections": 2, "user": "me:pw", "referer": "http://h.test/"}
    given |= {"accept": "image/* text/html", "min_size": 1024, "max_size": 4096}
    given |= {"dir": "here", "concurrent_downloads": 9, "overwrite": True, "sequential": None}
    order = read_order(given, locations=locations_under(tmp_path), environment={}, folder=tmp_path)
    (new,) = travelling(order).news
    assert new.dir == str(tmp_path / "here")
    assert new.options == TaskOptions(
        connections=2,
        accept="image/*,text/html",
        min_bytes=1024,
        max_bytes=4096,
        on_exists=OnExists.OVERWRITE,
        headers=(("Authorization", "Basic bWU6cHc="), ("Referer", "http://h.test/")),
    )
    assert given_settings(order.effective)["concurrent_downloads"] == 9
    assert "dir" not in given_settings(order.effective)
