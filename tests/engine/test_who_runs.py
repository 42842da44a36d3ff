"""Who may run when: commands that meet, closing while the queue is read, and hosts that never answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LARGE_BYTES, fetch, received, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, TaskOptions
from tui_dl.engine import scheduler
from tui_dl.engine.live import LiveTask
from tui_dl.engine.picking import PAGE_TASKS, READ_AHEAD_TASKS
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.engine.engine import AsyncDownloadEngine

SMALL = Resource(20_000)
LONG_S = 3600.0


async def waiting(engine: AsyncDownloadEngine, server: FaultServer, count: int) -> list[DownloadTask]:
    """Return tasks that wait for their next attempt."""
    urls = [server.add(f"/w{number}.bin", SMALL, lies.status(500)) for number in range(count)]
    tasks = [await engine.add(url) for url in urls]
    await until(lambda: len(engine.scheduler.waiting) == count)
    return tasks


def held_up(engine: AsyncDownloadEngine, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Have the journal keep its next pages of the queue; return the events of being asked and of giving them."""
    is_asked, may_answer = asyncio.Event(), asyncio.Event()
    ask = engine.context.journal.next_pending

    async def slowly(*arguments: Any, **words: Any) -> list[DownloadTask]:
        page = await ask(*arguments, **words)
        is_asked.set()
        await may_answer.wait()
        return page

    monkeypatch.setattr(engine.context.journal, "next_pending", slowly)
    return is_asked, may_answer


async def test_two_pauses_of_the_same_waiting_tasks_meet(engines: Engines, fault_server: FaultServer) -> None:
    """Each finds what the other left, and all are paused."""
    engine = await engines(retry_delay=LONG_S, max_retry_delay=LONG_S)
    tasks = await waiting(engine, fault_server, 8)
    pause = Command(CommandName.PAUSE, tuple(task.id for task in tasks))
    async with asyncio.TaskGroup() as group:
        outcomes = [group.create_task(engine.execute(pause)) for _ in range(2)]
    assert sum(one.result().changed for one in outcomes) == len(tasks)
    assert {task.status for task in await engine.rows([task.id for task in tasks])} == {Status.PAUSED}


