"""The connections of one large transfer: grown gently, replaced when cut, never failing it while one works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import host_of
from tui_dl.core.errors import ContentError, FileSystemError, HttpError, NetworkError, Reason, TuiDlError, Unwanted
from tui_dl.core.growth import Growth
from tui_dl.engine.connection import Connection
from tui_dl.engine.crowd import Places
from tui_dl.engine.lagging import Laggards
from tui_dl.engine.outcome import VersionChanged
from tui_dl.engine.sources import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.extents import Extent
    from tui_dl.core.host_budget import HostBudget
    from tui_dl.core.splitting import Segment, SegmentPlan
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.connection import Sink
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.inspecting import Inspector
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.sources import Source, Sources

TICK_S: Final = 0.1
GROWING_TICK_S: Final = 0.005
"""While more connections may follow, each look that comes late costs their work."""
PROGRESS_BYTES: Final = 64 * 1024
"""A connection that brought this much before it was cut has made progress: another follows at once."""
REPLACE_JITTER_S: Final = 0.25


class Crew:
    """Runs until every byte is held, or raises why it cannot go on."""

    def __init__(
        self,
        context: EngineContext,
        live: LiveTask,
        plan: SegmentPlan,
        sources: Sources,
        *,
        sink: Sink,
        on_written: Callable[[list[Extent]], None],
        most: int,
        can_range: bool,
        inspector: Inspector | None = None,
    ) -> None:
        self._context, self._live, self._plan, self._sources, self._sink = context, live, plan, sources, sink
        self._on_written = on_written
        self._can_range = can_range
        self._inspector = inspector
        self._growth = Growth(most if can_range else 1)
        self._places = Places(context, live)
        self._laggards = Laggards(live, sources, context.clock())
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        self._source_of: dict[Connection, Source] = {}
        self._coming: set[Connection] = set()
        self._has_ended = False
        self._rate_bps = 0.0
        self._last_error: TuiDlError | None = None
        self._counted = (context.clock(), live.received_bytes)

    async def run(self, first: Exchange, segment: Segment, source: Source) -> None:
        """Fetch all that is missing, beginning with an answer that is there already."""
        self._start(segment, first, source)
        try:
            while True:
                await self._fetch()
                if self._inspector is None or await self._inspector.is_all_well():
                    return
        finally:
            await self._dismiss()
            if self._inspector is not None:
                await self._inspector.aclose()

    def set_most(self, most: int) -> None:
        """Have this many connections, as a person asked: no more growing by itself."""
        self._growth.most = most
        self._growth.target = most
        self._growth.is_settled = True
        if self._can_range:
            youngest = sorted(self._tasks, key=lambda task: self._tasks[task].started_at)
            for task in youngest[most:]:
                task.cancel()

    async def _fetch(self) -> None:
        while not self._is_done():
            if not self._tasks and not self._recruit():
                raise self._why_not()
            tick_s = TICK_S if self._growth.is_settled else min(TICK_S, GROWING_TICK_S)
            ended, _ = await asyncio.wait(self._tasks, timeout=tick_s, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                self._settle(task)
            if not self._is_done():
                self._tick()

    def _is_done(self) -> bool:
        return self._plan.is_complete or self._has_ended

    # -- one connection ------------------------------------------------------------------------------------------------

    def _start(self, segment: Segment, exchange: Exchange | None, source: Source, delay_s: float = 0.0) -> Connection:
        connection = Connection(
            self._live,
            self._plan,
            self._sink,
            self._context.throttles_of(self._live.task, host_of(source.asker.final_url or source.url)),
            gather_bytes=self._context.settings.chunk_size,
            on_written=self._recorder_of(source),
            takes_views=True,
        )
        # Known here already: a task that is cancelled before its first step gives the range back, too.
        connection.segment = segment
        self._source_of[connection] = connection.source = source
        if exchange is None:
            self._coming.add(connection)
        task = asyncio.ensure_future(self._work(connection, segment, exchange, source, delay_s))
        self._tasks[task] = connection
        self._live.connections.append(connection)
        return connection

    def _recorder_of(self, source: Source) -> Callable[[list[Extent]], None]:
        if self._inspector is None:
            return self._on_written

        def record(extents: list[Extent]) -> None:
            for extent in extents:
                source.brought.add(extent.start, extent.end)
            self._on_written(extents)

        return record

    async def _work(
        self,
        connection: Connection,
        segment: Segment | None,
        exchange: Exchange | None,
        source: Source,
        delay_s: float,
    ) -> None:
        try:
            if delay_s:
                await asyncio.sleep(delay_s)
            while segment is not None:
                if exchange is None:
                    self._coming.discard(connection)
                    if not self._has_room(source, is_alone=len(self._tasks) == 1):
                        return
                    assert segment.end is not None
                    exchange = await self._sources.open_range(source, segment.position, segment.end)
                await connection.pump(exchange.answer, segment, exchange.answer_end)
                exchange.close()
                if segment.end is None:
                    self._plan.total_bytes = segment.position
                    self._has_ended = True
                self._plan.release(segment)
                source.failures = 0
                exchange, segment = None, self._next_segment(source)
        finally:
            if exchange is not None:
                exchange.close()
            try:
                await connection.flush_at_last()
            finally:
                connection.forget()
                if segment is not None:
                    self._plan.release(segment)

    def _next_segment(self, source: Source) -> Segment | None:
        if self._is_done() or not self._can_range or len(self._tasks) > self._growth.target or source.ban:
            return None
        return self._plan.take(self._rate_bps / max(1, len(self._tasks)))

    # -- the whole -----------------------------------------------------------------------------------------------------

    def _settle(self, task: asyncio.Task[None]) -> None:
        connection = self._tasks.pop(task)
        source = self._source_of.pop(connection)
        self._live.connections.remove(connection)
        self._coming.discard(connection)
        if connection.segment is not None:
            self._plan.release(connection.segment)
        if task.cancelled():
            if connection.is_replaced:
                self._recruit(follows_bps=connection.pace.rate_bps or 0.0)
            return
        error = task.exception()
        if error is not None:
            self._settle_error(connection, source, error)

    def _settle_error(self, connection: Connection, source: Source, error: BaseException) -> None:
        if self._is_fatal(error, source):
            raise error
        assert isinstance(error, TuiDlError)
        self._last_error = error
        self._live.note(f"connection ended: {error}")
        has_progressed = connection.received_bytes >= PROGRESS_BYTES
        if self._sources.has_other(source):
            if not has_progressed and not self._is_of_the_crowd(error, source):
                self._sources.failed(source, error, is_final=isinstance(error, ContentError | HttpError))
            return
        if self._tasks:
            if connection.received_bytes == 0:
                self._growth.refuse(len(self._tasks))
            return
        if not has_progressed or not self._can_range:
            raise error
        self._growth.refuse(1)
        self._recruit(delay_s=self._context.random() * REPLACE_JITTER_S)

    def _is_of_the_crowd(self, error: TuiDlError, source: Source) -> bool:
        """Whether a source refused one connection more while others of it work; its host's budget has learned that."""
        return isinstance(error, HttpError) and error.is_retryable and source in self._source_of.values()

    def _is_fatal(self, error: BaseException, source: Source) -> bool:
        """Whether it ends the transfer even while other connections work."""
        if isinstance(error, ContentError):
            return isinstance(error, Unwanted) or not self._sources.has_other(source)
        return isinstance(error, FileSystemError | VersionChanged) or not isinstance(error, TuiDlError)

    def _tick(self) -> None:
        now = self._context.clock()
        for task, connection in self._tasks.items():
            connection.flush_if_old(now)
            connection.give_up_if_silent(now, self._context.settings.timeout)
            if self._source_of[connection].ban and not task.cancelling():
                task.cancel()
        self._measure(now)
        if self._inspector is not None:
            self._inspector.tick(now)
        total = self._plan.total_bytes
        if total is None or not self._can_range:
            return
        laggard = self._laggards.find(now, self._source_of, self._coming)
        for task, connection in self._tasks.items():
            if connection is laggard:
                task.cancel()
        remaining = total - self._live.received_bytes
        working = sum(1 for one in self._tasks.values() if one.received_bytes)
        self._growth.step(now, self._live.received_bytes, remaining, working)
        self._share()
        while len(self._tasks) < self._growth.target and self._recruit():
            pass

    def _share(self) -> None:
        """Claim places at the hosts, and leave those that others have a right to, the youngest first."""
        sources = self._source_of.values()
        self._places.claim(self._growth.target, (one.asker.budget for one in sources))
        for budget in {id(one.asker.budget): one.asker.budget for one in sources}.values():
            here = self._at_work(budget)
            surplus = max(0, self._places.surplus(budget, len(here)))
            for task in here[len(here) - surplus :]:
                task.cancel()

    def _at_work(self, budget: HostBudget) -> list[asyncio.Task[None]]:
        """Return the connections to a host that are to stay, the oldest first."""
        return [
            task
            for task, one in self._tasks.items()
            if self._source_of[one].asker.budget is budget and not task.cancelling()
        ]

    def _has_place(self, source: Source, *, is_alone: bool) -> bool:
        """Whether others leave room for one more connection of this task at the host."""
        budget = source.asker.budget
        return is_alone or self._places.surplus(budget, len(self._at_work(budget))) < 0

    def _why_not(self) -> TuiDlError:
        now = self._context.clock()
        waits = [one.asker.budget.wait_s(now) for one in self._sources.usable]
        if waits and min(waits) > 0:
            text = "the host asked to wait"
            return HttpError(Reason.HOST_ASKED, text, is_retryable=True, retry_after_s=min(waits))
        return self._last_error or NetworkError(Reason.TRUNCATED, is_retryable=True)

    def _measure(self, now: float) -> None:
        at, received = self._counted
        if now - at >= 5 * TICK_S:
            self._rate_bps = (self._live.received_bytes - received) / (now - at)
            self._counted = (now, self._live.received_bytes)

    def _recruit(self, delay_s: float = 0.0, follows_bps: float | None = None) -> bool:
        if not self._can_range:
            return False
        is_alone = not self._tasks
        at_work = counted(self._source_of.values())
        source = self._sources.pick(
            lambda one: self._has_room(one, is_alone=is_alone) and self._has_place(one, is_alone=is_alone), at_work
        )
        if source is None:
            return False
        segment = self._plan.take(self._rate_bps / max(1, len(self._tasks)))
        if segment is None:
            return False
        self._start(segment, None, source, delay_s).follows_bps = follows_bps
        return True

    def _has_room(self, source: Source, *, is_alone: bool) -> bool:
        """Whether the host bears one more connection now; the only one of a task is bounded by what was learned."""
        budget, now = source.asker.budget, self._context.clock()
        coming = sum(1 for one in self._coming if self._source_of[one].asker.budget is budget)
        if is_alone:
            return budget.can_start(now, coming=coming)
        return budget.can_grow(now, self._context.settings.per_host, coming=coming)

    async def _dismiss(self) -> None:
        """End all connections; what they received is written and held afterwards."""
        self._places.leave()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task, connection in self._tasks.items():
            self._live.connections.remove(connection)
            if connection.segment is not None:
                self._plan.release(connection.segment)
            if not task.cancelled() and task.exception() is not None:
                self._live.note(f"connection ended: {task.exception()}")
        self._tasks.clear()
        self._source_of.clear()
