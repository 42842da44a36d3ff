"""What others see of the engine: snapshots that are pulled, details of one task, progress callbacks at 4 Hz."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import TuiDlError
from tui_dl.core.media import Kind
from tui_dl.core.ports import EngineSnapshot, SegmentView, SourceView, TaskDetails
from tui_dl.core.ranges import ByteRange
from tui_dl.core.rate import SpeedMeter
from tui_dl.core.status import FINISHED
from tui_dl.disk.space import free_bytes
from tui_dl.engine.foreign import Foreign
from tui_dl.engine.host_views import host_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tui_dl.core.ports import WorkView
    from tui_dl.core.status import Status
    from tui_dl.core.task import DownloadProgress, DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.playlists import Playlists
    from tui_dl.engine.reading import Reading
    from tui_dl.engine.scheduler import Scheduler

logger = logging.getLogger(__name__)

TICK_S: Final = 0.25
SPACE_EVERY_S: Final = 5.0
REFRESH_EVERY_S: Final = 1.0
"""How often changes made by other processes are looked for."""
HISTORY_S: Final = 60


class Observer:
    """Feeds the meters four times a second and answers questions without asking the disk."""

    def __init__(
        self,
        context: EngineContext,
        scheduler: Scheduler,
        ledger: Ledger,
        default_dir: str,
        on_progress: Callable[[DownloadProgress], None] | None,
    ) -> None:
        self._context, self._scheduler, self._ledger = context, scheduler, ledger
        self._default_dir = default_dir
        self._on_progress = None if on_progress is None else Foreign(on_progress, "a progress callback")
        self._meter = SpeedMeter()
        self._peak_bps = 0.0
        self._received_bytes = 0
        self._started_at = context.clock()
        self._free_bytes: int | None = None
        self._reported: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.playlists: Playlists | None = None
        """Heads of playlists, which show how far their entries are."""

    def start(self) -> None:
        """Begin to tick."""
        if self._on_progress is not None:
            self._ledger.subscribe(lambda event: self._report_last(event.task))
        self._task = asyncio.ensure_future(self._tick_for_ever())

    async def aclose(self) -> None:
        """End ticking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # -- questions -----------------------------------------------------------------------------------------------------

    def snapshot(self, works: tuple[WorkView, ...] = ()) -> EngineSnapshot:
        """Return the present state; `works` are the bulk actions under way."""
        now = self._context.clock()
        settings, journal = self._context.settings, self._context.journal
        live = {live.task.id: live.progress(now) for live in self._lives()}
        if self.playlists is not None and self.playlists.are_there:
            live |= self.playlists.progresses(live.values())
        return EngineSnapshot(
            live=live,
            counts=self._counts(),
            speed_bps=self._meter.speed_bps(now),
            concurrent_downloads=settings.concurrent_downloads,
            limit_rate_bps=self._context.limits.whole.rate_bps,
            limit_until_at=self._context.limits.changes_at(),
            free_bytes=self._free_bytes,
            generation=journal.generation + self._ledger.changes,
            speed_history=tuple(map(float, self._meter.history(now, HISTORY_S))),
            works=works,
            notices=(
                *(*journal.notices, *self._context.watermark.notices, *self._scheduler.parker.notices()),
                *self._lacks(live.values()),
            ),
        )

    def _lacks(self, lives: Iterable[DownloadProgress]) -> tuple[str, ...]:
        """Return what media lack, while there are any in hand."""
        media = self._context.media
        lacks = media.lacks if media is not None else ()
        return lacks if lacks and any(one.task.kind is not Kind.FILE for one in lives) else ()

    def progress(self, task_id: int) -> DownloadProgress | None:
        """Return how a task in hand stands; None for any other."""
        live = self._scheduler.live_of(task_id)
        return None if live is None else live.progress(self._context.clock())

    def present(self, stored: DownloadTask) -> DownloadTask:
        """Return the row as it is now, given the journal's."""
        live = self._scheduler.live_of(stored.id)
        return self._scheduler.parker.present(stored) if live is None else live.task

    async def details(self, task_id: int) -> TaskDetails | None:
        """Return the particulars of one task."""
        rows = await self._context.journal.rows([task_id])
        if not rows:
            return None
        written = await self._context.journal.log_of(task_id)
        live = self._scheduler.live_of(task_id)
        if live is None:
            held = await self._held_of(rows[0])
            hosts = () if rows[0].status in FINISHED else host_views(self._context, rows[0], None)
            return TaskDetails(task=rows[0], held=held, hosts=hosts, log=written)
        now = self._context.clock()
        return TaskDetails(
            task=live.task,
            held=tuple(live.plan.held) if live.plan is not None else (),
            segments=tuple(self._segments(live, now)),
            sources=_sources_of(live),
            hosts=host_views(self._context, live.task, live),
            speed_history=tuple(map(float, live.meter.history(now, HISTORY_S))),
            peak_bps=live.peak_bps,
            log=written + live.lines(),
            response_headers=live.shown_headers(),
        )

    def statistics(self) -> dict[str, Any]:
        """Return totals since the start."""
        now = self._context.clock()
        result = self._ledger.tally.result(self._ledger.tally.total, now - self._started_at)
        return {
            "completed": result.success,
            "failed": result.failed,
            "skipped": result.skipped,
            "cancelled": result.cancelled,
            "active": len(self._scheduler.running),
            "waiting": len(self._scheduler.waiting),
            "downloaded_bytes": self._context.traffic.received_bytes,
            "completed_bytes": result.total_bytes,
            "speed_bps": self._meter.speed_bps(now),
            "peak_bps": self._peak_bps,
            "duration_s": result.duration_s,
            "files_per_s": result.files_per_s,
            "success_rate": result.success_rate,
            "errors_by_class": result.errors_by_class,
        }

    # -- within --------------------------------------------------------------------------------------------------------

    def _lives(self) -> Iterator[LiveTask]:
        for slot in self._scheduler.running.values():
            yield slot.live
        yield from self._scheduler.waiting.values()

    def _counts(self) -> dict[Status, int]:
        counts: Counter[Status] = Counter(self._context.journal.counts())
        for live in self._lives():
            if live.stored.status is not live.task.status:
                counts[live.stored.status] -= 1
                counts[live.task.status] += 1
        return {status: max(0, count) for status, count in counts.items()}

    async def _held_of(self, task: DownloadTask) -> tuple[ByteRange, ...]:
        if not task.part_path:
            return ()
        checkpoint = await self._context.journal.load_checkpoint(task.id)
        return tuple(ByteRange(extent.start, extent.end) for extent in checkpoint.extents)

    def _segments(self, live: LiveTask, now: float) -> Iterator[SegmentView]:
        for connection in live.connections:
            segment = connection.segment
            if segment is not None:
                end = segment.end if segment.end is not None else segment.position
                yield SegmentView(ByteRange(segment.position, end), _rate_of(connection, now))

    async def _tick_for_ever(self) -> None:
        space_at = refresh_at = float("-inf")
        while True:
            now = self._context.clock()
            self._tick(now)
            if now - space_at >= SPACE_EVERY_S:
                space_at = now
                self._free_bytes = await asyncio.to_thread(free_bytes, self._default_dir)
            if now - refresh_at >= REFRESH_EVERY_S:
                refresh_at = now
                try:
                    await self._context.journal.refresh()
                except TuiDlError as error:
                    logger.warning("the journal cannot be read: %s", error)
            await asyncio.sleep(TICK_S)

    def _tick(self, now: float) -> None:
        timeout_s = self._context.settings.timeout
        self._context.limits.refresh()
        # Nothing arrives for those that wait, and there may be very many.
        for slot in self._scheduler.running.values():
            live = slot.live
            if live.is_metered:
                live.meter_now(now)
            for connection in live.connections:
                connection.give_up_if_silent(now, timeout_s)
            self._report(live, now)
        fresh, self._received_bytes = (
            self._context.traffic.received_bytes - self._received_bytes,
            self._context.traffic.received_bytes,
        )
        self._meter.add(fresh, now)
        self._peak_bps = max(self._peak_bps, self._meter.speed_bps(now))

    def _report(self, live: LiveTask, now: float) -> None:
        if self._on_progress is not None and self._reported.get(live.task.id) != live.received_bytes:
            self._reported[live.task.id] = live.received_bytes
            self._on_progress.tell(live.progress(now))

    def _report_last(self, task: DownloadTask) -> None:
        live = self._scheduler.live_of(task.id)
        if live is not None:
            self._reported.pop(task.id, None)
            self._report(live, self._context.clock())
        if task.status in FINISHED:
            self._reported.pop(task.id, None)


def _sources_of(live: LiveTask) -> tuple[SourceView, ...]:
    if live.sources is None or len(live.sources.all) == 1:
        return ()
    at_work = Counter(connection.source for connection in live.connections)
    return tuple(SourceView(one.host, at_work[one], one.rate_bps or 0.0, one.ban) for one in live.sources.all)


def _rate_of(connection: Reading, now: float) -> float:
    elapsed_s = now - connection.started_at
    return connection.received_bytes / elapsed_s if elapsed_s > 0 else 0.0
