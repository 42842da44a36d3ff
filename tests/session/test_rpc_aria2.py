"""aria2's methods over TCP: its keys, its errors, its order, its options; what it says was compared with aria2c's."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.engine.stage import until
from tests.faults import Resource
from tests.session.rpc_stage import SECRET
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.session.rpc_stage import Rpc

KEYS_AT_REST = {
    *("completedLength", "connections", "dir", "downloadSpeed", "files", "gid", "numPieces", "pieceLength", "status"),
    *("totalLength", "uploadLength", "uploadSpeed"),
}


async def _paused(rpc: Rpc, count: int) -> list[str]:
    return [
        await rpc.aria2("addUri", [rpc.file(f"/{number}.bin")], {"pause": "true", "out": f"{number}.out"})
        for number in range(count)
    ]


async def test_a_download_from_add_to_purge(rpc: Rpc) -> None:
    """It is added, told of in each state with aria2's keys, completes, and is forgotten."""
    (gid,) = await _paused(rpc, 1)
    assert len(gid) == 16
    told = await rpc.aria2("tellStatus", gid)
    assert set(told) == KEYS_AT_REST
    assert told["status"] == "paused"
    assert told["files"] == [
        {
            "completedLength": "0",
            "index": "1",
            "length": "0",
            "path": f"{rpc.dir}/0.out",
            "selected": "true",
            "uris": [{"status": "waiting", "uri": rpc.file("/0.bin")}],
        }
    ]
    assert (await rpc.aria2("pause", gid))["message"] == f"GID#{gid} cannot be paused now"
    assert await rpc.aria2("unpause", gid) == gid
    await rpc.engine.wait([int(gid, 16)])
    told = await rpc.aria2("tellStatus", gid, ["status", "bitfield", "errorCode", "totalLength", "unknown"])
    assert told == {"status": "complete", "bitfield": "80", "errorCode": "0", "totalLength": "5000"}
    assert (rpc.dir / "0.out").read_bytes() == rpc.content()
    for method, words in (
        ("remove", "Active Download not found"),
        ("getUris", "No URI data"),
        ("getServers", "No active download"),
        ("changeOption", "Cannot change option"),
    ):
        assert words in (await rpc.aria2(method, gid, *([{}] if method == "changeOption" else [])))["message"]
    assert (await rpc.aria2("getGlobalStat"))["numStopped"] == "1"
    assert await rpc.aria2("purgeDownloadResult") == "OK"
    assert (await rpc.aria2("tellStatus", gid))["message"] == f"GID {gid} is not found"


async def test_failures_have_aria2s_numbers(rpc: Rpc) -> None:
    """A file that is not there is an error of number 3, a removed download one of 31."""
    gone = await rpc.aria2("addUri", [f"{rpc.files.url('/none')}"])
    await rpc.engine.wait([int(gone, 16)])
    told = await rpc.aria2("tellStopped", 0, 10, ["gid", "status", "errorCode"])
    assert told == [{"gid": gone, "status": "error", "errorCode": "3"}]
    (paused,) = await _paused(rpc, 1)
    assert await rpc.aria2("forceRemove", paused) == paused
    assert (await rpc.aria2("tellStatus", paused, ["status", "errorCode"])) == {"status": "removed", "errorCode": "31"}
    # The last end comes first from behind, and adding it again tries it again.
    assert [one["gid"] for one in await rpc.aria2("tellStopped", -1, 9, ["gid"])] == [paused, gone]
    assert await rpc.aria2("addUri", [rpc.file("/0.bin")], {"out": "0.out"}) == paused
    await rpc.engine.wait([int(paused, 16)])
    assert await rpc.aria2("removeDownloadResult", paused) == "OK"
    assert (await rpc.aria2("removeDownloadResult", paused))["code"] == 1


async def test_what_was_not_wanted_is_tried_again_when_it_is_added_again(rpc: Rpc) -> None:
    """As what failed is: whoever adds it without that wish takes it as it is."""
    left = await rpc.engine.add(rpc.file("/0.bin"), dir=rpc.dir, name="0.out", options=TaskOptions(max_bytes=10))
    assert (await rpc.engine.wait([left.id])).skipped == 1
    assert await rpc.aria2("addUri", [rpc.file("/0.bin")], {"out": "0.out"}) == left.gid
    assert (await rpc.engine.wait([left.id])).success == 1
    assert (rpc.dir / "0.out").read_bytes() == rpc.content()


