"""Playlists in the queue: their heads follow their entries, and commands on them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import TuiDlError
from tui_dl.core.events import EventKind
from tui_dl.core.media import Kind
from tui_dl.core.playlists import facts_of_head, state_of_head
from tui_dl.core.status import FINISHED, Status, way_to
from tui_dl.core.task import DownloadProgress, changed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from tui_dl.core.events import Event
    from tui_dl.core.playlists import EntryCount
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger
    from tui_dl.engine.scheduler import Scheduler

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.2
"""Entries that end meanwhile are counted together."""
_ENDS: Final = {
    Status.COMPLETED: EventKind.COMPLETED,
    Status.SKIPPED: EventKind.SKIPPED,
    Status.FAILED: EventKind.FAILED,
    Status.CANCELLED: EventKind.CANCELLED,
    Status.PAUSED: EventKind.PAUSED,
    Status.WAITING: EventKind.WAITING,
}


class Playlists:
    """All heads of this engine; costs nothing where there is none."""

    def __init__(self, context: EngineContext, ledger: Ledger, scheduler: Scheduler) -> None:
        self._context, self._ledger, self._scheduler = context, ledger, scheduler
        self._book = context.journal.playlists
        self._heads: dict[int, DownloadTask | None] = {}
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.changing = asyncio.Lock()
        """Held while rows of heads and entries are read and written."""

    async def start(self) -> None:
        """Take up the heads that there are."""
        if heads := await self._book.heads():
            self._follow()
            self._heads = dict.fromkeys(heads)
            self._doubt(heads)

    async def aclose(self) -> None:
        """Follow no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def are_there(self) -> bool:
        """Whether there is any."""
        return bool(self._heads)

    def track(self, head: DownloadTask) -> None:
        """Follow the entries of a head from now on."""
        self._follow()
        self._heads[head.id] = head
        self._doubt((head.id,))

    def doubt(self) -> None:
        """Count all entries anew: many may have changed."""
        if self._heads:
            self._doubt(self._heads)

    async def read_again(self, heads: Sequence[DownloadTask]) -> None:
        """Read playlists once more that are added again: they may have grown, or their entries be nobody's."""
        again = []
        async with self.changing:
            for task in heads:
                is_at_rest = self._scheduler.live_of(task.id) is None
                if task.kind is Kind.PLAYLIST and task.status is not Status.PAUSED and is_at_rest:
                    told = {"status": Status.PENDING, "facts": replace(task.facts, is_reading=True)}
                    again.append(changed(task, {**told, "reason": None, "reason_text": "", "finished_at": None}))
            await self._book.save_heads(again)
        for task in again:
            self.track(task)
            self._ledger.tell(EventKind.RETRYING, task)

    def added(self, rows: Sequence[DownloadTask]) -> None:
        """Tell of entries that are new or go on, and let them start."""
        for task in rows:
            if self._scheduler.live_of(task.id) is None:
                self._ledger.tell(EventKind.ADDED, task)
        self._scheduler.look_again()

    def note(self, task: DownloadTask) -> None:
        """Note that an attempt at a row of media has ended."""
        if task.kind is Kind.PLAYLIST:
            self.track(task)
        elif task.kind is Kind.ENTRY:
            self._doubt((task.parent_id,))

    async def settle(self) -> None:
        """Return when every head says what its entries say now."""
        while self._dirty or self.changing.locked():
            await self._look()

    # -- what is meant of a head ---------------------------------------------------------------------------------------

    async def heads_among(self, ids: Collection[int]) -> frozenset[int]:
        """Return those of these rows that are heads."""
        if not self._heads:
            return frozenset()
        known = [task_id for task_id in ids if task_id in self._heads]
        return frozenset(await self._book.heads(known)) if known else frozenset()

    async def as_they_are(self, ids: Collection[int]) -> list[DownloadTask]:
        """Return rows with all that was told before, tasks in hand included."""
        await self._context.journal.settle()
        rows = await self._context.journal.rows(list(ids))
        return [live.task if (live := self._scheduler.live_of(task.id)) is not None else task for task in rows]

    async def entries_of(self, heads: Collection[int]) -> list[DownloadTask]:
        """Return the entries of heads as they are now."""
        found = await self._book.entries(heads)
        return [live.task if (live := self._scheduler.live_of(task.id)) is not None else task for task in found]

    # -- for the screen ------------------------------------------------------------------------------------------------

    def progresses(self, lives: Iterable[DownloadProgress]) -> dict[int, DownloadProgress]:
        """Return how the heads of these tasks in hand stand: how far all of it is, and how fast."""
        if not self._heads:
            return {}
        below: dict[int, list[DownloadProgress]] = {}
        for progress in lives:
            if progress.task.kind is Kind.ENTRY:
                below.setdefault(progress.task.parent_id, []).append(progress)
        return {
            head: _progress_of(task, entries)
            for head, entries in below.items()
            if (task := self._heads.get(head)) is not None
        }

    # -- following -----------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        if self._task is None:
            self._unsubscribe = self._ledger.subscribe(self._hear)
            self._task = asyncio.get_running_loop().create_task(self._follow_for_ever())

    def _hear(self, event: Event) -> None:
        if event.task.kind is Kind.ENTRY:
            self._doubt((event.task.parent_id,))
        elif event.kind is EventKind.REMOVED and event.task.kind is Kind.PLAYLIST:
            self._heads.pop(event.task.id, None)

    def _doubt(self, heads: Iterable[int]) -> None:
        self._dirty.update(heads)
        self._wake.set()

    async def _follow_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._look()
            except TuiDlError as error:
                logger.warning("playlists cannot be counted: %s", error)
                self._wake.set()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        async with self.changing:
            wanted, self._dirty = self._dirty, set()
            journal = self._context.journal
            await journal.settle()
            counts = await self._book.counts(wanted)
            rows = await journal.rows(sorted(wanted))
            for gone in wanted - {task.id for task in rows}:
                self._heads.pop(gone, None)
            heads = [(task, self._derived(task, counts[task.id])) for task in rows if task.kind is Kind.PLAYLIST]
            changes = [(task, now) for task, now in heads if now != task]
            try:
                await self._book.save_heads([now for _, now in changes])
            except TuiDlError:
                self._dirty |= wanted
                raise
            # Not before it is recorded: what is shown of a head agrees with the counts.
            self._heads |= {now.id: now for _, now in heads if self._scheduler.live_of(now.id) is None}
        for before, now in changes:
            self._tell(before, now)

    def _derived(self, task: DownloadTask, counts: Sequence[EntryCount]) -> DownloadTask:
        """Return the row of a head as its entries make it."""
        facts = facts_of_head(task.facts, counts)
        live = self._scheduler.live_of(task.id)
        if live is not None:
            # It is being read: its own attempt says where it stands.
            live.change(facts=replace(facts, is_reading=live.task.facts.is_reading))
            self._heads[task.id] = live.task
            self._ledger.changes += 1
            return task
        now = changed(task, {"facts": facts})
        if not facts.is_reading and counts:
            lives = (slot.live.task for slot in self._scheduler.running.values())
            running = sum(one.parent_id == task.id and one.status not in FINISHED for one in lives)
            now = self._stepped(now, counts, running)
        return now

    def _stepped(self, task: DownloadTask, counts: Sequence[EntryCount], running: int) -> DownloadTask:
        state = state_of_head(counts, running)
        if way_to(task.status, state.status):
            is_end = state.status in FINISHED
            finished_at = self._context.wall_clock() if is_end else None
            task = changed(task, {"status": state.status, "finished_at": finished_at})
        told = {"reason": state.reason, "reason_text": state.text, "due_at": state.due_at}
        return changed(task, told)

    def _tell(self, before: DownloadTask, now: DownloadTask) -> None:
        self._ledger.changes += 1
        if before.status is now.status:
            return
        kind = _ENDS.get(now.status)
        if kind is None:
            kind = EventKind.STARTED if now.status is Status.DOWNLOADING else EventKind.RETRYING
        self._ledger.tell(kind, now)


def _progress_of(head: DownloadTask, entries: Sequence[DownloadProgress]) -> DownloadProgress:
    facts = head.facts
    ended = facts.done_count + facts.failed_count
    share = sum((one.percentage or 0.0) / 100 for one in entries)
    fraction = min(1.0, (ended + share) / facts.chosen_count) if facts.chosen_count else None
    return DownloadProgress(
        task=head,
        downloaded_bytes=sum(one.downloaded_bytes for one in entries),
        total_bytes=None,
        speed_bps=sum(one.speed_bps for one in entries),
        connections=sum(one.connections for one in entries),
        fraction=fraction,
        stage="reading" if facts.is_reading else "",
    )
