"""The stage of the engine's tests: engines that are closed and checked, and tasks that stopped half way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults import Resource, oracle, tempers
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults import FaultServer
    from tests.faults.script import Fault
    from tui_dl.core.events import Event
    from tui_dl.core.task import DownloadProgress, DownloadTask, TaskOptions

MIB = 1 << 20
LARGE_BYTES = 3 * MIB
"""Beyond the small files, so that a part file is made."""
LIMIT_S = 20.0
"""No test waits longer; reached only where one fails."""
EAGER_SPLITS = {
    "tui_dl.core.splitting.MIN_RANGE_BYTES": 64 * 1024,
    "tui_dl.core.splitting.MIN_RANGE_S": 0.0,
    "tui_dl.core.splitting.MIN_OPEN_SPLIT_BYTES": 128 * 1024,
    "tui_dl.core.splitting.MIN_OPEN_SPLIT_S": 0.0,
    "tui_dl.core.growth.LEAST_REMAINING_S": 0.05,
}
"""Split as soon as possible, so that small files have many connections."""


async def until(predicate: Callable[[], object], *, limit_s: float = LIMIT_S) -> None:
    """Wait until a predicate holds."""
    async with asyncio.timeout(limit_s):
        while not predicate():  # noqa: ASYNC110  # what is waited for tells no event
            await asyncio.sleep(0.002)


class Engines:
    """Opens engines over one download folder; `aclose()` proves that each left no connection counted as open."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder / "downloads"
        self.journal = folder / "journal.db"
        self.events: list[Event] = []
        """What all engines told, in order."""
        self.defaults: dict[str, Any] = {}
        """Settings of all engines where a test says nothing else."""
        self._open: list[AsyncDownloadEngine] = []

    async def __call__(
        self,
        *,
        journal: Path | None = None,
        retry_strategy: Callable[[DownloadTask, Exception], bool] | None = None,
        on_progress: Callable[[DownloadProgress], None] | None = None,
        **settings: Any,
    ) -> AsyncDownloadEngine:
        """Start an engine with quick retries."""
        chosen = {"dir": str(self.dir), "retry_delay": 0.01, "timeout": 5.0, **self.defaults, **settings}
        engine = AsyncDownloadEngine(
            Settings(**chosen), journal or MEMORY, retry_strategy=retry_strategy, on_progress=on_progress
        )
        await engine.start()
        engine.subscribe(self.events.append)
        self._open.append(engine)
        return engine

    async def close(self, engine: AsyncDownloadEngine) -> None:
        """End an engine as quitting does, and prove that nothing of it leaks."""
        if engine in self._open:
            self._open.remove(engine)
            async with asyncio.timeout(LIMIT_S):
                await engine.aclose()
            left = {host: one.open_connections for host, one in engine.context.budgets.items() if one.open_connections}
            assert not left

    async def aclose(self) -> None:
        """End all."""
        for engine in tuple(self._open):
            await self.close(engine)

    def path(self, name: str) -> Path:
        """Return a path in the download folder."""
        return self.dir / name

    def names(self) -> list[str]:
        """Return what is in the download folder, sorted."""
        return sorted(path.name for path in self.dir.iterdir()) if self.dir.exists() else []


async def fetch(engine: AsyncDownloadEngine, url: str, **words: Any) -> DownloadTask:
    """Add an address, wait for its end, return its row."""
    task = await engine.add(url, **words)
    return await ended(engine, task)


async def ended(engine: AsyncDownloadEngine, task: DownloadTask) -> DownloadTask:
    """Wait for a task's end and return its row."""
    async with asyncio.timeout(LIMIT_S):
        await engine.wait([task])
    return (await engine.rows([task.id]))[0]


async def row(engine: AsyncDownloadEngine, task: DownloadTask) -> DownloadTask:
    """Return a task's row as it is now."""
    return (await engine.rows([task.id]))[0]


async def log_of(engine: AsyncDownloadEngine, task: DownloadTask) -> str:
    """Return a task's log as one text."""
    details = await engine.details(task.id)
    assert details is not None
    return "\n".join(line.text for line in details.log)


def received(engine: AsyncDownloadEngine, task: DownloadTask) -> int:
    """Return the bytes that a task in hand has received."""
    progress = engine.snapshot().live.get(task.id)
    return 0 if progress is None else progress.downloaded_bytes


def is_whole(task: DownloadTask, resource: Resource) -> bool:
    """Whether a task completed with exactly the content of a version."""
    if task.status is not Status.COMPLETED:
        return False
    path = Path(task.path)
    if resource.body is not None:
        return path.read_bytes() == resource.body
    return oracle.check(path, resource.seed, resource.size_bytes) is None


async def half_done(
    engines: Engines,
    server: FaultServer,
    path: str,
    resource: Resource,
    *faults: Fault,
    held_bytes: int = MIB + MIB // 2,
    options: TaskOptions | None = None,
    **settings: Any,
) -> tuple[str, DownloadTask]:
    """Fetch the beginning of a file, then quit; return its address and row. The server then serves it well."""
    url = server.add(path, resource, *faults, tempers.stall_after(held_bytes))
    engine = await engines(journal=engines.journal, **settings)
    task = await engine.add(url, options=options)
    await until(lambda: received(engine, task) >= held_bytes)
    await engines.close(engine)
    server.script(path)
    return url, task