async def test_pages_of_the_waiting_queue(rpc: Rpc) -> None:
    """Offsets count from the front or, when negative, backwards from the end; beyond it there is nothing."""
    gids = await _paused(rpc, 5)

    async def page(offset: int, count: int) -> list[int]:
        return [gids.index(one["gid"]) for one in await rpc.aria2("tellWaiting", offset, count, ["gid"])]

    assert await page(1, 2) == [1, 2]
    assert await page(-1, 2) == [4, 3]
    assert await page(-2, 10) == [3, 2, 1, 0]
    assert await page(-5, 1) == [0]
    assert await page(-6, 1) == await page(5, 1) == await page(0, 0) == []


async def test_places_are_aria2s(rpc: Rpc) -> None:
    """Places from the front, from where it stands and from the end are those that aria2c gave for the same calls."""
    gids = await _paused(rpc, 4)
    last = await rpc.aria2("addUri", [rpc.file("/x.bin")], {"pause": "true"}, 0)
    assert [one["gid"] for one in await rpc.aria2("tellWaiting", 0, 9, ["gid"])] == [last, *gids]
    for position, how, place in (
        (0, "POS_SET", 0),
        (100, "POS_SET", 4),
        (-1, "POS_CUR", 3),
        (-1, "POS_END", 3),
        (0, "POS_END", 4),
        (1, "POS_END", 4),
        (-100, "POS_CUR", 0),
        (-2, "POS_SET", 0),
    ):
        assert await rpc.aria2("changePosition", gids[0], position, how) == place
    assert (await rpc.aria2("changePosition", gids[0], 0, "POS_X"))["message"] == "Illegal argument."


async def test_a_running_download_shows_its_connections(rpc: Rpc) -> None:
    """What runs is told as active, with its servers; it can be paused and let go on."""
    gid = await rpc.aria2("addUri", [rpc.held_file()])

    async def servers() -> Any:
        return await rpc.aria2("getServers", gid)

    async with asyncio.timeout(20):
        while not isinstance(found := await servers(), list) or not found[0]["servers"]:
            pass
    assert found[0]["servers"][0]["currentUri"] == rpc.files.url("/held.bin")
    (active,) = await rpc.aria2("tellActive", ["gid", "status", "totalLength", "bitfield"])
    assert active == {"gid": gid, "status": "active", "totalLength": str(1 << 20), "bitfield": "00"}
    assert (await rpc.aria2("getGlobalStat"))["numActive"] == "1"
    assert await rpc.aria2("pauseAll") == "OK"
    assert await rpc.aria2("tellActive") == []
    assert (await rpc.aria2("changePosition", gid, 0, "POS_SET")) == 0
    assert await rpc.aria2("unpauseAll") == "OK"
    assert (await rpc.aria2("tellStatus", gid, ["status"]))["status"] in ("waiting", "active")
    assert await rpc.aria2("remove", gid) == gid


async def test_gids_can_be_given_and_shortened(rpc: Rpc) -> None:
    """A gid that a program chose names its download from then on, and so does the beginning of one that is alone."""
    url = rpc.file()
    assert await rpc.aria2("addUri", [url], {"gid": "00ABCDEF01234567", "pause": "true"}) == "00abcdef01234567"
    assert (await rpc.aria2("tellStatus", "00abc", ["status"])) == {"status": "paused"}
    # The name of its id is not another name of it.
    assert (await rpc.aria2("tellStatus", "0000000000000001"))["code"] == 1
    for taken in ("00abcdef01234567", "1", "0" * 16, "x" * 16):
        assert (await rpc.aria2("addUri", [rpc.file("/b.bin")], {"gid": taken}))["code"] == 1
    (gid, _) = await _paused(rpc, 2)
    assert (await rpc.aria2("tellStatus", "000000"))["message"] == "GID 000000 is not unique"
    assert (await rpc.aria2("tellStatus", "zz"))["message"] == "Invalid GID zz"
    assert (await rpc.aria2("tellStatus", gid[:15] + "f"))["message"] == f"GID {gid[:15]}f is not found"


