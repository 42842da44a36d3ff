"""The session's door is open by TCP as well where the settings want it, and then the session stays."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import aiohttp

from tests.session.rpc_stage import FakeSession
from tui_dl.cli.session_door import RpcDoor
from tui_dl.cli.session_engine import SessionEngine
from tui_dl.core.settings import Settings
from tui_dl.session.rpc.browsers import BrowserRules
from tui_dl.session.rpc.tcp import TcpWish, open_tcp

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_door_is_open_on_both_sockets(tmp_path: Path) -> None:
    """The same engine answers on the Unix socket without a secret, and by TCP with the one that was wished."""
    engine = SessionEngine(Settings(dir=str(tmp_path)), tmp_path / "journal.sqlite3")
    tcp = open_tcp(TcpWish(0, "correct horse", BrowserRules()))
    door = RpcDoor(engine, tcp)
    assert door.is_in_use
    assert not RpcDoor(engine, None).is_in_use
    await engine.start()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    await door.open(listener, FakeSession())
    by_tcp = f"http://127.0.0.1:{tcp.port}/jsonrpc"
    ways: tuple[tuple[aiohttp.BaseConnector | None, str, dict[str, str]], ...] = (
        (aiohttp.UnixConnector(str(tmp_path / "s")), "http://localhost/jsonrpc", {}),
        (None, by_tcp, {"token": "correct horse"}),
    )
    for connector, url, params in ways:
        request = {"id": 1, "method": "tui_dl.session", "params": params}
        async with aiohttp.ClientSession(connector=connector) as web, web.post(url, json=request) as answer:
            assert (await answer.json(content_type=None))["result"]["pid"] == 42
    await door.aclose()
    await engine.aclose()
