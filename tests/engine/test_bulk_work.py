"""Commands on more rows than are looked at one by one: pause all that match, and the rest, while tasks run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, until
from tests.faults import Resource, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.events import EventKind
from tui_dl.core.query import TaskQuery
from tui_dl.core.query_text import parse_query
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.engine.bulk_work import MOST_ROWS
from tui_dl.engine.meant import Everything
from tui_dl.engine.ready_queue import ReadyQueue
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.ports import WorkView
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

MANY = 3 * MOST_ROWS
SMALL = Resource(20_000)
ALL = TaskQuery()


@pytest.fixture
async def engine(engines: Engines, fault_server: FaultServer) -> AsyncDownloadEngine:
    """One task that runs without end, and thousands behind it."""
    engine = await engines(concurrent_downloads=1)
    await engine.add(fault_server.add("/running.bin", SMALL, tempers.never_answers()))
    host = fault_server.url("/x").removesuffix("/x")
    await engine.add_many([NewTask(f"{host}/{number}.bin", "/srv") for number in range(MANY)], batch="many")
    await until(lambda: len(engine.scheduler.running) == 1)
    return engine


def counts(engine: AsyncDownloadEngine) -> dict[Status, int]:
    """Return how many rows there are of each status, without those of which there are none."""
    return {status: number for status, number in engine.snapshot().counts.items() if number}


async def test_all_that_match_are_paused_and_go_on(engine: AsyncDownloadEngine, fault_server: FaultServer) -> None:
    """What runs is stopped, what waits in the queue stays there; resuming takes all up again."""
    await until(lambda: fault_server.requests_for("/running.bin"))
    outcome = await engine.execute(Command(CommandName.PAUSE, query=ALL))
    assert (outcome.changed, counts(engine)) == (MANY + 1, {Status.PAUSED: MANY + 1})
    assert not engine.scheduler.running
    outcome = await engine.execute(Command(CommandName.RESUME, query=parse_query("status:paused")))
    assert outcome.changed == MANY + 1
    await until(lambda: len(fault_server.requests_for("/running.bin")) == 2)


async def test_what_runs_is_meant_by_what_it_does_now(engine: AsyncDownloadEngine) -> None:
    """A task that runs is no queued one, whatever the journal knows of it yet."""
    (running,) = engine.scheduler.running
    await engine.execute(Command(CommandName.PAUSE, query=parse_query("status:queued")))
    assert list(engine.scheduler.running) == [running]
    assert counts(engine) == {Status.DOWNLOADING: 1, Status.PAUSED: MANY}


async def test_rows_let_go_are_not_meant(engine: AsyncDownloadEngine) -> None:
    """A selection of all but some leaves those alone, the running one among them."""
    (running,) = engine.scheduler.running
    other = (await engine.view(ALL))[-1]
    outcome = await engine.execute(Command(CommandName.CANCEL, query=ALL, excluding_ids=(running, other)))
    assert outcome.changed == MANY - 1
    assert counts(engine) == {Status.DOWNLOADING: 1, Status.PENDING: 1, Status.CANCELLED: MANY - 1}


async def test_nothing_starts_while_all_is_paused(engine: AsyncDownloadEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows far down the queue do not run for the moment until the pause has come to them; others may."""
    monkeypatch.setattr("tui_dl.engine.bulk_work.BARRED_S", 0.0)
    monkeypatch.setattr("tui_dl.journal.sweeping.FIRST_WINDOW", 100)
    for query, starts in ((ALL, 0), (parse_query("name:*.bin"), 1)):
        await engine.execute(Command(CommandName.RESUME, query=ALL))
        await until(lambda: len(engine.scheduler.running) == 1)
        begun = engine.scheduler.running.keys() | set[int]()
        later: set[int] = set()
        pausing = asyncio.ensure_future(engine.execute(Command(CommandName.PAUSE, query=query)))
        while not pausing.done():
            later |= engine.scheduler.running.keys() - begun
            await asyncio.sleep(0)
        assert (len(later) > 0) == bool(starts)
        assert not engine.scheduler.running