async def test_options_are_read_and_changed(rpc: Rpc) -> None:
    """Options of one download and of everything are aria2's; secrets are masked and never set from what was masked."""
    options = {"pause": "true", "header": ["Cookie: a=b", "X-A: b"], "split": "3", "max-download-limit": "1K"}
    gid = await rpc.aria2("addUri", [rpc.file(), "http://127.0.0.2:1/m"], options | {"unknown-of-aria2": "x"})
    told = await rpc.aria2("getOption", gid)
    assert told["header"] == "Cookie: ***\nX-A: b\n"
    assert (told["split"], told["max-download-limit"], told["dir"]) == ("3", "1024", str(rpc.dir))
    assert (await rpc.aria2("changeOption", gid, {"header": told["header"]}))["code"] == 1
    changes = {"max-download-limit": "0", "user-agent": "me", "max-tries": "7", "checksum": "md5=" + "0" * 32}
    assert await rpc.aria2("changeOption", gid, changes) == "OK"
    (row,) = await rpc.engine.rows([int(gid, 16)])
    assert dict(row.options.headers) == {"Cookie": "a=b", "X-A": "b", "User-Agent": "me"}
    assert (row.options.limit_rate_bps, row.options.max_retries) == (None, 7)
    assert row.options.checksum.startswith("md5=")
    for wrong in ({"split": "x"}, {"dir": "/elsewhere"}, {"all-proxy": "http://p/"}):
        assert (await rpc.aria2("changeOption", gid, wrong))["code"] == 1
    changes = {"max-concurrent-downloads": "3", "max-overall-download-limit": "1M", "nonsense": "1", "dir": "/other"}
    assert await rpc.aria2("changeGlobalOption", changes) == "OK"
    told = await rpc.aria2("getGlobalOption")
    expected = {"max-concurrent-downloads": "3", "max-overall-download-limit": "1048576", "dir": "/other"}
    assert {name: told[name] for name in expected} == expected
    assert (await rpc.aria2("changeGlobalOption", {"all-proxy": "x"}))["code"] == 1
    assert (await rpc.aria2("changeGlobalOption", {"timeout": "x"}))["code"] == 1


async def test_addresses_of_a_download_change(rpc: Rpc) -> None:
    """Addresses go and come; the last one cannot go."""
    first, other = rpc.file("/a.bin"), rpc.file("/b.bin")
    gid = await rpc.aria2("addUri", [first], {"pause": "true"})
    assert await rpc.aria2("changeUri", gid, 1, [], [other]) == [0, 1]
    assert await rpc.aria2("changeUri", gid, 1, [first], []) == [1, 0]
    assert [one["uri"] for one in await rpc.aria2("getUris", gid)] == [other]
    assert (await rpc.aria2("changeUri", gid, 1, [other], []))["code"] == 1
    assert (await rpc.aria2("changeUri", gid, 2, [], []))["message"] == "fileIndex is out of range"


async def test_metalinks_by_content_and_no_torrents(rpc: Rpc) -> None:
    """A Metalink's files become downloads; a torrent is refused in words."""
    document = f"""<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="m.bin"><size>5000</size>
        <url>{rpc.file("/m.bin")}</url></file></metalink>"""
    encoded = base64.b64encode(document.encode()).decode()
    (gid,) = await rpc.aria2("addMetalink", encoded, {"pause": "true"})
    assert (await rpc.aria2("getFiles", gid))[0]["path"] == f"{rpc.dir}/m.bin"
    assert (await rpc.aria2("addMetalink", "!"))["message"] == "Could not parse Metalink XML document."
    assert "BitTorrent" in (await rpc.aria2("addTorrent", "x"))["message"]
    assert await rpc.aria2("getPeers", gid) == []


