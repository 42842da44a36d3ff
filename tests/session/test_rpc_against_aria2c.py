"""The same calls to a real aria2c and to us: the same keys, values and numbers; where they differ is listed."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.faults import FaultServer, Resource
from tests.session.rpc_stage import SECRET, Rpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [
    pytest.mark.marathon,
    pytest.mark.skipif(shutil.which("aria2c") is None, reason="aria2c is not installed (Debian: aria2)"),
]
OWN_WORDS = {"errorMessage", "dir", "path", "sessionId", "version", "enabledFeatures"}
"""Keys whose values are each program's own."""


class Other:
    """One of the two; gids of its own are shown as the number of their download."""

    def __init__(self, url: str, web: aiohttp.ClientSession) -> None:
        self._url, self._web = url, web
        self.gids: list[str] = []

    async def call(self, method: str, *params: Any) -> Any:
        """Return the answer with status, without texts; `#0` stands for the first gid."""
        given = [self._gid(one) for one in params]
        body = {"jsonrpc": "2.0", "id": "q", "method": method, "params": [f"token:{SECRET}", *given]}
        async with self._web.post(self._url, json=body) as answer:
            found = json.loads(await answer.text())
            status = answer.status
        if "error" in found:
            return status, found["error"]["code"]
        result = found["result"]
        if method == "aria2.addUri":
            self.gids.append(result)
        return status, self._plain(result)

    def _gid(self, value: Any) -> Any:
        return self.gids[int(value[1:])] if isinstance(value, str) and value.startswith("#") else value

    def _plain(self, value: Any, key: str = "") -> Any:
        if key in OWN_WORDS:
            return type(value).__name__
        if key == "uris":
            # aria2 names an address once for each connection that it might open.
            return list({one["uri"]: one for one in reversed(value)}.values())
        if isinstance(value, dict):
            return {name: self._plain(one, name) for name, one in sorted(value.items()) if name != "tui_dl"}
        if isinstance(value, list):
            return [self._plain(one) for one in value]
        return f"#{self.gids.index(value)}" if value in self.gids else value


@asynccontextmanager
async def _aria2c(folder: Path) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = (
        "--no-conf",
        "--enable-rpc",
        f"--rpc-listen-port={port}",
        f"--rpc-secret={SECRET}",
        f"--dir={folder}",
        "-q",
    )
    process = await asyncio.create_subprocess_exec("aria2c", *words)
    try:
        yield f"http://127.0.0.1:{port}/jsonrpc"
    finally:
        process.terminate()
        await process.wait()


