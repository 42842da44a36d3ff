"""A host that fails for all its files is left alone with its tasks, tried by one of them, and given up in the end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import fetch, row, until
from tests.faults import FaultServer, Resource, lies
from tests.faults.script import first
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

SMALL = Resource(1000)
FILES = 40


@pytest.fixture(autouse=True)
def short_pauses(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe soon, but retry no sooner than others of the host begin."""
    engines.defaults["retry_delay"] = 0.5
    monkeypatch.setattr("tui_dl.core.parking.FIRST_PAUSE_S", 0.15)
    monkeypatch.setattr("tui_dl.engine.parker.OTHERS_FIRST_S", 0.05)
    monkeypatch.setattr("tui_dl.core.host_budget.UNANSWERED_S", 0.05)


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def add(engine: AsyncDownloadEngine, origin: str, count: int = FILES) -> list[DownloadTask]:
    """Add files of a host."""
    return [await engine.add(f"{origin}/{number}") for number in range(count)]


def parked(engine: AsyncDownloadEngine) -> bool:
    """Whether any host is."""
    return bool(engine.context.budgets.parking.parked)


async def test_a_dead_host_is_parked_with_its_tasks(engines: Engines) -> None:
    """Few attempts are made, no task fails, each row says why it waits and until when."""
    engine = await engines(concurrent_downloads=8, park_time=60)
    tasks = await add(engine, f"http://127.0.0.1:{free_port()}")
    await until(lambda: parked(engine))
    rows = await engine.rows([task.id for task in tasks])
    assert {task.status for task in rows} <= {Status.WAITING, Status.DOWNLOADING}
    waiting = [task for task in rows if task.reason is Reason.HOST_PARKED]
    assert len(waiting) >= FILES - 8
    assert all(task.due_at is not None and "is parked: 1" in task.reason_text for task in waiting)
    assert "refused the connection" in waiting[0].reason_text
    assert any("is parked" in notice for notice in engine.snapshot().notices)
    began = sum(event.kind in (EventKind.STARTED, EventKind.RETRYING) for event in engines.events)
    assert began < FILES


async def test_attempts_while_parked_cost_no_task_anything(engines: Engines) -> None:
    """Each probe leaves the count of its task as it was."""
    engine = await engines(concurrent_downloads=8, park_time=60, max_retries=3)
    tasks = await add(engine, f"http://127.0.0.1:{free_port()}")
    await until(lambda: parked(engine))
    known = next(iter(engine.context.budgets.parking.parked.values()))
    failures = known.failures
    await until(lambda: known.failures >= failures + 2)
    rows = await engine.rows([task.id for task in tasks])
    assert Status.FAILED not in {task.status for task in rows}
    assert max(task.retry_count for task in rows) <= 3


async def test_one_probe_that_succeeds_lets_all_go_on(engines: Engines, fault_server: FaultServer) -> None:
    """The host came back, and every file arrives without a person."""
    gate = first(34, lies.status(500))
    for number in range(FILES):
        fault_server.add(f"/{number}", SMALL, gate)
    engine = await engines(concurrent_downloads=8, park_time=60, max_retries=10)
    tasks = await add(engine, fault_server.origin)
    await engine.wait(tasks)
    assert {task.status for task in await engine.rows([task.id for task in tasks])} == {Status.COMPLETED}
    assert any(event.task.reason is Reason.HOST_PARKED for event in engines.events)
    assert not parked(engine)
    assert len(fault_server.requests) <= FILES + 34 + 2


async def test_a_host_that_stays_dead_is_given_up(engines: Engines) -> None:
    """All its files fail for a reason of their own, tried or not, and `wait()` returns."""
    engine = await engines(concurrent_downloads=8, park_time=0.4)
    tasks = await add(engine, f"http://127.0.0.1:{free_port()}", 300)
    result = await engine.wait()
    rows = await engine.rows([task.id for task in tasks])
    assert {(task.status, task.reason) for task in rows} == {(Status.FAILED, Reason.HOST_GIVEN_UP)}
    assert "given up" in rows[-1].reason_text
    assert (result.failed, result.errors_by_class) == (300, {"host-given-up": 300})
    failed = [event.task.id for event in engines.events if event.kind is EventKind.FAILED]
    assert sorted(failed) == sorted(task.id for task in tasks)
    began = sum(event.kind in (EventKind.STARTED, EventKind.RETRYING) for event in engines.events)
    assert began < 50


async def test_what_is_added_after_a_host_was_given_up_is_tried(engines: Engines, fault_server: FaultServer) -> None:
    """It may be back."""
    gate = first(200, lies.status(500))
    for number in range(FILES):
        fault_server.add(f"/{number}", SMALL, gate)
    engine = await engines(concurrent_downloads=8, park_time=0.3)
    await add(engine, fault_server.origin)
    await engine.wait()
    later = await fetch(engine, fault_server.add("/later", SMALL))
    assert later.status is Status.COMPLETED