async def test_nothing_is_looked_through_while_all_is_barred(
    engine: AsyncDownloadEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many hosts each look costs some thirty milliseconds of the loop, and none could find anything."""
    looked = 0
    take = ReadyQueue.take

    def counted(self: ReadyQueue, *able: Any) -> DownloadTask | None:
        nonlocal looked
        looked += 1
        return take(self, *able)

    monkeypatch.setattr(ReadyQueue, "take", counted)
    engine.context.settings = replace(engine.context.settings, concurrent_downloads=3)
    with engine.scheduler.barring(Everything()):
        engine.scheduler.look_again()
        for _ in range(20):  # each answer comes behind those that the queue asked for
            await engine.context.journal.next_pending(1)
        assert looked == 0
    await until(lambda: looked)


async def test_toggling_all_pauses_and_resumes(engine: AsyncDownloadEngine) -> None:
    """The one key for everything."""
    await engine.execute(Command(CommandName.TOGGLE_ALL))
    assert counts(engine) == {Status.PAUSED: MANY + 1}
    await engine.execute(Command(CommandName.TOGGLE_ALL))
    assert Status.PAUSED not in counts(engine)


async def test_toggling_many_turns_each_by_itself(engine: AsyncDownloadEngine) -> None:
    """The running one stops, paused rows go on."""
    await engine.execute(Command(CommandName.PAUSE, query=parse_query("name:*0.bin")))
    await engine.execute(Command(CommandName.TOGGLE_PAUSE, query=ALL))
    assert counts(engine)[Status.PAUSED] == MANY + 1 - MANY // 10


async def test_ended_ones_are_tried_again_and_removed(engine: AsyncDownloadEngine) -> None:
    """Cancelled rows go back to the queue; removing takes finished ones alone, and undo brings them back."""
    await engine.execute(Command(CommandName.CANCEL, query=parse_query("name:*.bin -name:running*")))
    assert (await engine.execute(Command(CommandName.CLEAR_FINISHED, query=ALL))).changed == MANY
    assert counts(engine) == {Status.DOWNLOADING: 1}
    assert (await engine.execute(Command(CommandName.UNDO))).changed == MANY
    assert (await engine.execute(Command(CommandName.RETRY, query=ALL))).changed == MANY
    assert counts(engine) == {Status.DOWNLOADING: 1, Status.PENDING: MANY}


async def test_many_rows_get_a_priority_and_move_to_the_end(engine: AsyncDownloadEngine) -> None:
    """The running one is meant, too; moves by one place mean nothing to thousands."""
    (running,) = engine.scheduler.running
    await engine.execute(Command(CommandName.SET_PRIORITY, query=ALL, arguments={"value": "high"}))
    live = engine.scheduler.live_of(running)
    assert live is not None
    assert live.task.priority == 1
    query = parse_query("name:1*.bin -name:running*")
    moved = await engine.execute(Command(CommandName.MOVE_DOWN, query=query))
    assert "end of the queue" in moved.message
    ids = await engine.view(ALL)
    last = await engine.rows(ids[-moved.changed :])
    assert all(task.filename.startswith("1") and task.priority == 1 for task in last)


class Widest:
    """The most rows that one call of the journal was given, or gave back, as objects."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows = 0
        for name in ("rows", "save_many", "bulk", "move", "change_priority", "remove", "ids_among"):
            monkeypatch.setattr(Journal, name, self._counted(getattr(Journal, name)))

    def _counted(self, method: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def call(*words: Any, **named: Any) -> object:
            given = (*words[1:], *named.values())
            self.rows = max(self.rows, *(len(one) for one in given if isinstance(one, list | tuple | frozenset)), 0)
            return await method(*words, **named)

        return call


EVERY: tuple[tuple[CommandName, dict[str, object], int], ...] = (
    (CommandName.PAUSE, {}, MANY),
    (CommandName.RESUME, {}, MANY),
    (CommandName.TOGGLE_PAUSE, {}, MANY),
    (CommandName.TOGGLE_PAUSE, {}, MANY),
    (CommandName.SET_PRIORITY, {"delta": 1}, MANY),
    (CommandName.SET_CONNECTIONS, {"delta": -1}, MANY),
    (CommandName.SET_LIMIT, {"limit": 4000}, MANY),
    (CommandName.SET_OPTIONS, {"options": {"max_retries": 7}}, MANY),
    (CommandName.MOVE_UP, {}, MANY),
    (CommandName.DOWNLOAD_CHOSEN, {}, 0),
    (CommandName.SET_FORMAT, {"choice": {}}, 0),
    (CommandName.CHOOSE, {}, 0),
    (CommandName.CANCEL, {}, MANY),
    (CommandName.RETRY, {}, MANY),
    (CommandName.DELETE_PART, {}, MANY),
    (CommandName.CLEAR_FINISHED, {}, MANY),
)
"""Commands, each on what the one before left, and how many rows it changes."""


@pytest.mark.parametrize("is_by_ids", [False, True])
async def test_no_command_holds_many_rows(
    engine: AsyncDownloadEngine, monkeypatch: pytest.MonkeyPatch, is_by_ids: bool
) -> None:
    """Rows, statements and lists of ids stay small whatever is selected, or the loop, the journal and memory suffer."""
    query = parse_query("name:*.bin -name:running*")
    ids = tuple(reversed(await engine.view(query))) if is_by_ids else ()
    monkeypatch.setattr("tui_dl.engine.orders.MOST_MOVED", MOST_ROWS)
    widest = Widest(monkeypatch)
    for name, arguments, changed in EVERY:
        command = Command(name, ids=ids, query=None if is_by_ids else query, arguments=arguments)
        outcome = await engine.execute(command)
        assert (name, outcome.changed) == (name, changed)
        assert (name, widest.rows <= MOST_ROWS) == (name, True)
        if name is CommandName.SET_OPTIONS:
            task = (await engine.rows((await engine.view(query))[:1]))[0]
            options = (task.priority, task.options.connections, task.options.limit_rate_bps, task.options.max_retries)
            assert options == (1, 7, 4000, 7)
    assert counts(engine) == {Status.DOWNLOADING: 1}


async def test_what_was_asked_for_changes_for_those_in_hand_too(engine: AsyncDownloadEngine) -> None:
    """And is theirs still when they go back to the queue."""
    (running,) = engine.scheduler.running
    await engine.execute(Command(CommandName.SET_CONNECTIONS, query=ALL, arguments={"delta": 1}))
    await engine.execute(Command(CommandName.SET_LIMIT, query=ALL, arguments={"limit": 5000}))
    live = engine.scheduler.live_of(running)
    assert live is not None
    assert (live.task.options.connections, live.task.options.limit_rate_bps) == (9, 5000)
    await engine.execute(Command(CommandName.PAUSE, query=ALL))
    tasks = await engine.rows([running, (await engine.view(ALL))[-1]])
    assert {(task.options.connections, task.options.limit_rate_bps) for task in tasks} == {(9, 5000)}


async def test_part_files_of_many_are_deleted_and_no_others(engines: Engines, fault_server: FaultServer) -> None:
    """Of rows that are paused, were cancelled before, or run; what was let go, or has another name, stays."""
    engine = await engines(concurrent_downloads=1)
    names = ("meant-paused", "meant-cancelled", "meant-let-go", "other", "meant-running")
    tasks = []
    for name in names:
        url = fault_server.add(f"/{name}.bin", Resource(LARGE_BYTES), tempers.stall_after(LARGE_BYTES // 2))
        tasks.append(await engine.add(url))
        if name != names[-1]:
            await part_of(engine, tasks[-1])
            stop = CommandName.PAUSE if name == names[0] else CommandName.CANCEL
            await engine.execute(Command(stop, ids=(tasks[-1].id,)))
    await part_of(engine, tasks[-1])
    host = fault_server.url("/x").removesuffix("/x")
    await engine.add_many([NewTask(f"{host}/meant-{number}.txt", "/srv") for number in range(MANY)])
    query, let_go = parse_query("name:meant*"), (tasks[2].id,)
    outcome = await engine.execute(Command(CommandName.DELETE_PART, query=query, excluding_ids=let_go))
    assert (outcome.changed, outcome.message) == (MANY + 2, "3,002 cancelled, 3 part files deleted")
    assert engines.names() == ["meant-let-go.bin.tui-dl.part", "other.bin.tui-dl.part"]
    rows = await engine.rows([task.id for task in tasks])
    assert {row.status for row in rows} == {Status.CANCELLED}
    assert [bool(row.part_path) for row in rows] == [False, False, True, True, False]


async def part_of(engine: AsyncDownloadEngine, task: DownloadTask) -> None:
    """Wait until a task holds some bytes in its part file."""

    def holds() -> bool:
        live = engine.scheduler.live_of(task.id)
        return live is not None and live.received_bytes > 0 and bool(live.task.part_path)

    await until(holds)


async def test_the_snapshot_tells_how_far_it_is(engine: AsyncDownloadEngine) -> None:
    """While it goes on its name and its progress are there to see; then they are gone."""
    seen: list[WorkView] = []
    pausing = asyncio.ensure_future(engine.execute(Command(CommandName.PAUSE, query=ALL)))
    while not pausing.done():
        seen += engine.snapshot().works
        await asyncio.sleep(0)
    assert {work.name for work in seen} == {CommandName.PAUSE}
    assert any(0 < work.done <= work.total for work in seen)
    assert engine.snapshot().works == ()


async def test_what_was_ordered_is_done_although_nobody_waits(engine: AsyncDownloadEngine) -> None:
    """Leaving at once after a pause of all leaves nothing half paused."""
    pausing = asyncio.ensure_future(engine.execute(Command(CommandName.PAUSE, query=ALL)))
    await until(lambda: engine.snapshot().works)
    pausing.cancel()
    await asyncio.gather(pausing, return_exceptions=True)
    await until(lambda: not engine.snapshot().works)
    assert counts(engine) == {Status.PAUSED: MANY + 1}


async def test_each_row_removed_is_told(engines: Engines, fault_server: FaultServer) -> None:
    """Few rows that go are told one by one."""
    engine = await engines()
    tasks = await engine.add_many([NewTask(fault_server.url(f"/{number}.bin"), "/srv") for number in range(3)])
    await engine.execute(Command(CommandName.CANCEL, query=ALL))
    await engine.execute(Command(CommandName.CLEAR_FINISHED))
    removed = [event.task.id for event in engines.events if event.kind is EventKind.REMOVED]
    assert sorted(removed) == [task.id for task in tasks]


async def test_rows_are_added_from_an_asynchronous_source(engines: Engines, fault_server: FaultServer) -> None:
    """As they come, in order, each once."""
    engine = await engines(concurrent_downloads=1)

    async def source() -> AsyncIterator[NewTask]:
        for number in (0, 1, 1, 2):
            await asyncio.sleep(0)
            yield NewTask(fault_server.url(f"/{number}.bin"), "/srv")

    ids = await engine.add_many(source())
    assert [task.url[-5:] for task in await engine.rows(ids)] == ["0.bin", "1.bin", "1.bin", "2.bin"]
    assert ids[1] == ids[2]
