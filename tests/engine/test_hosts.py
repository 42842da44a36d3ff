"""What hosts ask and answer over all tasks: patience, attempts, refusals that are final."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, ended, fetch, is_whole, log_of, until
from tests.faults import Resource, all_of, first, in_turn, lies, tempers
from tui_dl.core.errors import HttpError, Reason
from tui_dl.core.host_budget import Crowds
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.task import DownloadTask

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("is_date", [False, True], ids=["seconds", "date"])
async def test_retry_after_is_obeyed_by_every_task_of_the_host(
    engines: Engines, fault_server: FaultServer, code: int, *, is_date: bool
) -> None:
    """Nobody asks that host again before its time, and the row shows when it goes on."""
    engine = await engines(concurrent_downloads=2)
    asked = await engine.add(fault_server.add("/a.bin", SMALL, lies.retry_after(code, 600, is_date=is_date)))
    await until(lambda: asked.id in engine.snapshot().live and engine.snapshot().live[asked.id].task.due_at)
    other = await engine.add(fault_server.add("/b.bin", SMALL))
    now = engine.snapshot().live[asked.id].task
    assert now.status is Status.WAITING
    assert now.due_at is not None
    assert 500 < now.due_at - engine.context.wall_clock() <= 601
    assert fault_server.requests_for("/b.bin") == []
    assert (await engine.rows([other.id]))[0].status is Status.PENDING


async def test_a_host_that_asks_for_patience_holds_up_no_other(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole page of its tasks does not keep another host's tasks from starting."""
    monkeypatch.setattr("tui_dl.engine.picking.PAGE_TASKS", 4)
    engine = await engines(concurrent_downloads=2)
    asked = await engine.add(fault_server.add("/0.bin", SMALL, lies.retry_after(503, 600)))
    await until(lambda: asked.id in engine.snapshot().live and engine.snapshot().live[asked.id].task.due_at)
    for number in range(1, 20):
        await engine.add(fault_server.add(f"/{number}.bin", SMALL))
    fault_server.add("/other.bin", SMALL)
    tasks = [
        await engine.add(fault_server.url("/other.bin").replace("127.0.0.1", "localhost") + f"?{number}")
        for number in range(10)
    ]
    for task in tasks:
        assert is_whole(await ended(engine, task), SMALL)


