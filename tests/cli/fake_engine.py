"""An engine that settles each task as its address says, behind the port that a batch knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import Command, CommandName, CommandOutcome
from tui_dl.core.errors import Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.ports import EngineSnapshot
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress, DownloadResult, DownloadTask
from tui_dl.journal.outcomes import AddOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.task import NewTask

SIZE_BYTES: Final = 1000
OWNER: Final = "us"
AT: Final = 1_700_000_000.0


def task_of(url: str, task_id: int = 1, **changes: object) -> DownloadTask:
    """Return a row for an address."""
    task = DownloadTask(id=task_id, url=url, dir="/d", filename=url.rpartition("/")[2], total_bytes=SIZE_BYTES)
    return replace(task, **changes)  # type: ignore[arg-type]  # tests name fields freely


class FakeEngine:
    """`fail...` fails, `skip` is skipped, `cancel` is cancelled, `hang` never ends, all other names complete."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Event], None]] = []
        self.batches: list[list[NewTask]] = []
        self.names: set[str] = set()
        self.live: dict[int, DownloadProgress] = {}
        self.hangs = asyncio.Event()
        self.open: list[DownloadTask] = []
        self.known: dict[str, DownloadTask] = {}
        self.left: set[str] = set()
        self.ended: list[str] = []
        self.commands: list[Command] = []
        self._count = 100

    def snapshot(self) -> EngineSnapshot:
        """Return what lives."""
        return EngineSnapshot(
            live=self.live,
            counts={},
            speed_bps=5.0,
            concurrent_downloads=5,
            limit_rate_bps=0,
            free_bytes=None,
            generation=0,
        )

    def progress(self, task_id: int) -> DownloadProgress | None:
        """Return how a live task stands."""
        return self.live.get(task_id)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call the listener for each event."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    async def add_checked(
        self,
        news: Sequence[NewTask],
        *,
        batch: str,
        keeps_first: bool = False,
    ) -> list[AddOutcome]:
        """Take tasks in and tell of the new ones; a known address comes back as it is."""
        self.batches.append(list(news))
        self.names.add(batch)
        outcomes = []
        for new in news:
            if new.url in self.known:
                outcomes.append(AddOutcome(self.known[new.url], is_new=False, is_left=new.url in self.left))
                continue
            self._count += 1
            task = self.known[new.url] = task_of(new.url, self._count, owner=OWNER)
            outcomes.append(AddOutcome(task, is_new=True))
            self.open.append(task)
            self.emit(EventKind.ADDED, task)
        return outcomes

    async def execute(self, command: Command) -> CommandOutcome:
        """Remove, retry or resume rows."""
        self.commands.append(command)
        tasks = [task for task in self.known.values() if task.id in command.ids]
        if command.name is CommandName.CLEAR_FINISHED:
            for task in tasks:
                del self.known[task.url]
        else:
            self.open += [replace(task, status=Status.PENDING) for task in tasks]
        return CommandOutcome(len(tasks))

    async def wait(self) -> DownloadResult:
        """Settle every task as its address says."""
        for task in self.open:
            await self._settle(task)
        return DownloadResult(0, 0, 0, 0, [])

    async def end_batch(self, batch: str) -> None:
        """Note which batch came to its end."""
        self.ended.append(batch)

    async def _settle(self, task: DownloadTask) -> None:
        word = task.filename
        if word == "hang":
            self.live[task.id] = DownloadProgress(task, 250, SIZE_BYTES, 5.0, 150.0, 1)
            self.hangs.set()
            await asyncio.Event().wait()
        elif word.startswith("fail"):
            failed = replace(task, status=Status.FAILED, reason=Reason.NOT_FOUND, reason_text="not found (404)")
            self.emit(EventKind.FAILED, failed)
        elif word == "skip":
            self.emit(EventKind.SKIPPED, replace(task, status=Status.SKIPPED))
        elif word == "cancel":
            self.emit(EventKind.CANCELLED, replace(task, status=Status.CANCELLED))
        else:
            done = replace(task, status=Status.COMPLETED, path=f"/d/{word}", downloaded_bytes=SIZE_BYTES)
            self.emit(EventKind.COMPLETED, done)

    def emit(self, kind: EventKind, task: DownloadTask) -> None:
        """Tell all listeners."""
        for listener in self.listeners:
            listener(Event(kind, task, AT))