async def test_closing_while_the_queue_is_read_starts_nothing(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the journal answers after that is not begun: nobody would end it."""
    engine = await engines()
    running = await engine.add(fault_server.add("/running.bin", Resource(LARGE_BYTES), tempers.stall_after(1)))
    await until(lambda: received(engine, running))
    is_asked, may_answer = held_up(engine, monkeypatch)
    await engine.add(fault_server.add("/f.bin", Resource(LARGE_BYTES), tempers.stall_after(1)))
    await is_asked.wait()
    closing = asyncio.create_task(engines.close(engine))
    await until(lambda: engine.scheduler._is_closing)
    may_answer.set()
    await closing
    assert [one.path for one in fault_server.requests] == ["/running.bin"]


async def test_fewer_at_once_holds_while_the_queue_is_read(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the journal answers after that finds no slot."""
    engine = await engines(concurrent_downloads=2)
    urls = [fault_server.add(f"/{name}.bin", Resource(LARGE_BYTES), tempers.stall_after(1)) for name in "ab"]
    running = await engine.add(urls[0])
    await until(lambda: received(engine, running))
    is_asked, may_answer = held_up(engine, monkeypatch)
    await engine.add(urls[1])
    await is_asked.wait()
    await engine.execute(Command(CommandName.SET_CONCURRENCY, arguments={"value": 1}))
    may_answer.set()
    await engine.execute(Command(CommandName.SET_PRIORITY, (running.id,), arguments={"delta": 1}))
    assert engine.scheduler.slots_in_use == 1


async def test_a_barred_task_is_not_tried_again(engines: Engines, fault_server: FaultServer) -> None:
    """What a person wants of it is on its way: its due time may come meanwhile, and it stays where it is."""
    engine = await engines(retry_delay=LONG_S, max_retry_delay=LONG_S)
    (task,) = await waiting(engine, fault_server, 1)
    with engine.scheduler.barring({task.id}):
        engine.scheduler._waiting.add(engine.scheduler.waiting[task.id], engine.context.clock())
        other = await fetch(engine, fault_server.add("/other.bin", SMALL))
        assert other.status is Status.COMPLETED
        assert [one.path for one in fault_server.requests] == ["/w0.bin", "/other.bin"]
    await until(lambda: len(fault_server.requests) == 3)


async def test_tasks_that_wait_are_not_metered(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing arrives for them: a tick costs what runs, however many wait."""
    engine = await engines(retry_delay=LONG_S, max_retry_delay=LONG_S)
    tasks = await waiting(engine, fault_server, 3)
    metered: list[int] = []
    meter = LiveTask.meter_now

    def note(live: LiveTask, now: float) -> int:
        metered.append(live.task.id)
        return meter(live, now)

    monkeypatch.setattr(LiveTask, "meter_now", note)
    running = await engine.add(fault_server.add("/running.bin", Resource(LARGE_BYTES), tempers.stall_after(1)))
    await until(lambda: metered.count(running.id) >= 2)
    assert not {task.id for task in tasks} & set(metered)


@pytest.mark.parametrize("error", [RuntimeError("a fault"), FileSystemError(Reason.IO_ERROR, "no journal")], ids=repr)
async def test_the_queue_goes_on_after_an_error(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whether it is the journal's or ours: were the queue to end in silence, all would wait for ever."""
    monkeypatch.setattr(scheduler, "TROUBLE_S", 0.01)
    engine = await engines()
    ask, errors = engine.context.journal.next_pending, [error]

    async def fail_first(*arguments: Any, **words: Any) -> list[DownloadTask]:
        if errors:
            raise errors.pop()
        return await ask(*arguments, **words)

    monkeypatch.setattr(engine.context.journal, "next_pending", fail_first)
    assert (await fetch(engine, fault_server.add("/f.bin", SMALL))).status is Status.COMPLETED
    assert not errors


async def test_the_queue_is_read_ahead_and_every_row_runs_once(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No slot stands empty while the journal answers, and no row comes twice."""
    engine = await engines(concurrent_downloads=4)
    picker, ask = engine.scheduler._picker, engine.context.journal.next_pending
    at_hand: list[int] = []

    def asked(*arguments: Any, **words: Any) -> Any:
        at_hand.append(len(picker._ready))
        return ask(*arguments, **words)

    monkeypatch.setattr(engine.context.journal, "next_pending", asked)
    urls = [fault_server.add(f"/{number}.bin", SMALL) for number in range(PAGE_TASKS + READ_AHEAD_TASKS + 9)]
    await engine.add_many([checked_task(url, str(engines.dir), "", TaskOptions()) for url in urls])
    result = await engine.wait()
    assert result.success == len(urls) == len(fault_server.requests)
    assert any(0 < count < READ_AHEAD_TASKS for count in at_hand)
    assert at_hand.count(0) <= 2, "asked at the beginning and at the end alone"


async def test_rows_that_were_read_ahead_are_not_read_again(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks for rows of other hosts while they are on their way gets each once: a task twice in hand ran twice."""
    engine = await engines()
    picker = engine.scheduler._picker
    rows = [DownloadTask(number, f"http://{host}/f", "/", "f", host=host) for number, host in ((1, "a"), (2, "b"))]

    async def next_pending(*_arguments: Any, **_words: Any) -> list[DownloadTask]:
        return rows[1:]

    await until(lambda: not picker.may_have_more)
    monkeypatch.setattr(engine.scheduler, "_has_room", lambda: False)
    monkeypatch.setattr(engine.context.journal, "next_pending", next_pending)
    picker.look_again()
    picker._ready.extend(rows[:1])
    picker._read_ahead()
    await picker._fetch_page(frozenset("a"))
    assert picker._ready.ids == [1, 2]
