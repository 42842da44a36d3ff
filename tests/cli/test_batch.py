"""A batch from its first address to its last, on a fake engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.cli.fake_engine import AT, OWNER, SIZE_BYTES, FakeEngine, task_of
from tui_dl.cli.batch import Block, Reporters, TooManyFailed, run_batch
from tui_dl.cli.exits import SOME_FAILED, WRONG_USAGE
from tui_dl.cli.getting import exit_code
from tui_dl.cli.tally import MOST_EXPLAINED, MOST_FAILED_URLS, Tally
from tui_dl.core.errors import Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.failure_bound import parse_failure_bound
from tui_dl.core.task import NewTask
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress

BAD = BadLine(7, "nonsense", "no http:// in front", "list.txt")


class Told:
    """Keeps what a reporter is told."""

    wants_progress = True

    def __init__(self) -> None:
        self.kinds: list[EventKind] = []
        self.bad: list[BadLine] = []
        self.ticked = asyncio.Event()

    def on_event(self, event: Event, progress: DownloadProgress | None, tally: Tally) -> None:
        """Keep the kind."""
        self.kinds.append(event.kind)

    def on_bad_line(self, line: BadLine, at: float) -> None:
        """Keep the line."""
        self.bad.append(line)

    def on_tick(self, snapshot: EngineSnapshot, tally: Tally, at: float) -> None:
        """Note that it came."""
        self.ticked.set()

    async def room(self) -> None:
        """Have room at all times."""


async def blocks(*names: str, bad: bool = False) -> AsyncIterator[Block]:
    """Yield each name as a block of its own, then maybe a bad line."""
    for name in names:
        yield Block([NewTask(f"http://h/{name}", "/d")])
    if bad:
        yield Block([BAD])


async def tally_of(*names: str, bad: bool = False) -> Tally:
    """Run a batch of these names to its end."""
    tally = Tally(AT)
    await run_batch(FakeEngine(), blocks(*names, bad=bad), Told(), tally, name="get", owner=OWNER, clock=lambda: AT)
    return tally


async def test_outcomes_are_counted_apart() -> None:
    """Done, failed, skipped and cancelled each have their number, and total is what was asked for."""
    result = (await tally_of("a", "b", "fail", "skip", "cancel")).result(AT + 2)
    counts = (result.total, result.success, result.failed, result.skipped, result.cancelled)
    assert counts == (5, 2, 1, 1, 1)
    assert (result.total_bytes, result.duration_s) == (2 * SIZE_BYTES, 2.0)
    assert result.failed_urls == ["http://h/fail"]
    assert result.errors_by_class == {"not-found": 1}


async def test_a_batch_that_ran_through_has_come_to_its_end() -> None:
    """One that somebody stopped has not: the same list goes on with what was there when it began."""
    engine, tally = FakeEngine(), Tally(AT)
    running = asyncio.ensure_future(
        run_batch(engine, blocks("hang"), Told(), tally, name="list", owner=OWNER, clock=lambda: AT)
    )
    await engine.hangs.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert engine.ended == []
    through = FakeEngine()
    await run_batch(through, blocks("a"), Told(), tally, name="list", owner=OWNER, clock=lambda: AT)
    assert through.ended == ["list"]


async def test_a_bad_line_is_asked_for_and_failed() -> None:
    """A line without an address is named, counted and does not stop the others."""
    told, tally, engine = Told(), Tally(AT), FakeEngine()
    await run_batch(engine, blocks("a", bad=True), told, tally, name="get", owner=OWNER, clock=lambda: AT)
    assert told.bad == [BAD]
    assert [new.url for batch in engine.batches for new in batch] == ["http://h/a"]
    result = tally.result(AT)
    assert (result.total, result.success, result.failed, result.errors_by_class) == (2, 1, 1, {"bad-url": 1})


@pytest.mark.parametrize(
    ("names", "bad", "code"),
    [(("a", "skip"), False, 0), ((), False, 0), (("a", "fail"), False, SOME_FAILED), (("cancel",), False, SOME_FAILED)],
)
async def test_exit_codes_of_a_batch(names: tuple[str, ...], bad: bool, code: int) -> None:
    """0 where everything is there, 1 where something is not."""
    tally = await tally_of(*names, bad=bad)
    assert exit_code(tally.result(AT), tally) == code


@pytest.mark.parametrize(("bound", "code"), [("2", 0), ("50%", 0), ("1", SOME_FAILED), ("49%", SOME_FAILED)])
async def test_failures_within_the_bound_are_well(bound: str, code: int) -> None:
    """Two of four fail; the bound itself is still within."""
    tally = await tally_of("a", "b", "fail", "fail-too")
    assert exit_code(tally.result(AT), tally, parse_failure_bound(bound)) == code


@pytest.mark.parametrize("bound", ["0", "20%"])
async def test_beyond_the_bound_the_batch_ends_early(bound: str) -> None:
    """What cannot become well again is not waited for; nothing is left running."""
    engine, tally = FakeEngine(), Tally(AT)
    batch = run_batch(
        engine,
        blocks("fail", "hang", "a"),
        Told(),
        tally,
        name="get",
        owner=OWNER,
        clock=lambda: AT,
        bound=parse_failure_bound(bound),
    )
    with pytest.raises(TooManyFailed):
        await asyncio.wait_for(batch, 5)
    assert engine.listeners == []
    assert (tally.result(AT).failed, tally.ended) == (1, 1)
    assert len(asyncio.all_tasks()) == 1


async def test_a_list_without_any_address_is_wrong_usage() -> None:
    """Somebody gave the wrong file: exit 2, as for any wrong input."""
    tally = await tally_of(bad=True)
    assert exit_code(tally.result(AT), tally) == WRONG_USAGE


async def test_what_a_summary_keeps_is_bounded() -> None:
    """A million failures cost no memory: the first thousand addresses, the first fifty explanations."""
    tally = Tally(AT)
    for number in range(MOST_FAILED_URLS + 5):
        tally.count(Event(EventKind.FAILED, task_of(f"http://h/{number}", reason=Reason.GONE), AT))
    assert (len(tally.failed_urls), len(tally.failures)) == (MOST_FAILED_URLS, MOST_EXPLAINED)
    assert tally.result(AT).failed == MOST_FAILED_URLS + 5


async def test_steps_on_the_way_are_no_outcomes() -> None:
    """Only ends are counted; a retry or a pause is none."""
    tally = Tally(AT)
    for kind in set(EventKind) - {EventKind.COMPLETED, EventKind.FAILED, EventKind.SKIPPED, EventKind.CANCELLED}:
        tally.count(Event(kind, task_of("http://h/a"), AT))
    assert tally.ended == 0


async def test_a_cancelled_batch_leaves_no_listener_and_no_ticker() -> None:
    """What a signal cancels cleans up and tells how far it came."""
    engine, told, tally = FakeEngine(), Told(), Tally(AT)
    batch = run_batch(engine, blocks("a", "hang"), told, tally, name="get", owner=OWNER, clock=lambda: AT)
    work = asyncio.create_task(batch)
    await asyncio.wait_for(engine.hangs.wait(), 5)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert engine.listeners == []
    assert len(asyncio.all_tasks()) == 1
    assert (tally.result(AT).success, tally.result(AT).total) == (1, 2)


async def test_a_live_batch_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reporter is shown a snapshot again and again, and several reporters are one."""
    monkeypatch.setattr("tui_dl.cli.batch.TICK_S", 0.01)
    one, other = Told(), Told()
    batch = run_batch(
        FakeEngine(), blocks("hang"), Reporters(one, other), Tally(AT), name="get", owner=OWNER, clock=lambda: AT
    )
    work = asyncio.create_task(batch)
    await asyncio.wait_for(asyncio.gather(one.ticked.wait(), other.ticked.wait()), 5)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert one.kinds == other.kinds == [EventKind.ADDED]
