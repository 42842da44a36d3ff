"""A session for control commands within the test's own loop: engine, socket and lock as the real one has them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.faults import FaultServer, Resource, tempers
from tests.session.rpc_stage import FakeSession
from tui_dl._version import __version__
from tui_dl.cli.main import run
from tui_dl.core.query import TaskQuery
from tui_dl.core.settings import Settings
from tui_dl.engine.engine import AsyncDownloadEngine
from tui_dl.session.lock import SessionLock
from tui_dl.session.paths import SocketPaths, lock_file_in
from tui_dl.session.rpc.serving import RpcServer

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask


class Stage:
    """One session, and files to download; commands are typed in the folder `typed-in` of the test's own."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.home = home
        self.files = FaultServer()
        self.session = FakeSession()
        self.engine = AsyncDownloadEngine(
            Settings(dir=str(home / "files"), retry_delay=0.01, **settings), home / "data" / "journal.sqlite3"
        )
        # Short, since the path of a socket is.
        self._folder = Path(tempfile.mkdtemp(prefix="tui-dl-test-"))

    async def __aenter__(self) -> Self:
        self._folder_before = await asyncio.to_thread(_go_to, self.home.parent / "typed-in")
        await self.files.__aenter__()
        await self.engine.start()
        paths = SocketPaths(self._folder / "a", self._folder / "r")
        self._lock = await asyncio.to_thread(SessionLock.take, lock_file_in(self.home / "data"))
        assert self._lock is not None
        self._server = RpcServer(self.engine, self.session)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(paths.rpc))
        await self._server.serve_unix(listener)
        await asyncio.to_thread(self._lock.write, paths, __version__)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._lock is not None:
            await asyncio.to_thread(self._lock.release)
        await self._server.aclose()
        await self.engine.aclose()
        await self.files.__aexit__(None, None, None)
        await asyncio.to_thread(shutil.rmtree, self._folder)
        await asyncio.to_thread(os.chdir, self._folder_before)

    async def type(self, *words: str) -> int:
        """Type a command; return its exit code."""
        return await asyncio.to_thread(run, list(words))

    async def tasks(self) -> list[DownloadTask]:
        """Return all rows in order."""
        return await self.engine.rows(await self.engine.view(TaskQuery(has_history=True)))

    def file(self, name: str = "/a.bin", size_bytes: int = 5000) -> str:
        """Return the address of a file that comes at once."""
        return self.files.add(name, Resource(size_bytes))

    def held_file(self, name: str = "/held.bin") -> str:
        """Return the address of a file of which nothing more than its beginning comes."""
        return self.files.add(name, Resource(1 << 20), tempers.stall_after(1024))


def _go_to(folder: Path) -> Path:
    """Type from now on in a folder, made at need; return where it was typed before."""
    before = Path.cwd()
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    return before
