"""One batch of downloads from its first address to its last: adding, counting and waiting, without a screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tui_dl.cli.intake import Intake, IntakeEngine
from tui_dl.core.events import Event, EventKind
from tui_dl.core.media import Kind
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from tui_dl.cli.accounts import Accounts
    from tui_dl.cli.tally import Tally
    from tui_dl.core.failure_bound import FailureBound
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress, DownloadResult, NewTask

    Blocks = AsyncIterator["Block"]

TICK_S: Final = 0.5
"""How often a reporter sees a snapshot."""


class Block(NamedTuple):
    """Some addresses that came together."""

    items: Sequence[NewTask | BadLine]
    """What their lines say, in order."""
    list_name: str = ""
    """The list that holds them; empty for those that were typed."""


class BatchEngine(IntakeEngine, Protocol):
    """What a batch asks of the engine."""

    def snapshot(self) -> EngineSnapshot:
        """Return the present state."""
        ...

    def progress(self, task_id: int) -> DownloadProgress | None:
        """Return how one live task stands."""
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event on the loop; the returned function ends that."""
        ...

    async def wait(self) -> DownloadResult:
        """Return when nothing is left to do."""
        ...

    async def end_batch(self, batch: str) -> None:
        """Note that a batch was added whole and came to its end."""
        ...


class TooManyFailed(Exception):  # noqa: N818  # no fault: a bound that the person set ended the batch
    """More failed than `--max-failed` allows; what has arrived is kept."""


class Reporter(Protocol):
    """Whoever tells the outside how a batch goes."""

    @property
    def wants_progress(self) -> bool:
        """Whether it tells with each step how far its task is, which costs as much as the step itself."""
        ...

    def on_event(self, event: Event, progress: DownloadProgress | None, tally: Tally) -> None:
        """Tell one step, which is counted already; `progress` for a live task, where that is wanted."""
        ...

    def on_bad_line(self, line: BadLine, at: float) -> None:
        """Tell that a line was left out."""
        ...

    def on_tick(self, snapshot: EngineSnapshot, tally: Tally, at: float) -> None:
        """Tell how things stand; about once a second."""
        ...

    async def room(self) -> None:
        """Wait until the reader has taken what was told."""
        ...


class Reporters:
    """Several reporters as one."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = reporters
        self.wants_progress = any(one.wants_progress for one in reporters)
        """Whether one of them does."""

    @property
    def is_nobody(self) -> bool:
        """Whether there is nobody to tell."""
        return not self._reporters

    def on_event(self, event: Event, progress: DownloadProgress | None, tally: Tally) -> None:
        """Tell one step to all."""
        for one in self._reporters:
            one.on_event(event, progress, tally)

    def on_bad_line(self, line: BadLine, at: float) -> None:
        """Tell all that a line was left out."""
        for one in self._reporters:
            one.on_bad_line(line, at)

    def on_tick(self, snapshot: EngineSnapshot, tally: Tally, at: float) -> None:
        """Tell all how things stand."""
        for one in self._reporters:
            one.on_tick(snapshot, tally, at)

    async def room(self) -> None:
        """Wait for the slowest reader."""
        for one in self._reporters:
            await one.room()


async def run_batch(
    engine: BatchEngine,
    blocks: Blocks,
    reporter: Reporter,
    tally: Tally,
    *,
    name: str,
    owner: str,
    clock: Callable[[], float],
    bound: FailureBound | None = None,
    accounts: Accounts | None = None,
) -> None:
    """Add every block as it comes and return when nothing is left to do; `tally` holds what came of it.

    `owner` is the engine's instance id: rows of another instance are left to it. Raises `TooManyFailed` as soon as
    more failed than `bound` allows.
    """
    batch = _Batch(engine, reporter, tally, bound, accounts)
    intake = Intake(engine, batch.listen, batch=name, owner=owner, clock=clock)
    unsubscribe = engine.subscribe(batch.hear)
    ticker = asyncio.create_task(_tick(engine, reporter, tally, clock))
    try:
        await _unless(batch.too_many, batch.run(blocks, intake, name, clock))
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
        unsubscribe()


@dataclass(slots=True)
class _Batch:
    """A batch under way: who hears of it, and how many failures it may have."""

    engine: BatchEngine
    reporter: Reporter
    tally: Tally
    bound: FailureBound | None
    accounts: Accounts | None
    heads: set[int] = field(default_factory=set)
    """Playlists that are known for such: their entries count, they do not."""
    too_many: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once more failed than may."""

    async def run(self, blocks: Blocks, intake: Intake, name: str, clock: Callable[[], float]) -> None:
        """Add every block, then wait for the last task."""
        async for block in blocks:
            news = _take_bad_lines(block.items, self.reporter, self.tally, clock())
            self.tally.total += len(news)
            ids = await intake.add(news) if news else []
            if self.accounts is not None:
                await self.accounts.note(block.items, ids, block.list_name)
            self.judge()
            await self.reporter.room()
        self.tally.is_list_read = True
        self.judge()
        await self.engine.wait()
        await self.engine.end_batch(name)

    def hear(self, event: Event) -> None:
        """Take in what the engine tells."""
        if event.kind is EventKind.ADDED and event.task.parent_id:
            # A Metalink brought it: nobody counted it when the batch was added.
            self.tally.total += 1
        self.listen(event)

    def listen(self, event: Event) -> None:
        """Count an event and pass it on."""
        if event.task.kind is Kind.PLAYLIST and event.task.id not in self.heads:
            # It was counted when nobody knew; its entries are what counts.
            self.heads.add(event.task.id)
            self.tally.total -= 1
        self.tally.count(event)
        if self.accounts is not None:
            self.accounts.hear(event)
        # Not a snapshot: that one costs as much as there are live tasks, and this is called three times for each.
        progress = self.engine.progress(event.task.id) if self.reporter.wants_progress else None
        self.reporter.on_event(event, progress, self.tally)
        self.judge()

    def judge(self) -> None:
        """Note whether more failed than may."""
        bound, tally = self.bound, self.tally
        failed = tally.outcomes[EventKind.FAILED]
        if bound is not None and bound.is_exceeded_for_good(failed, tally.total, is_total_known=tally.is_list_read):
            self.too_many.set()


async def _unless(too_many: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work to its end; raises `TooManyFailed` where that comes first."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(too_many.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        if too_many.is_set():
            raise TooManyFailed
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def _take_bad_lines(
    block: Sequence[NewTask | BadLine], reporter: Reporter, tally: Tally, now: float
) -> Sequence[NewTask]:
    """Count and tell what is no address; return the rest."""
    news: list[NewTask] = []
    for one in block:
        if isinstance(one, BadLine):
            tally.count_bad_line(one)
            reporter.on_bad_line(one, now)
        else:
            news.append(one)
    return news


async def _tick(engine: BatchEngine, reporter: Reporter, tally: Tally, clock: Callable[[], float]) -> None:
    while not (isinstance(reporter, Reporters) and reporter.is_nobody):
        await asyncio.sleep(TICK_S)
        reporter.on_tick(engine.snapshot(), tally, clock())