def _calls(files: FaultServer) -> list[tuple[str, tuple[Any, ...]]]:
    urls = [files.add(f"/{number}.bin", Resource(3_000_000, seed=number)) for number in range(4)]
    gone = files.url("/none")
    paused = [("aria2.addUri", ([url], {"pause": "true", "out": f"{n}.out"})) for n, url in enumerate(urls)]
    places = [
        (0, "POS_SET"),
        (9, "POS_SET"),
        (-1, "POS_CUR"),
        (-1, "POS_END"),
        (0, "POS_END"),
        (-9, "POS_CUR"),
        (0, "X"),
    ]
    pages = [(0, 10), (1, 2), (-1, 2), (-2, 9), (-4, 1), (-5, 1), (9, 1), (0, 0)]
    asked = ["gid", "status", "files", "totalLength", "completedLength", "connections", "nothing"]
    return [
        ("aria2.getVersion", ()),
        ("aria2.getGlobalStat", ()),
        *paused,
        ("aria2.tellStatus", ("#0",)),
        ("aria2.tellStatus", ("#0", asked)),
        ("aria2.getUris", ("#0",)),
        ("aria2.getFiles", ("#0",)),
        ("aria2.getPeers", ("#0",)),
        ("aria2.getServers", ("#0",)),
        *(("aria2.changePosition", ("#1", *place)) for place in places),
        ("aria2.changePosition", ("#1", 0, "X")),
        *(("aria2.tellWaiting", (*page, ["gid", "status"])) for page in pages),
        ("aria2.tellWaiting", (0,)),
        ("aria2.tellWaiting", ("0", 1)),
        ("aria2.changeUri", ("#3", 1, [], [gone])),
        ("aria2.getUris", ("#3",)),
        ("aria2.changeUri", ("#3", 1, [gone], [])),
        ("aria2.changeUri", ("#3", 2, [], [])),
        ("aria2.changeOption", ("#3", {"max-download-limit": "1K", "what": "x"})),
        ("aria2.changeOption", ("#3", {"split": "x"})),
        ("aria2.changeOption", ("#3",)),
        ("aria2.changeGlobalOption", ({"max-concurrent-downloads": "3", "what": "x"},)),
        ("aria2.changeGlobalOption", ({"max-concurrent-downloads": "x"},)),
        ("aria2.pause", ("#0",)),
        ("aria2.unpause", ("#0",)),
        ("wait", ("#0",)),
        ("aria2.tellStatus", ("#0",)),
        ("aria2.getUris", ("#0",)),
        ("aria2.getServers", ("#0",)),
        ("aria2.remove", ("#0",)),
        ("aria2.unpause", ("#0",)),
        ("aria2.changeOption", ("#0", {})),
        ("aria2.changePosition", ("#0", 0, "POS_SET")),
        ("aria2.addUri", ([gone],)),
        ("wait", ("#4",)),
        ("aria2.tellStatus", ("#4",)),
        ("aria2.tellStopped", (0, 9, ["gid", "status", "errorCode"])),
        ("aria2.tellStopped", (-1, 9, ["gid"])),
        ("aria2.removeDownloadResult", ("#1",)),
        ("aria2.removeDownloadResult", ("#4",)),
        ("aria2.purgeDownloadResult", ()),
        ("aria2.getGlobalStat", ()),
        ("aria2.pauseAll", ()),
        ("aria2.unpauseAll", ()),
        *((f"aria2.{name}", ()) for name in ("tellStatus", "addUri", "addTorrent", "addMetalink", "remove", "what")),
        ("aria2.tellStatus", (5,)),
        ("aria2.tellStatus", ("zz",)),
        ("aria2.addUri", ([],)),
        ("aria2.addUri", (["foo"],)),
        ("aria2.addUri", ("http://h/",)),
    ]


DIFFERENT: dict[tuple[str, int], str] = {
    ("aria2.getGlobalStat", 2): "numStoppedTotal counts what is still there",
}
"""Answers that differ, by method and which call of it, and why."""


async def _until_stopped(other: Other, gid: str) -> None:
    async with asyncio.timeout(30):
        while (await other.call("aria2.tellStatus", gid, ["status"]))[1]["status"] in ("active", "waiting"):  # noqa: ASYNC110  # aria2c is polled
            await asyncio.sleep(0.05)


async def test_answers_are_aria2s(tmp_path: Path) -> None:
    """Every answer has the keys, values and numbers of aria2c's, but for those listed above."""
    async with FaultServer() as files, Rpc(tmp_path) as rpc, _aria2c(tmp_path / "theirs") as url:
        theirs, ours = Other(url, rpc.web), Other(rpc.url, rpc.web)
        async with asyncio.timeout(20):
            while True:
                try:
                    await theirs.call("aria2.getVersion")
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        differing, counts = [], dict.fromkeys({method for method, _ in _calls(files)}, 0)
        for method, params in _calls(files):
            if method == "wait":
                for other in (theirs, ours):
                    await _until_stopped(other, *params)
                continue
            counts[method] += 1
            expected, found = await theirs.call(method, *params), await ours.call(method, *params)
            if (method, counts[method]) not in DIFFERENT and expected != found:
                differing.append(f"{method}{params}:\n  theirs {expected}\n  ours   {found}")
        assert not differing, "\n".join(differing)
