"""The stage of the queue's media tests: engines that download media, and what is waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.media import Kind
from tui_dl.core.query import TaskQuery
from tui_dl.core.settings import Settings
from tui_dl.core.status import FINISHED, Status
from tui_dl.core.task import TaskOptions
from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine
from tui_dl.media.worker import QueueMedia

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.task import DownloadTask

LIMIT_S = 60.0
QUIET = ("--no-cache-dir", "--ies", "html5,generic")
"""Options of all media: no trace outside, and the two extractors that know the site of these tests.

To ask the 1,800 others first was half of the work of each process that reads.
"""


async def until(predicate: Callable[[], object], *, limit_s: float = LIMIT_S) -> None:
    """Wait until a predicate holds."""
    async with asyncio.timeout(limit_s):
        while not predicate():  # noqa: ASYNC110  # what is waited for tells no event
            await asyncio.sleep(0.005)


class Queue:
    """One engine at a time over one folder and one journal."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder / "downloads"
        self.journal = folder / "journal.db"
        self.media = QueueMedia()
        self.engine: AsyncDownloadEngine
        self.settings: dict[str, Any] = {}

    async def open(self, *, keeps: bool = False, **settings: Any) -> AsyncDownloadEngine:
        """Start an engine; with `keeps` over a journal that outlives it."""
        self.settings = {"dir": str(self.dir), "retry_delay": 0.01, "site_delay": 0.0, "timeout": 10.0, **settings}
        self.media = QueueMedia()
        self.engine = AsyncDownloadEngine(
            Settings(**self.settings), self.journal if keeps else MEMORY, media=self.media
        )
        await self.engine.start()
        return self.engine

    async def close(self) -> None:
        """End it, and prove that nothing of it is left."""
        async with asyncio.timeout(LIMIT_S):
            await self.engine.aclose()
        budgets = self.engine.context.budgets.items()
        assert not {host: one.open_connections for host, one in budgets if one.open_connections}

    async def add(self, url: str, *options: str, **more: Any) -> DownloadTask:
        """Add media."""
        wanted = TaskOptions(**{"as_kind": "media", "yt_dlp": (*QUIET, *options), **more})
        return await self.engine.add(url, options=wanted)

    async def row(self, task: DownloadTask | int) -> DownloadTask:
        """Return a row as it is now."""
        return (await self.engine.rows([task if isinstance(task, int) else task.id]))[0]

    async def rows(self, kind: Kind = Kind.ENTRY) -> list[DownloadTask]:
        """Return all rows of a kind, in the order of the tree."""
        ids = await self.engine.view(TaskQuery(is_tree=True))
        return [task for task in await self.engine.rows(ids) if task.kind is kind]

    async def ended(self, task: DownloadTask) -> DownloadTask:
        """Wait for the end of a row; return it."""
        async with asyncio.timeout(LIMIT_S):
            await self.engine.wait([task])
        return await self.row(task)

    async def order(self, name: CommandName, *tasks: DownloadTask, **arguments: Any) -> CommandOutcome:
        """Give a command."""
        return await self.engine.execute(Command(name, tuple(task.id for task in tasks), arguments=arguments))

    async def idle(self) -> list[DownloadTask]:
        """Wait until nothing is left to be done; return what has not ended."""
        async with asyncio.timeout(LIMIT_S):
            await self.engine.wait()
        rows = await self.engine.rows(await self.engine.view(TaskQuery()))
        failed = [task for task in rows if task.status is Status.FAILED]
        assert not failed, [(task.url, task.reason_text, await self.log(task)) for task in failed]
        return [task for task in rows if task.status not in FINISHED]

    async def log(self, task: DownloadTask) -> list[str]:
        """Return what a row's log says."""
        details = await self.engine.details(task.id)
        return [] if details is None else [line.text for line in details.log]
