"""Events and snapshots: every step of a task is told once, in order, and the counts agree with the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, is_whole, received, until
from tests.faults import Resource, first, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask

SMALL = Resource(20_000)


def kinds(engines: Engines, task: DownloadTask) -> list[EventKind]:
    """Return what was told of a task, in order."""
    return [event.kind for event in engines.events if event.task.id == task.id]


async def test_events_come_in_order(engines: Engines, fault_server: FaultServer) -> None:
    """The whole life of a task is told, each step with the row after it."""
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", Resource(LARGE_BYTES), tempers.stall_after(MIB)))
    await until(lambda: received(engine, task) >= MIB)
    await engine.execute(Command(CommandName.PAUSE, (task.id,)))
    fault_server.script("/f.bin", first(1, lies.status(500)))
    await engine.execute(Command(CommandName.RESUME, (task.id,)))
    await ended(engine, task)
    assert kinds(engines, task) == [
        *(EventKind.ADDED, EventKind.STARTED, EventKind.PAUSED, EventKind.RESUMED, EventKind.STARTED),
        *(EventKind.WAITING, EventKind.RETRYING, EventKind.COMPLETED),
    ]
    assert [event.task.status for event in engines.events][-1] is Status.COMPLETED


async def test_no_end_is_lost(engines: Engines, fault_server: FaultServer) -> None:
    """Of many tasks each tells its start and its end once."""
    engine = await engines(concurrent_downloads=20)
    tasks = []
    for number in range(60):
        fault = lies.status(404) if number % 3 == 0 else tempers.chunked
        tasks.append(await engine.add(fault_server.add(f"/{number}", Resource(3000, number), fault)))
    await engine.wait(tasks)
    for number, task in enumerate(tasks):
        end = EventKind.FAILED if number % 3 == 0 else EventKind.COMPLETED
        assert kinds(engines, task) == [EventKind.ADDED, EventKind.STARTED, end]


async def test_a_failing_listener_harms_nobody(engines: Engines, fault_server: FaultServer) -> None:
    """Foreign code that raises ends neither the task nor the other listeners."""
    engine = await engines()

    def broken(_event: object) -> None:
        raise ZeroDivisionError

    engine.subscribe(broken)
    heard: list[object] = []
    engine.subscribe(heard.append)
    assert is_whole(await fetch(engine, fault_server.add("/f.bin", SMALL)), SMALL)
    assert len(heard) == 3


async def test_counts_are_the_rows_and_the_generation_grows(engines: Engines, fault_server: FaultServer) -> None:
    """At every event the counts name each row once, and views know that they are old."""
    engine = await engines(concurrent_downloads=3)
    seen: list[tuple[int, int]] = []

    def look(_event: object) -> None:
        snapshot = engine.snapshot()
        seen.append((sum(snapshot.counts.values()), snapshot.generation))

    tasks = [await engine.add(fault_server.add(f"/{number}", Resource(9000, number))) for number in range(12)]
    engine.subscribe(look)
    await engine.wait(tasks)
    assert {total for total, _ in seen} == {12}
    assert [generation for _, generation in seen] == sorted({generation for _, generation in seen})
    await engine.context.journal.flush()
    assert {key: count for key, count in engine.snapshot().counts.items() if count} == {Status.COMPLETED: 12}


async def test_a_skipped_row_says_why(engines: Engines, fault_server: FaultServer) -> None:
    """Skipped is an end with a reason."""
    engines.dir.mkdir()
    engines.path("f.bin").write_bytes(b"mine")
    engine = await engines(on_exists="skip")
    task = await fetch(engine, fault_server.add("/f.bin", SMALL))
    assert (task.status, task.reason) == (Status.SKIPPED, Reason.TARGET_EXISTS)
    assert kinds(engines, task)[-1] is EventKind.SKIPPED
