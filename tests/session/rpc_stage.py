"""A server of the control protocol on both its sockets, over an engine in memory, and a client for each."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp

from tests.faults import FaultServer, Resource, oracle, tempers
from tui_dl.core.ports_control import SessionFacts
from tui_dl.core.settings import Settings
from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine
from tui_dl.session.rpc.browsers import BrowserRules
from tui_dl.session.rpc.serving import RpcServer
from tui_dl.session.rpc.tcp import TcpWish, open_tcp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET: Final = "correct horse"
ORIGIN: Final = "http://ariang.example"
LIMIT_S: Final = 20.0


class FakeSession:
    """Stands for the process."""

    def __init__(self) -> None:
        self.stops: list[bool] = []

    def facts(self) -> SessionFacts:
        """Return fixed facts."""
        return SessionFacts("1.2.3", 42, 1000.0, 1, "ab" * 20)

    def refusal_of_proxies(self, proxies: Mapping[str, str] | None) -> str:
        """Refuse one that is not there."""
        return "another http_proxy" if proxies else ""

    def stop(self, *, is_forced: bool) -> None:
        """Remember it."""
        self.stops.append(is_forced)


class Rpc:
    """One stage; what goes by `call()` comes through the Unix socket, by `aria2()` through TCP with the secret."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.dir = folder / "files"
        self.path = folder / "s"
        self.session = FakeSession()
        chosen = {"dir": str(self.dir), "retry_delay": 0.01, **settings}
        self.engine = AsyncDownloadEngine(Settings(**chosen), MEMORY)
        self.tcp = open_tcp(TcpWish(0, SECRET, BrowserRules((ORIGIN,))))
        self.server = RpcServer(self.engine, self.session, self.tcp)
        self.files = FaultServer()

    async def __aenter__(self) -> Self:
        await self.engine.start()
        await self.files.__aenter__()
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(str(self.path))
        await self.server.serve_unix(unix)
        await self.server.serve_tcp()
        self.unix = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.path)))
        self.web = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unix.close()
        await self.web.close()
        await self.server.aclose()
        await self.engine.aclose()
        await self.files.__aexit__(None, None, None)

    @property
    def url(self) -> str:
        """Where it is served by TCP."""
        return f"http://127.0.0.1:{self.tcp.port}/jsonrpc"

    async def post(self, body: Any) -> Any:
        """Send a request, or a batch, through the Unix socket; return the whole answer."""
        async with (
            asyncio.timeout(LIMIT_S),
            self.unix.post("http://localhost/jsonrpc", json=body) as answer,
        ):
            return await answer.json(content_type=None)

    async def call(self, method: str, params: Any = None) -> Any:
        """Call a method through the Unix socket and return its result."""
        answer = await self.post({"jsonrpc": "2.0", "id": "q", "method": method, "params": params or {}})
        assert "error" not in answer, answer
        return answer["result"]

    async def error(self, method: str, params: Any = None) -> dict[str, Any]:
        """Call a method through the Unix socket and return its error."""
        answer = await self.post({"jsonrpc": "2.0", "id": "q", "method": method, "params": params or {}})
        found: dict[str, Any] = answer["error"]
        return found

    async def aria2(self, method: str, *params: Any, secret: str = SECRET) -> Any:
        """Call a method of aria2 by TCP and return its result, or its error as a dictionary with `code`."""
        body = {"jsonrpc": "2.0", "id": "q", "method": f"aria2.{method}", "params": [f"token:{secret}", *params]}
        async with asyncio.timeout(LIMIT_S), self.web.post(self.url, json=body) as answer:
            found = await answer.json(content_type=None)
        return found["result"] if "result" in found else found["error"]

    def held_file(self, name: str = "/held.bin") -> str:
        """Return the address of a file of which nothing more than its head comes."""
        return self.files.add(name, Resource(1 << 20), tempers.stall_after(1024))

    def file(self, name: str = "/a.bin", size_bytes: int = 5000) -> str:
        """Return the address of a file that comes at once."""
        return self.files.add(name, Resource(size_bytes))

    def content(self, size_bytes: int = 5000) -> bytes:
        """Return what such a file holds."""
        return oracle.content(1, 0, size_bytes)
