"""Strangers, web pages and floods: refused, told to the log a few times, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.engine.stage import until
from tests.session.rpc_stage import ORIGIN, SECRET
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import Settings, settings_with
from tui_dl.session.rpc.admission import Gate
from tui_dl.session.rpc.browsers import BrowserRules, is_own_host
from tui_dl.session.rpc.rare_log import RareLog
from tui_dl.session.rpc.tcp import TcpWish, open_tcp, tcp_wish

if TYPE_CHECKING:
    from pathlib import Path

    from tests.session.rpc_stage import Rpc

VERSION = json.dumps({"id": 1, "method": "aria2.getVersion", "params": [f"token:{SECRET}"]})


@pytest.fixture(autouse=True)
def quick_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer wrong secrets at once."""
    monkeypatch.setattr("tui_dl.session.rpc.secret.WRONG_SECRET_S", 0.0)


async def test_pages_of_other_origins_are_refused(rpc: Rpc) -> None:
    """No call, WebSocket or question beforehand comes from a foreign page; a listed one reads answers."""

    async def post(**headers: str) -> tuple[int, str | None]:
        async with rpc.web.post(rpc.url, data=VERSION, headers=headers) as answer:
            return answer.status, answer.headers.get("Access-Control-Allow-Origin")

    assert await post() == (200, None)
    assert await post(Origin=ORIGIN) == (200, ORIGIN)
    own = f"http://127.0.0.1:{rpc.tcp.port}"
    assert await post(Origin=own) == (200, own)
    for foreign in ("http://evil.example", f"{ORIGIN}.evil.example", "null", "http://127.0.0.1:1", "http://localhost"):
        assert await post(Origin=foreign) == (403, None)
        async with rpc.web.options(rpc.url, headers={"Origin": foreign}) as answer:
            assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await rpc.web.ws_connect(rpc.url, headers={"Origin": foreign})
    async with rpc.web.options(rpc.url, headers={"Origin": ORIGIN}) as answer:
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    for host in ("evil.example", "evil.example:6800", "127.0.0.1.evil.example", ""):
        assert (await post(Host=host))[0] == 403


def test_origins_are_listed_whole_or_by_their_beginning() -> None:
    """A star stands at the end alone; capitals do not matter; hosts are this machine's only."""
    rules = BrowserRules(("https://A.example/", "moz-extension://*"))
    assert rules.allows_origin("https://a.example")
    assert rules.allows_origin("moz-extension://0-1")
    assert not rules.allows_origin("https://a.example.evil")
    assert not BrowserRules().allows_origin("")
    assert BrowserRules(("*",)).allows_origin("null")
    assert all(map(is_own_host, ("localhost:1", "LOCALHOST", "127.0.0.1:6800", "[::1]:6800", "127.9.9.9")))
    assert not any(map(is_own_host, ("", "localhost.evil", "10.0.0.1", "[::2]:1", "[", "0.0.0.0:6800")))


async def test_a_wrong_secret_opens_nothing_and_floods_no_log(rpc: Rpc, caplog: pytest.LogCaptureFixture) -> None:
    """Each way to give none or a wrong one is refused in aria2's words; the log has a few lines of it."""
    caplog.set_level(logging.WARNING)
    for _ in range(4):
        for params in ([], ["token:"], ["token:wrong"], ["token:\ud800"], [SECRET]):
            body = json.dumps({"id": 1, "method": "aria2.getVersion", "params": params})
            async with rpc.web.post(rpc.url, data=body) as answer:
                assert answer.status == 400
                assert (await answer.json(content_type=None))["error"] == {"code": 1, "message": "Unauthorized"}
    body = json.dumps({"id": 1, "method": "tui_dl.snapshot", "params": {"token": "wrong"}})
    async with rpc.web.post(rpc.url, data=body) as answer:
        assert answer.status == 400
    body = json.dumps({"id": 1, "method": "tui_dl.snapshot", "params": {"token": SECRET}})
    async with rpc.web.post(rpc.url, data=body) as answer:
        assert answer.status == 200
    lines = [record for record in caplog.records if "secret" in record.getMessage()]
    assert 1 <= len(lines) <= 5
    assert SECRET not in caplog.text