async def test_a_host_on_probation_sees_one_request_at_a_time(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 429 requests come one by one, with the pause between them, until one is answered well."""
    monkeypatch.setattr("tui_dl.core.host_budget.MIN_GAP_AFTER_REFUSAL_S", 0.1)
    engine = await engines(concurrent_downloads=8, max_retries=50)
    urls = [fault_server.add(f"/{number}.bin", SMALL, first(1, lies.status(429))) for number in range(4)]
    tasks = [await engine.add(url) for url in urls]
    for task in tasks:
        assert is_whole(await ended(engine, task), SMALL)
    logs = sorted(fault_server.requests, key=lambda log: log.started_at)
    after_refusal = [after.started_at - log.started_at for log, after in pairwise(logs) if log.status == 429]
    assert all(gap_s >= 0.09 for gap_s in after_refusal)


async def test_an_address_that_always_fails_slows_its_host_for_moments_only(
    engines: Engines, fault_server: FaultServer
) -> None:
    """A 503 that names no time says nothing of how fast the others may be asked for."""
    engine = await engines(max_retries=5)
    bad = await engine.add(fault_server.add("/bad", SMALL, lies.status(503)))
    good = [await engine.add(fault_server.add(f"/{number}", SMALL)) for number in range(20)]
    for task in good:
        assert is_whole(await ended(engine, task), SMALL)
    assert (await ended(engine, bad)).status is Status.FAILED
    assert engine.context.budgets[bad.host].least_gap_s == 0


async def test_a_429_is_retried_and_then_well(engines: Engines, fault_server: FaultServer) -> None:
    """It costs an attempt at most, never the task."""
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL, first(2, lies.status(429))))
    assert is_whole(task, SMALL)


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_passing_faults_are_retried(engines: Engines, fault_server: FaultServer, code: int) -> None:
    """They are tried `max_retries` times again, then the reason is told."""
    task = await fetch(await engines(max_retries=2), fault_server.add("/f.bin", SMALL, lies.status(code)))
    assert task.status is Status.FAILED
    assert task.reason in {Reason.SERVER_ERROR, Reason.TOO_MANY_REQUESTS}
    assert str(code) in task.reason_text
    assert len(fault_server.requests) == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (401, Reason.UNAUTHORIZED),
        (402, Reason.HTTP_STATUS),
        (403, Reason.FORBIDDEN),
        (404, Reason.NOT_FOUND),
        (407, Reason.UNAUTHORIZED),
        (410, Reason.GONE),
        (451, Reason.GONE),
        (205, Reason.NO_CONTENT),
        (304, Reason.HTTP_STATUS),
        (999, Reason.PROTOCOL_ERROR),
    ],
)
async def test_final_answers_are_not_retried(
    engines: Engines, fault_server: FaultServer, code: int, reason: Reason
) -> None:
    """What will not get better is told at once."""
    task = await fetch(await engines(), fault_server.add("/f.bin", SMALL, lies.status(code)))
    assert (task.status, task.reason) == (Status.FAILED, reason)
    assert len(fault_server.requests) == (2 if code == 403 else 1)


async def test_attempts_count_without_progress_only(engines: Engines, fault_server: FaultServer) -> None:
    """Each attempt that brought bytes begins the count anew."""
    faults = [tempers.drop_after(100_000), lies.status(500)] * 6
    url = fault_server.add("/f.bin", LARGE, in_turn(*faults))
    assert is_whole(await fetch(await engines(max_retries=1), url), LARGE)


@pytest.mark.parametrize("most", [0, 1, 4])
async def test_max_retries_is_the_number_of_further_attempts(
    engines: Engines, fault_server: FaultServer, most: int
) -> None:
    """None means one request, four mean five."""
    await fetch(await engines(max_retries=most), fault_server.add("/f.bin", SMALL, lies.status(500)))
    assert len(fault_server.requests) == most + 1


async def test_a_tasks_own_retries_count_first(engines: Engines, fault_server: FaultServer) -> None:
    """`options.max_retries` overrides the setting."""
    url = fault_server.add("/f.bin", SMALL, lies.status(500))
    await fetch(await engines(max_retries=9), url, options=TaskOptions(max_retries=1))
    assert len(fault_server.requests) == 2


async def test_forbidden_files_slow_no_others_of_their_host(engines: Engines, fault_server: FaultServer) -> None:
    """Where so many connections were seen to work, a 403 for a file that never came is that file's."""
    engine = await engines(concurrent_downloads=10)
    slow = [await engine.add(fault_server.add(f"/slow{n}", LARGE, tempers.stall_after(10))) for n in range(2)]
    await fault_server.wait_for(lambda: fault_server.stalled("/slow0") and fault_server.stalled("/slow1"))
    fault_server.release("/slow0")
    await ended(engine, slow[0])
    task = await fetch(engine, fault_server.add("/forbidden", SMALL, lies.status(403)))
    assert task.reason is Reason.FORBIDDEN
    assert len(fault_server.requests_for("/forbidden")) == 2
    assert engine.context.budgets[task.host].learned_connections is None


async def test_a_403_while_others_work_is_doubted_until_the_file_was_asked_for_alone(
    engines: Engines, fault_server: FaultServer
) -> None:
    """Then it is final, and the host's other 403s are at once; nothing stays learned from them."""
    engine = await engines(concurrent_downloads=10)
    slow = await engine.add(fault_server.add("/slow.bin", LARGE, tempers.stall_after(10)))
    await fault_server.wait_for(lambda: fault_server.stalled("/slow.bin"))
    urls = [fault_server.add(f"/{number}", SMALL, lies.status(403)) for number in range(3)]
    tasks = [await engine.add(url) for url in urls]
    await until(lambda: engine.context.budgets[slow.host].learned_connections == 1)
    fault_server.release()
    assert is_whole(await ended(engine, slow), LARGE)
    assert {(await ended(engine, task)).reason for task in tasks} == {Reason.FORBIDDEN}
    assert engine.context.budgets[slow.host].learned_connections is None
    assert engine.context.budgets[slow.host].crowds is Crowds.BORNE


async def test_a_host_that_forbids_a_crowd_gives_every_file(engines: Engines, fault_server: FaultServer) -> None:
    """One file after another, where all but one connection are answered 403."""
    faults = (tempers.pace(8 << 20), lies.at_most(1, lies.status(403)))
    engine = await engines(concurrent_downloads=6, max_retries=0)
    tasks = [await engine.add(fault_server.add(f"/{number}", LARGE, *faults)) for number in range(6)]
    for task in tasks:
        assert is_whole(await ended(engine, task), LARGE)
    assert sum(log.is_refusal for log in fault_server.requests) <= 6


async def test_a_retry_strategy_may_refuse(engines: Engines, fault_server: FaultServer) -> None:
    """A function of the user decides by task and error; the error is one of ours."""
    seen: list[tuple[str, Exception]] = []

    def strategy(task: DownloadTask, error: Exception) -> bool:
        seen.append((task.url, error))
        return False

    url = fault_server.add("/f.bin", SMALL, lies.status(500))
    task = await fetch(await engines(retry_strategy=strategy), url)
    assert task.status is Status.FAILED
    assert len(fault_server.requests) == 1
    ((asked, error),) = seen
    assert asked == url
    assert isinstance(error, HttpError)
    assert (error.status, error.reason) == (500, Reason.SERVER_ERROR)


async def test_a_retry_strategy_may_insist_within_the_attempts(engines: Engines, fault_server: FaultServer) -> None:
    """It may retry what we would not, but not for ever."""
    engine = await engines(retry_strategy=lambda _task, _error: True, max_retries=3)
    task = await fetch(engine, fault_server.add("/f.bin", SMALL, lies.status(404)))
    assert task.status is Status.FAILED
    assert len(fault_server.requests) == 4


async def test_a_failing_retry_strategy_fails_no_download(engines: Engines, fault_server: FaultServer) -> None:
    """Foreign code that raises is no fault of the program, nor a reason to end what would have arrived."""

    def broken(_task: DownloadTask, _error: Exception) -> bool:
        raise ZeroDivisionError

    engine = await engines(retry_strategy=broken, max_retries=2)
    assert is_whole(await fetch(engine, fault_server.add("/g.bin", SMALL, first(1, lies.status(500)))), SMALL)
    task = await fetch(engine, fault_server.add("/f.bin", SMALL, lies.status(404)))
    assert (task.status, task.reason) == (Status.FAILED, Reason.NOT_FOUND)
    assert len(fault_server.requests_for("/f.bin")) == 1


async def test_a_refused_connection_has_its_own_reason(engines: Engines, fault_server: FaultServer) -> None:
    """Nobody listens there."""
    url = fault_server.add("/f.bin", SMALL)
    await fault_server.aclose()
    task = await fetch(await engines(max_retries=1), url)
    assert (task.status, task.reason) == (Status.FAILED, Reason.CONNECT_REFUSED)
    assert "127.0.0.1" in task.reason_text


async def test_a_waiting_task_says_why_and_for_how_long(engines: Engines, fault_server: FaultServer) -> None:
    """The row of a task between two attempts carries reason, words and due time."""
    engine = await engines(retry_delay=300.0, max_retry_delay=300.0)
    task = await engine.add(fault_server.add("/f.bin", SMALL, lies.status(500)))
    await until(lambda: task.id in engine.snapshot().live and engine.snapshot().live[task.id].task.due_at)
    now = engine.snapshot().live[task.id].task
    assert (now.status, now.reason, now.retry_count) == (Status.WAITING, Reason.SERVER_ERROR, 1)
    assert "500" in now.reason_text
    assert "500" in await log_of(engine, task)


async def test_the_pause_between_the_requests_of_a_slot_is_kept(engines: Engines, fault_server: FaultServer) -> None:
    """`--delay-ms` spaces the requests of one slot, small files too."""
    engine = await engines(concurrent_downloads=1, delay_ms=80)
    tasks = [await engine.add(fault_server.add(f"/{number}", SMALL)) for number in range(3)]
    for task in tasks:
        await ended(engine, task)
    starts = [log.started_at for log in fault_server.requests]
    assert all(after - before >= 0.075 for before, after in pairwise(starts))


async def test_the_end_does_not_wait_for_a_slots_pause(engines: Engines, fault_server: FaultServer) -> None:
    """A pause of an hour keeps nobody from quitting."""
    engine = await engines(delay_ms=3_600_000)
    await fetch(engine, fault_server.add("/f.bin", SMALL))
    await engines.close(engine)


async def test_a_request_that_is_reset_is_not_sent_again_behind_our_back(
    engines: Engines, fault_server: FaultServer
) -> None:
    """The library's own repetition would offend a host twice for each connection that it does not bear."""
    url = fault_server.add("/f.bin", Resource(1000), tempers.resets_at_once())
    engine = await engines(max_retries=0)
    task = await fetch(engine, url)
    assert task.status is Status.FAILED
    assert len(fault_server.requests) == 1


async def test_a_kept_connection_that_had_ended_is_no_failure(engines: Engines, fault_server: FaultServer) -> None:
    """The request goes out once more on a new one."""
    kept = fault_server.add("/a.bin", Resource(1000))
    ended_meanwhile = fault_server.add("/b.bin", Resource(1000), in_turn(tempers.resets_at_once(), all_of()))
    engine = await engines(max_retries=0)
    assert (await fetch(engine, kept)).status is Status.COMPLETED
    assert (await fetch(engine, ended_meanwhile)).status is Status.COMPLETED
    assert fault_server.connections_made == 2
