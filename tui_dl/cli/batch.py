"""One batch of downloads from its first address to its last: adding, counting and waiting, without a screen."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from tui_dl.cli.intake import Intake, IntakeEngine
from tui_dl.cli.memory import peak_memory_bytes
from tui_dl.core.errors import Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.manifest import is_gone
from tui_dl.core.task import DownloadResult
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from tui_dl.cli.accounts import Accounts
    from tui_dl.core.failure_bound import FailureBound
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress, NewTask

TICK_S: Final = 0.5
"""How often a reporter sees a snapshot."""
MOST_FAILED_URLS: Final = 1_000
"""Addresses of failed tasks that a summary names."""
MOST_EXPLAINED: Final = 50
"""Failures that are explained one by one at the end."""
MOST_PLACES: Final = 1_000
"""Pairs of reason and host that are counted at once; beyond, those with the fewest failures are forgotten."""
_OUTCOMES: Final = frozenset({EventKind.COMPLETED, EventKind.FAILED, EventKind.SKIPPED, EventKind.CANCELLED})


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

    def on_event(self, event: Event, progress: DownloadProgress | None, tally: Tally) -> None:
        """Tell one step, which is counted already; `progress` for a live task."""
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


@dataclass(slots=True)
class Failure:
    """A failed task as it is explained at the end."""

    name: str
    """File name or address."""
    reason: Reason
    """Documented reason."""
    text: str
    """What happened, in words."""


@dataclass(slots=True)
class Tally:
    """What came of a batch so far, counted from events."""

    began_at: float
    """Unix time of the start."""
    total: int = 0
    """Tasks asked for, bad lines included."""
    bad_lines: int = 0
    """Lines that held no usable address; they count as failed too."""
    is_list_read: bool = False
    """Whether every line was read, so that `total` is final."""
    gone: int = 0
    """Those of the failed that the server does not have."""
    outcomes: Counter[EventKind] = field(default_factory=Counter)
    """How many ended how."""
    total_bytes: int = 0
    """Bytes of completed files."""
    reasons: Counter[Reason] = field(default_factory=Counter)
    """Failures by reason."""
    places: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    """Failures by reason and host; of very many hosts those with the most."""
    failed_urls: list[str] = field(default_factory=list)
    """Addresses of failed tasks, the first `MOST_FAILED_URLS`."""
    failures: list[Failure] = field(default_factory=list)
    """The first `MOST_EXPLAINED` failures."""

    @property
    def ended(self) -> int:
        """Tasks that want nothing more."""
        return sum(self.outcomes.values())

    def count(self, event: Event) -> None:
        """Take in one event."""
        task = event.task
        if event.kind not in _OUTCOMES:
            return
        self.outcomes[event.kind] += 1
        if event.kind is EventKind.COMPLETED:
            self.total_bytes += task.downloaded_bytes if task.total_bytes is None else task.total_bytes
        if event.kind is EventKind.FAILED:
            self.gone += is_gone(task)
            reason = task.reason or Reason.INTERNAL
            self._fail(task.filename or task.url, task.url, reason, task.reason_text)
            self.places[reason, task.host] += 1
            if len(self.places) > 2 * MOST_PLACES:
                self.places = Counter(dict(self.places.most_common(MOST_PLACES)))

    def count_bad_line(self, line: BadLine) -> None:
        """Take in a line that was left out: it was asked for and failed."""
        self.total += 1
        self.bad_lines += 1
        self.outcomes[EventKind.FAILED] += 1
        self._fail(f"{line.name}:{line.number}", line.text_shown, Reason.BAD_URL, line.problem)

    def _fail(self, name: str, url: str, reason: Reason, text: str) -> None:
        self.reasons[reason] += 1
        if len(self.failed_urls) < MOST_FAILED_URLS:
            self.failed_urls.append(url)
        if len(self.failures) < MOST_EXPLAINED:
            self.failures.append(Failure(name, reason, text))

    def result(self, now: float) -> DownloadResult:
        """Return the outcome as a record."""
        return DownloadResult(
            total=self.total,
            success=self.outcomes[EventKind.COMPLETED],
            failed=self.outcomes[EventKind.FAILED],
            skipped=self.outcomes[EventKind.SKIPPED],
            cancelled=self.outcomes[EventKind.CANCELLED],
            failed_urls=list(self.failed_urls),
            total_bytes=self.total_bytes,
            duration_s=max(now - self.began_at, 0.0),
            errors_by_class={reason.value: count for reason, count in self.reasons.most_common()},
            gone=self.gone,
            peak_memory_bytes=peak_memory_bytes(),
        )


async def run_batch(
    engine: BatchEngine,
    blocks: AsyncIterator[Sequence[NewTask | BadLine]],
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
    too_many = asyncio.Event()

    def judge() -> None:
        failed = tally.outcomes[EventKind.FAILED]
        if bound is not None and bound.is_exceeded_for_good(failed, tally.total, is_total_known=tally.is_list_read):
            too_many.set()

    def hear(event: Event) -> None:
        if event.kind is EventKind.ADDED and event.task.parent_id:
            # A Metalink brought it: nobody counted it when the batch was added.
            tally.total += 1
        listen(event)

    def listen(event: Event) -> None:
        tally.count(event)
        if accounts is not None:
            accounts.hear(event)
        # Not a snapshot: that one costs as much as there are live tasks, and this is called three times for each.
        reporter.on_event(event, engine.progress(event.task.id), tally)
        judge()

    async def work() -> None:
        async for block in blocks:
            news = _take_bad_lines(block, reporter, tally, clock())
            tally.total += len(news)
            ids = await intake.add(news) if news else []
            if accounts is not None:
                await accounts.note(block, ids)
            judge()
            await reporter.room()
        tally.is_list_read = True
        judge()
        await engine.wait()
        await engine.end_batch(name)

    intake = Intake(engine, listen, batch=name, owner=owner, clock=clock)
    unsubscribe = engine.subscribe(hear)
    ticker = asyncio.create_task(_tick(engine, reporter, tally, clock))
    try:
        await _unless(too_many, work())
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
        unsubscribe()


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
    while True:
        await asyncio.sleep(TICK_S)
        reporter.on_tick(engine.snapshot(), tally, clock())