async def test_long_requests_are_refused_before_they_came(rpc: Rpc) -> None:
    """A body that says it is too long, one that turns out so, and a long message over WebSocket end at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rpc.tcp.port)
    writer.write(b"POST /jsonrpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 20)
    writer.close()

    async def endless() -> object:
        for _ in range(100):
            yield b"x" * 100_000

    status = 413
    with contextlib.suppress(aiohttp.ClientError):  # it may end while we still write
        async with rpc.web.post(rpc.url, data=endless()) as answer:
            status = answer.status
    assert status == 413
    async with rpc.web.ws_connect(rpc.url) as socket:
        await socket.send_str("x" * (3 << 20))
        assert (await socket.receive(timeout=20)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert (await rpc.aria2("getVersion"))["version"]


async def test_hanging_connections_make_room(rpc: Rpc) -> None:
    """Connections that ask for nothing, or by half, keep nobody out: the oldest is let go for each new one."""
    gate = rpc.server._gates[1]
    gate._most = 8
    hanging = []
    for number in range(40):
        hanging.append(await asyncio.open_connection("127.0.0.1", rpc.tcp.port))
        if number % 2:
            hanging[-1][1].write(b"POST /jsonrpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
    await until(lambda: gate.count <= 8)
    assert (await rpc.aria2("getVersion"))["version"]
    assert await asyncio.wait_for(hanging[0][0].read(), 20) == b""
    for _, writer in hanging:
        writer.close()


async def test_idle_connections_end(rpc: Rpc) -> None:
    """A connection without a whole request ends after its time; one whose request is being answered has none."""
    paused = await rpc.aria2("addUri", [rpc.file()], {"pause": "true"})
    gate = rpc.server._gates[1]
    body = {"id": 1, "method": "tui_dl.wait", "params": {"token": SECRET, "ids": [int(paused, 16)]}}
    waiting = asyncio.create_task(rpc.web.post(rpc.url, json=body).__aenter__())
    await until(lambda: any(not one.is_idle for one in gate._inside))
    assert [one._timer for one in gate._inside if not one.is_idle] == [None]
    gate.idle_s = 0.01
    reader, writer = await asyncio.open_connection("127.0.0.1", rpc.tcp.port)
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
    waiting.cancel()
    # Who leaves is noticed: nobody is waited for any more.
    await until(lambda: all(one.is_idle for one in gate._inside))


async def test_nothing_of_this_machine_is_read_for_tcp(rpc: Rpc, tmp_path: Path) -> None:
    """A path of a Metalink is the person's own business: by TCP it is refused."""
    file = tmp_path / "x.meta4"
    file.write_text("<metalink/>")
    for urls in ({"urls": [str(file)]}, {"downloads": [{"url": str(file)}]}):
        params = {"token": SECRET, "name": "add", "arguments": urls}
        async with rpc.web.post(rpc.url, json={"id": 1, "method": "tui_dl.execute", "params": params}) as answer:
            assert "aria2.addMetalink" in (await answer.json(content_type=None))["error"]["message"]
    assert (await rpc.aria2("addUri", [str(file)]))["code"] == 1
    assert (await rpc.aria2("addUri", [rpc.file()], {"out": "../x"}))["code"] == 1


async def test_no_command_comes_in_from_outside(rpc: Rpc) -> None:
    """Neither aria2's options for commands nor our settings for them can be set by a program."""
    command = "/bin/touch /tmp/x"
    assert await rpc.aria2("changeGlobalOption", {"on-download-complete": command}) == "OK"
    await rpc.aria2("addUri", [rpc.file()], {"on-download-start": command, "pause": "true"})
    for name in ("on_start", "on_complete", "proxy", "rpc_secret"):
        arguments = {"settings": {name: command}}
        error = await rpc.error("tui_dl.execute", {"name": "set-settings", "arguments": arguments})
        assert "one start to the next" in error["message"]
    assert rpc.engine.settings.on_complete == ""


def test_the_secret_is_wanted_and_private(tmp_path: Path) -> None:
    """Without a secret, with a short one, or with one that others can read, TCP is not served."""
    settings_file, secret_file = tmp_path / "config.toml", tmp_path / "secret"
    plain = settings_with(Settings(), {"rpc": True, "rpc_secret": "long enough"})
    assert tcp_wish(Settings(), settings_file) is None
    for secret in ("", "short", f"@{secret_file}"):
        with pytest.raises(UsageError):
            tcp_wish(settings_with(plain, {"rpc_secret": secret}), settings_file)
    assert tcp_wish(plain, settings_file) == TcpWish(6800, "long enough", BrowserRules())
    settings_file.write_text('rpc_secret = "long enough"')
    settings_file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        tcp_wish(plain, settings_file)
    settings_file.chmod(0o600)
    assert tcp_wish(plain, settings_file)
    secret_file.write_text("from a file\n")
    secret_file.chmod(0o640)
    by_file = settings_with(plain, {"rpc_secret": f"@{secret_file}", "rpc_allow_origin": "https://a https://b"})
    with pytest.raises(UsageError, match="chmod 600"):
        tcp_wish(by_file, settings_file)
    secret_file.chmod(0o600)
    wish = tcp_wish(by_file, settings_file)
    assert wish is not None
    assert (wish.secret, wish.rules.origins) == ("from a file", ("https://a", "https://b"))
    assert "from a file" not in repr(wish)


def test_a_port_in_use_is_said() -> None:
    """Another program on the port is a mistake that is named."""
    first = open_tcp(TcpWish(0, SECRET, BrowserRules()))
    with pytest.raises(UsageError, match="rpc_port"):
        open_tcp(TcpWish(first.port, SECRET, BrowserRules()))
    for listening in first.sockets:
        listening.close()


def test_a_log_counts_what_it_leaves_out(caplog: pytest.LogCaptureFixture) -> None:
    """Of many lines of a kind a few are written, and their number when the minute is over."""
    now = [0.0]
    log = RareLog(lambda: now[0])
    for _ in range(12):
        log.tell("kind", "line")
    assert len(caplog.records) == 5
    now[0] = 61.0
    log.tell("kind", "line")
    assert [record.getMessage() for record in caplog.records[5:]] == ["7 more like that (kind)", "line"]


def test_proven_connections_stay() -> None:
    """A full gate lets go of a connection that proved nothing, never of one that gave the secret."""
    gate = Gate(RareLog(lambda: 0.0), "TCP", most=1)
    make = gate.wrap(object)
    first, second = make(), make()
    first.has_proven = True
    assert gate.enter(first)
    assert not gate.enter(second)
    first.has_proven = False
    assert gate.enter(second)
    assert gate.count == 1