async def test_several_calls_at_once(rpc: Rpc) -> None:
    """Batches and multicalls answer each call by itself, errors among them, each with a secret of its own."""
    token = f"token:{SECRET}"
    version = {"id": 1, "method": "aria2.getVersion", "params": [token]}
    answers = await rpc.post([version, {"id": 2, "method": "aria2.nothing", "params": []}, 7])
    assert answers[0]["result"]["version"] == "1.36.0"
    assert answers[1]["error"] == {"code": 1, "message": "No such method: aria2.nothing"}
    assert answers[2]["error"]["code"] == -32600
    calls = [
        {"methodName": "aria2.getVersion", "params": [token]},
        {"methodName": "aria2.tellStatus", "params": [token, "00"]},
        {"methodName": "system.multicall", "params": [[]]},
        7,
    ]
    async with rpc.web.post(rpc.url, json={"id": 1, "method": "system.multicall", "params": [calls]}) as answer:
        found = (await answer.json(content_type=None))["result"]
    assert found[0][0]["version"] == "1.36.0"
    assert found[1:] == [
        {"code": 1, "message": "GID 00 is not found"},
        {"code": 1, "message": "Recursive system.multicall forbidden."},
        {"code": 1, "message": "system.multicall expected struct."},
    ]
    assert await rpc.post([]) == []
    listed = (await rpc.post({"id": 1, "method": "system.listMethods"}))["result"]
    assert {"aria2.addUri", "system.multicall", "tui_dl.execute"} <= set(listed)


async def test_calls_in_the_query_of_a_get(rpc: Rpc) -> None:
    """Calls and batches come in a query, too, their parameters in Base64, and the answer goes to a function."""

    async def get(query: str) -> tuple[int, str, str]:
        async with rpc.web.get(f"{rpc.url}?{query}") as answer:
            return answer.status, answer.content_type, await answer.text()

    params = quote(base64.b64encode(json.dumps([f"token:{SECRET}"]).encode()).decode())
    status, kind, text = await get(f"method=aria2.getSessionInfo&id=a&params={params}&jsoncallback=cb")
    assert (status, kind) == (200, "text/javascript")
    assert json.loads(text.removeprefix("cb(").removesuffix(")"))["result"]["sessionId"] == "ab" * 20
    batch = json.dumps([{"id": 1, "method": "aria2.getSessionInfo", "params": [f"token:{SECRET}"]}])
    assert (await get(f"params={quote(base64.b64encode(batch.encode()).decode())}"))[0] == 200
    for wrong in ("", "params=%25", "method=x&jsoncallback=alert(1)//"):
        status, kind, text = await get(wrong)
        assert status in (400, 500)
        assert kind == "application/json-rpc"
        assert "alert" not in text


async def test_requests_that_are_none(rpc: Rpc) -> None:
    """Texts that are no requests get the numbers that aria2 gives."""

    async def send(text: str) -> tuple[int, int]:
        async with rpc.web.post(rpc.url, data=text) as answer:
            return answer.status, (await answer.json(content_type=None))["error"]["code"]

    assert await send("{bad") == (500, -32700)
    assert await send("[" * 100_000) == (500, -32700)
    assert await send('{"id": 1}') == (400, -32600)
    assert await send('{"id": 1, "method": "aria2.getVersion", "params": {}}') == (500, -32602)
    for params in ([], [5], [["x"]], [None]):
        assert (await rpc.aria2("tellStatus", *params))["code"] == 1
    assert (await rpc.aria2("addUri", []))["message"] == "URI is not provided."
    assert (await rpc.aria2("addUri", ["foo"]))["code"] == 1
    assert (await rpc.aria2("addUri", "http://x/"))["message"] == "The parameter at 0 has wrong type."


async def test_shutdown_reaches_the_session(rpc: Rpc) -> None:
    """Both forms end it, and both are answered."""
    assert await rpc.aria2("shutdown") == await rpc.aria2("forceShutdown") == await rpc.aria2("saveSession") == "OK"
    assert rpc.session.stops == [False, True]


async def test_notifications_name_the_gid(rpc: Rpc) -> None:
    """A listener that says nothing hears of start, pause, end and failure, as aria2p does."""
    async with rpc.web.ws_connect(rpc.url) as socket:
        await until(lambda: rpc.server.connections >= 1)
        gid = await rpc.aria2("addUri", [rpc.files.add("/n.bin", Resource(5000))])
        await rpc.engine.wait([int(gid, 16)])
        gone = await rpc.aria2("addUri", [rpc.files.url("/none")])
        await rpc.engine.wait([int(gone, 16)])
        told = [await socket.receive_json(timeout=20) for _ in range(4)]
    assert [(one["method"], one["params"][0]["gid"]) for one in told] == [
        ("aria2.onDownloadStart", gid),
        ("aria2.onDownloadComplete", gid),
        ("aria2.onDownloadStart", gone),
        ("aria2.onDownloadError", gone),
    ]
    assert (await rpc.engine.rows([int(gone, 16)]))[0].status is Status.FAILED