async def test_a_retry_of_what_was_given_up_tries_all_again(engines: Engines, fault_server: FaultServer) -> None:
    """A person knows better."""
    for number in range(FILES):
        fault_server.add(f"/{number}", SMALL, lies.status(500))
    engine = await engines(concurrent_downloads=8, park_time=0.3, delay_ms=0)
    tasks = await add(engine, fault_server.origin)
    engine.context.budgets.parking.park_time_s = 0.3
    await engine.wait()
    ids = tuple(task.id for task in tasks)
    assert {task.status for task in await engine.rows(ids)} == {Status.FAILED}
    for number in range(FILES):
        fault_server.add(f"/{number}", SMALL)
    await engine.execute(Command(CommandName.RETRY, ids))
    await engine.wait(tasks)
    assert {task.status for task in await engine.rows(ids)} == {Status.COMPLETED}


async def test_a_retry_unparks_a_host_at_once(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a task that was never tried."""
    monkeypatch.setattr("tui_dl.core.parking.FIRST_PAUSE_S", 3600.0)
    gate = first(40, lies.status(500))
    for number in range(FILES):
        fault_server.add(f"/{number}", SMALL, gate)
    engine = await engines(concurrent_downloads=4, park_time=36_000, max_retries=10)
    tasks = await add(engine, fault_server.origin)
    await until(lambda: parked(engine) and not engine.scheduler.running)
    outcome = await engine.execute(Command(CommandName.RETRY, (tasks[-1].id,)))
    assert outcome.message == "1 parked host tried again"
    await engine.wait(tasks)
    assert (await row(engine, tasks[0])).status is Status.COMPLETED


async def test_a_dead_host_holds_up_no_other(engines: Engines, fault_server: FaultServer) -> None:
    """And is not given up while others have work."""
    engine = await engines(concurrent_downloads=4, park_time=0.1)
    dead = await add(engine, f"http://127.0.0.1:{free_port()}")
    for number in range(30):
        assert (await fetch(engine, fault_server.add(f"/{number}", SMALL))).status is Status.COMPLETED
    await engine.wait()
    assert {task.reason for task in await engine.rows([task.id for task in dead])} == {Reason.HOST_GIVEN_UP}


async def test_missing_files_park_nobody(engines: Engines, fault_server: FaultServer) -> None:
    """404 and 410 are answers, and are asked for once each."""
    for number in range(FILES):
        fault_server.add(f"/{number}", SMALL, lies.status(404 if number % 2 else 410))
    engine = await engines(concurrent_downloads=8)
    await add(engine, fault_server.origin)
    result = await engine.wait()
    assert result.failed == FILES
    assert len(fault_server.requests) == FILES
    assert not any(event.task.reason is Reason.HOST_PARKED for event in engines.events)


async def test_faults_among_good_answers_park_nobody(engines: Engines, fault_server: FaultServer) -> None:
    """Every second file is forbidden: that is meant for them."""
    for number in range(2 * FILES):
        fault_server.add(f"/{number}", SMALL, *([lies.status(403)] if number % 2 else []))
    engine = await engines(concurrent_downloads=1)
    tasks = await add(engine, fault_server.origin, 2 * FILES)
    await engine.wait(tasks)
    assert not any(event.task.reason is Reason.HOST_PARKED for event in engines.events)


async def test_a_host_that_forbids_everything_is_parked(engines: Engines, fault_server: FaultServer) -> None:
    """The list is not burnt through; those that were answered before have failed, each by its own 403."""
    for number in range(2 * FILES):
        fault_server.add(f"/{number}", SMALL, lies.status(403))
    engine = await engines(concurrent_downloads=4, park_time=60)
    tasks = await add(engine, fault_server.origin, 2 * FILES)
    await until(lambda: parked(engine) and not engine.scheduler.running)
    rows = await engine.rows([task.id for task in tasks])
    assert sum(task.status is Status.FAILED for task in rows) < 30
    assert sum(task.reason is Reason.HOST_PARKED for task in rows) > FILES


async def test_parked_tasks_can_be_paused_and_cancelled(engines: Engines) -> None:
    """As any that waits."""
    engine = await engines(concurrent_downloads=8, park_time=60)
    tasks = await add(engine, f"http://127.0.0.1:{free_port()}")
    await until(lambda: parked(engine) and not engine.scheduler.running)
    ids = tuple(task.id for task in tasks)
    await engine.execute(Command(CommandName.PAUSE, ids[:20]))
    await engine.execute(Command(CommandName.CANCEL, ids[20:]))
    assert [task.status for task in await engine.rows(ids)] == [Status.PAUSED] * 20 + [Status.CANCELLED] * 20
    await engine.wait()
