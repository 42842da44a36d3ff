"""The connections of one large transfer: grown gently, replaced when cut, never failing it while one works."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, FileSystemError, HttpError, NetworkError, Reason, TuiDlError
from tui_dl.core.growth import Growth
from tui_dl.core.pace import Replacing
from tui_dl.core.resume import Verdict
from tui_dl.engine.connection import Connection
from tui_dl.engine.outcome import VersionChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.core.splitting import Segment, SegmentPlan
    from tui_dl.engine.asking import Asker, Exchange
    from tui_dl.engine.connection import Sink
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.throttle import Throttle

TICK_S: Final = 0.1
PROGRESS_BYTES: Final = 64 * 1024
"""A connection that brought this much before it was cut has made progress: another follows at once."""
REPLACE_JITTER_S: Final = 0.25
PACE_EVERY_S: Final = 0.5
"""How often the rates of connections are looked at."""
FATAL: Final = (FileSystemError, ContentError, VersionChanged)
"""What ends the transfer even while other connections work."""


class Refused(NetworkError):  # noqa: N818  # a turn of events, mostly not an error
    """The server does not give one more range; its range goes back."""

    def __init__(self) -> None:
        super().__init__(Reason.RANGE_REFUSED, is_retryable=True)


class Crew:
    """Runs until every byte is held, or raises why it cannot go on."""

    def __init__(
        self,
        context: EngineContext,
        live: LiveTask,
        plan: SegmentPlan,
        asker: Asker,
        *,
        sink: Sink,
        throttles: Sequence[Throttle],
        on_written: Callable[[list[Extent]], None],
        most: int,
        can_range: bool,
    ) -> None:
        self._context, self._live, self._plan, self._asker, self._sink = context, live, plan, asker, sink
        self._throttles, self._on_written = throttles, on_written
        self._can_range = can_range
        self._growth = Growth(most if can_range else 1, context.clock())
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        self._coming: set[Connection] = set()
        self._has_ended = False
        self._rate_bps = 0.0
        self._counted = (context.clock(), live.received_bytes)
        self._replacing = Replacing()
        self._paced_at = context.clock()

    async def run(self, first: Exchange, segment: Segment) -> None:
        """Fetch all that is missing, beginning with an answer that is there already."""
        self._start(segment, first)
        try:
            while not self._is_done():
                ended, _ = await asyncio.wait(self._tasks, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    self._settle(task)
                if not self._is_done():
                    self._tick()
        finally:
            await self._dismiss()

    def set_most(self, most: int) -> None:
        """Have this many connections, as a person asked: no more growing by itself."""
        self._growth.most = most
        self._growth.target = most
        self._growth.is_settled = True
        if self._can_range:
            youngest = sorted(self._tasks, key=lambda task: self._tasks[task].started_at)
            for task in youngest[most:]:
                task.cancel()

    def _is_done(self) -> bool:
        return self._plan.is_complete or self._has_ended

    # -- one connection ------------------------------------------------------------------------------------------------

    def _start(self, segment: Segment, exchange: Exchange | None, delay_s: float = 0.0) -> Connection:
        gather_bytes = self._context.settings.chunk_size
        connection = Connection(
            self._live,
            self._plan,
            self._sink,
            self._throttles,
            gather_bytes=gather_bytes,
            on_written=self._on_written,
        )
        # Known here already: a task that is cancelled before its first step gives the range back, too.
        connection.segment = segment
        if exchange is None:
            self._coming.add(connection)
        task = asyncio.ensure_future(self._work(connection, segment, exchange, delay_s))
        self._tasks[task] = connection
        self._live.connections.append(connection)
        return connection

    async def _work(
        self, connection: Connection, segment: Segment | None, exchange: Exchange | None, delay_s: float
    ) -> None:
        try:
            if delay_s:
                await asyncio.sleep(delay_s)
            while segment is not None:
                if exchange is None:
                    self._coming.discard(connection)
                    if not self._has_room(is_alone=len(self._tasks) == 1):
                        return
                    exchange = await self._open(segment)
                await connection.pump(exchange.answer, segment, exchange.answer_end)
                exchange.close()
                if segment.end is None:
                    self._plan.total_bytes = segment.position
                    self._has_ended = True
                self._plan.release(segment)
                exchange, segment = None, self._next_segment()
        finally:
            if exchange is not None:
                exchange.close()
            try:
                await connection.flush()
            finally:
                if segment is not None:
                    self._plan.release(segment)

    def _next_segment(self) -> Segment | None:
        if self._is_done() or not self._can_range or len(self._tasks) > self._growth.target:
            return None
        return self._plan.take(self._rate_bps / max(1, len(self._tasks)))

    async def _open(self, segment: Segment) -> Exchange:
        """Ask for a further range; at most once more without the condition."""
        for _ in range(2):
            assert segment.end is not None
            exchange = await self._asker.ask_extra(segment.position, segment.end)
            verdict = exchange.judgement.verdict
            if verdict is Verdict.PARTIAL:
                return exchange
            exchange.close()
            if verdict is Verdict.CHANGED:
                raise VersionChanged
            if verdict is not Verdict.NEXT_RUNG:
                break
            self._asker.sends_if_range = False
        raise Refused

    # -- the whole -----------------------------------------------------------------------------------------------------

    def _settle(self, task: asyncio.Task[None]) -> None:
        connection = self._tasks.pop(task)
        self._live.connections.remove(connection)
        self._coming.discard(connection)
        if connection.segment is not None:
            self._plan.release(connection.segment)
        if task.cancelled():
            if connection.is_replaced:
                self._recruit(follows_bps=connection.pace.rate_bps or 0.0)
            return
        error = task.exception()
        if error is None:
            return
        if isinstance(error, FATAL) or not isinstance(error, TuiDlError):
            raise error
        self._live.note(f"connection ended: {error}")
        if self._tasks:
            if connection.received_bytes == 0:
                self._growth.refuse(len(self._tasks))
            return
        if connection.received_bytes < PROGRESS_BYTES or not self._can_range:
            raise error
        self._growth.refuse(1)
        self._recruit(delay_s=self._context.random() * REPLACE_JITTER_S)

    def _tick(self) -> None:
        now = self._context.clock()
        for connection in self._tasks.values():
            connection.flush_if_old(now)
            connection.give_up_if_silent(now, self._context.settings.timeout)
        self._measure(now)
        if now - self._paced_at >= PACE_EVERY_S:
            self._paced_at = now
            self._replace_laggard(now)
        total = self._plan.total_bytes
        if total is not None and self._can_range:
            remaining = total - self._live.received_bytes
            working = sum(1 for one in self._tasks.values() if one.received_bytes)
            self._growth.step(now, self._live.received_bytes, remaining, working)
            while len(self._tasks) < self._growth.target and self._recruit():
                pass
        if not self._tasks and not self._is_done() and not self._recruit():
            raise self._why_not()

    def _why_not(self) -> TuiDlError:
        wait_s = self._asker.budget.wait_s(self._context.clock())
        if wait_s > 0:
            return HttpError(Reason.HOST_ASKED, "the host asked to wait", is_retryable=True, retry_after_s=wait_s)
        return NetworkError(Reason.TRUNCATED, is_retryable=True)

    def _measure(self, now: float) -> None:
        at, received = self._counted
        if now - at >= 5 * TICK_S:
            self._rate_bps = (self._live.received_bytes - received) / (now - at)
            self._counted = (now, self._live.received_bytes)

    def _replace_laggard(self, now: float) -> None:
        """Let another connection fetch what the slowest one lags behind with, if the host bears one more request."""
        working = [one for task, one in self._tasks.items() if not task.done() and one not in self._coming]
        for one in working:
            one.pace.mark(now, one.received_bytes)
            if one.is_limited:
                one.pace.restart(now, one.received_bytes)
            rate_bps = one.pace.rate_bps
            if one.follows_bps is not None and rate_bps is not None:
                self._replacing.judged(one.follows_bps, rate_bps)
                one.follows_bps = None
        self._replacing.observe(one.pace.rate_bps for one in working)
        slowest = min(working, key=lambda one: _or_infinite(one.pace.rate_bps), default=None)
        if slowest is None or not self._can_range or not self._replacing.is_laggard(slowest.pace.rate_bps, now):
            return
        if slowest.segment is None or slowest.segment.end is None or self._asker.budget.wait_s(now) > 0:
            return
        self._replacing.replaced(now)
        self._dismiss_laggard(slowest)

    def _dismiss_laggard(self, slowest: Connection) -> None:
        rate_bps = slowest.pace.rate_bps or 0.0
        self._live.note(f"a connection at {rate_bps / 1024:.0f} KiB/s lags behind the others; another takes over")
        slowest.is_replaced = True
        for task, one in self._tasks.items():
            if one is slowest:
                task.cancel()

    def _recruit(self, delay_s: float = 0.0, follows_bps: float | None = None) -> bool:
        if not self._can_range or not self._has_room(is_alone=not self._tasks):
            return False
        segment = self._plan.take(self._rate_bps / max(1, len(self._tasks)))
        if segment is None:
            return False
        self._start(segment, None, delay_s).follows_bps = follows_bps
        return True

    def _has_room(self, *, is_alone: bool) -> bool:
        """Whether the host bears one more connection now; the only one of a task is bounded by what was learned."""
        budget, now, coming = self._asker.budget, self._context.clock(), len(self._coming)
        if is_alone:
            return budget.can_start(now, coming=coming)
        return budget.can_grow(now, self._context.settings.per_host, coming=coming)

    async def _dismiss(self) -> None:
        """End all connections; what they received is written and held afterwards."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task, connection in self._tasks.items():
            self._live.connections.remove(connection)
            if not task.cancelled() and task.exception() is not None:
                self._live.note(f"connection ended: {task.exception()}")
        self._tasks.clear()


def _or_infinite(rate_bps: float | None) -> float:
    return float("inf") if rate_bps is None else rate_bps
