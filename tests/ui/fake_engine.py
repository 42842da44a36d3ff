"""An engine behind the port that only remembers what it was told; time is what the test says."""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.commands import Command, CommandOutcome
from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.media import Kind
from tui_dl.core.ports import BatchView, EngineSnapshot, FailureGroup, TaskDetails
from tui_dl.core.query import ANY_OF, SortKey, TaskQuery, Term, TermKind
from tui_dl.core.status import LIVE, Status
from tui_dl.core.task import DownloadProgress, DownloadTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tui_dl.core.media import MediaFormats

MIB = 1024 * 1024


def make_task(task_id: int, name: str, status: Status = Status.PENDING, **changes: object) -> DownloadTask:
    """Make a row as the journal would hold it."""
    task = DownloadTask(
        id=task_id,
        url=f"https://host.example/{name}",
        dir="/downloads",
        filename=name,
        status=status,
        host="host.example",
        total_bytes=100 * MIB,
        position=task_id,
    )
    return replace(task, **changes)  # type: ignore[arg-type]


class FakeEngine:
    """Fulfils `EnginePort` over a dict of rows."""

    def __init__(self, tasks: Iterable[DownloadTask] = (), *, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.tasks: dict[int, DownloadTask] = {task.id: task for task in tasks}
        self.progress: dict[int, DownloadProgress] = {}
        self.particulars: dict[int, TaskDetails] = {}
        self.commands: list[Command] = []
        self.queries: list[TaskQuery] = []
        self.names_of_batches: dict[int, str] = {}
        self.asked_rows = 0
        self.outcome = CommandOutcome()
        self.error: Exception | None = None
        self.formats: MediaFormats | None = None
        self.formats_gate = asyncio.Event()
        self.formats_gate.set()
        self.base = EngineSnapshot({}, {}, 0.0, 5, 0, None, 0)
        self._listeners: list[Callable[[Event], None]] = []

    def set_task(self, task: DownloadTask, kind: EventKind = EventKind.STARTED) -> None:
        """Change a row and tell the listeners."""
        self.tasks[task.id] = task
        self.base = replace(self.base, generation=self.base.generation + 1)
        for listener in self._listeners:
            listener(Event(kind, task, self.now))

    def run(self, task_id: int, downloaded_bytes: int, speed_bps: float, connections: int = 4) -> None:
        """Let a row be live."""
        task = replace(self.tasks[task_id], status=Status.DOWNLOADING)
        self.tasks[task_id] = task
        left_bytes = (task.total_bytes or 0) - downloaded_bytes
        eta_s = left_bytes / speed_bps if speed_bps and task.total_bytes else None
        self.progress[task_id] = DownloadProgress(
            task, downloaded_bytes, task.total_bytes, speed_bps, eta_s, connections
        )

    def snapshot(self) -> EngineSnapshot:
        """Return counts and live rows."""
        return replace(
            self.base,
            live=dict(self.progress),
            counts=self._counts(),
            speed_bps=sum(one.speed_bps for one in self.progress.values()),
        )

    def _counts(self) -> Mapping[Status, int]:
        counts: dict[Status, int] = {}
        for task in self.tasks.values():
            counts[task.status] = counts.get(task.status, 0) + 1
        return counts

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Remember the listener."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def execute(self, command: Command) -> CommandOutcome:
        """Remember the command."""
        await asyncio.sleep(0)
        self.commands.append(command)
        if self.error is not None:
            raise self.error
        return self.outcome

    async def view(self, query: TaskQuery, *, limit: int = -1) -> array[int]:
        """Filter and sort all rows."""
        await asyncio.sleep(0)
        self.queries.append(query)
        rows = [task for task in self.tasks.values() if _matches(task, query)]
        rows.sort(key=lambda task: _sort_key(task, query.sort), reverse=query.is_descending)
        ids = array("q", [task.id for task in (_as_tree(rows, query) if query.is_tree else rows)])
        return ids if limit < 0 else ids[:limit]

    async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return rows."""
        await asyncio.sleep(0)
        self.asked_rows += len(ids)
        return [self.tasks[task_id] for task_id in ids if task_id in self.tasks]

    async def details(self, task_id: int) -> TaskDetails | None:
        """Return particulars."""
        await asyncio.sleep(0)
        if task_id in self.particulars:
            return self.particulars[task_id]
        return TaskDetails(self.tasks[task_id]) if task_id in self.tasks else None

    async def media_formats(self, task_id: int) -> MediaFormats:
        """Return the formats once the gate is open."""
        await self.formats_gate.wait()
        if self.formats is None:
            raise ContentError(Reason.NO_MEDIA, f"nothing could be read at {self.tasks[task_id].url}")
        return self.formats

    async def batches(self) -> list[BatchView]:
        """Return the batches, newest first."""
        await asyncio.sleep(0)
        found = [self._batch_view(number) for number in {task.batch_id for task in self.tasks.values()} if number]
        return sorted(found, key=lambda one: -one.id)

    async def batch_names(self) -> list[str]:
        """Return their names."""
        return [one.name for one in await self.batches()]

    async def batch(self, batch_id: int) -> BatchView | None:
        """Return one batch."""
        return next((one for one in await self.batches() if one.id == batch_id), None)

    async def failure_groups(self, query: TaskQuery) -> list[FailureGroup]:
        """Return the failed rows by reason and host."""
        rows = await self.rows(await self.view(replace(query, statuses=frozenset({Status.FAILED}))))
        groups = Counter((task.reason or Reason.INTERNAL, task.host) for task in rows)
        return [FailureGroup(*group, count) for group, count in groups.most_common()]

    def _batch_view(self, batch_id: int) -> BatchView:
        rows = [task for task in self.tasks.values() if task.batch_id == batch_id]
        done = [task.downloaded_bytes for task in rows if task.status is Status.COMPLETED]
        counts = {status: number for status in Status if (number := sum(task.status is status for task in rows))}
        name = self.names_of_batches.get(batch_id, f"batch {batch_id}")
        return BatchView(batch_id, name, self.now, False, counts, sum(done), self.now - 100, self.now)


class HugeEngine(FakeEngine):
    """So many rows that nobody may look at all of them for a frame; they are made when asked for."""

    def __init__(self, row_count: int) -> None:
        super().__init__()
        self.row_count = row_count
        self.ids = array("q", range(1, row_count + 1))
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self.has_rare_rows = False

    def _counts(self) -> Mapping[Status, int]:
        return {Status.PENDING: self.row_count}

    async def view(self, query: TaskQuery, *, limit: int = -1) -> array[int]:
        """Answer at once: every tenth row matches any text. All rows come only when the gate is open.

        The first ones are never found where `has_rare_rows`.
        """
        await asyncio.sleep(0)
        self.queries.append(query)
        ids = self.ids[::10] if query.terms else self.ids
        if limit >= 0:
            if self.has_rare_rows:
                await asyncio.Event().wait()
            return ids[:limit]
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        return ids

    async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Make the rows asked for."""
        await asyncio.sleep(0)
        self.asked_rows += len(ids)
        return [self.tasks.get(task_id) or make_task(task_id, f"part-{task_id:07}.bin") for task_id in ids]


def _as_tree(rows: Sequence[DownloadTask], query: TaskQuery) -> list[DownloadTask]:
    """Put entries below their head where it is among the rows, those of closed heads nowhere."""
    heads = {task.id for task in rows if task.kind is Kind.PLAYLIST}
    entries = [task for task in rows if task.parent_id in heads]
    found: list[DownloadTask] = []
    for task in rows:
        if task.parent_id not in heads:
            found.append(task)
        if task.id in heads and task.id not in query.closed_ids:
            found += sorted((one for one in entries if one.parent_id == task.id), key=lambda one: one.facts.index or 0)
    return found


def _matches(task: DownloadTask, query: TaskQuery) -> bool:
    text = query.text.casefold()
    return (
        (not text or text in task.filename.casefold() or text in task.url.casefold())
        and (not query.statuses or task.status in query.statuses)
        and query.host in task.host
        and _fits_terms(task, query.terms)
    )


def _fits_terms(task: DownloadTask, terms: Sequence[Term]) -> bool:
    """Whether a row fits, as `Term` and `ANY_OF` say; patterns are left out."""
    needed = [term for term in terms if term.is_negated or term.kind not in ANY_OF]
    if any(_fits(task, term) is term.is_negated for term in needed):
        return False
    kinds = {term.kind for term in terms if term not in needed}
    return all(any(_fits(task, term) for term in terms if term not in needed and term.kind is kind) for kind in kinds)


def _fits(task: DownloadTask, term: Term) -> bool:
    if term.kind is TermKind.STATUS:
        return task.status in term.statuses
    if term.kind is TermKind.SIZE:
        size = task.total_bytes
        return size is not None and (term.least_bytes or 0) <= size <= (
            size if term.most_bytes is None else term.most_bytes
        )
    value = term.value.casefold()
    texts = {
        TermKind.TEXT: f"{task.filename}\n{task.url}",
        TermKind.HOST: task.host,
        TermKind.NAME: task.filename,
        TermKind.REASON: task.reason.value if task.reason else "",
        TermKind.BATCH: f"batch {task.batch_id}",
        TermKind.URL: task.url,
        TermKind.DIR: task.dir,
    }
    found = texts[term.kind].casefold()
    return value == found if term.is_exact else value in found


def _sort_key(task: DownloadTask, sort: SortKey) -> tuple[object, int]:
    keys: dict[SortKey, object] = {
        SortKey.POSITION: task.position,
        SortKey.NAME: task.filename.casefold(),
        SortKey.SIZE: task.total_bytes or 0,
        SortKey.STATUS: task.status.value,
        SortKey.HOST: task.host,
        SortKey.ADDED: task.added_at,
    }
    return keys[sort], task.id


def is_live(task: DownloadTask) -> bool:
    """Whether the row holds a slot."""
    return task.status in LIVE
