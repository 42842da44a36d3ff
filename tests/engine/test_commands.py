"""Commands: what a person wants of running, waiting, queued and finished tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, is_whole, received, row, until
from tests.faults import Resource, first, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

LARGE = Resource(LARGE_BYTES)
SMALL = Resource(20_000)
HELD_BYTES = MIB


async def order(
    engine: AsyncDownloadEngine, name: CommandName, *tasks: DownloadTask, **arguments: object
) -> CommandOutcome:
    """Give a command about these tasks."""
    return await engine.execute(Command(name, tuple(task.id for task in tasks), arguments=arguments))


async def stalled(engine: AsyncDownloadEngine, server: FaultServer, path: str = "/f.bin") -> DownloadTask:
    """Begin a download that stands still after 1 MiB."""
    task = await engine.add(server.add(path, LARGE, tempers.stall_after(HELD_BYTES)))
    await until(lambda: received(engine, task) >= HELD_BYTES)
    return task


# -- pause, resume, cancel ---------------------------------------------------------------------------------------------


async def test_pause_closes_the_connection(engines: Engines, fault_server: FaultServer) -> None:
    """The server sees the connection go, and the row is paused when the command returns."""
    engine = await engines()
    task = await stalled(engine, fault_server)
    outcome = await order(engine, CommandName.PAUSE, task)
    assert outcome.changed == 1
    assert (await row(engine, task)).status is Status.PAUSED
    await fault_server.wait_for(lambda: fault_server.active_connections == 0)


async def test_resume_goes_on_with_what_is_held(engines: Engines, fault_server: FaultServer) -> None:
    """Nothing but the compared glance is fetched twice."""
    engine = await engines()
    task = await stalled(engine, fault_server)
    await order(engine, CommandName.PAUSE, task)
    fault_server.script("/f.bin")
    assert (await order(engine, CommandName.RESUME, task)).changed == 1
    assert is_whole(await ended(engine, task), LARGE)
    assert fault_server.requests[-1].range_asked == f"bytes={HELD_BYTES - 4 * 1024}-"


async def test_a_paused_row_stays_paused_over_a_restart(engines: Engines, fault_server: FaultServer) -> None:
    """Only a person resumes what a person paused."""
    engine = await engines(journal=engines.journal)
    task = await stalled(engine, fault_server)
    await order(engine, CommandName.PAUSE, task)
    await engines.close(engine)
    engine = await engines(journal=engines.journal)
    await engine.wait()
    assert (await row(engine, task)).status is Status.PAUSED


async def test_pause_in_the_moment_of_the_start_is_not_lost(engines: Engines, fault_server: FaultServer) -> None:
    """However the pause falls with the start, the task is paused and nothing runs."""
    engine = await engines(concurrent_downloads=50)
    urls = [fault_server.add(f"/{number}.bin", SMALL, tempers.never_answers()) for number in range(20)]
    tasks = [await engine.add(url) for url in urls]
    await order(engine, CommandName.PAUSE, *tasks)
    rows = await engine.rows([task.id for task in tasks])
    assert {task.status for task in rows} == {Status.PAUSED}
    assert not engine.snapshot().live


async def test_pause_of_a_queued_task_keeps_it_from_starting(engines: Engines, fault_server: FaultServer) -> None:
    """The slot that comes free goes to the next one."""
    engine = await engines(concurrent_downloads=1)
    running = await stalled(engine, fault_server)
    queued = await engine.add(fault_server.add("/g.bin", SMALL))
    await order(engine, CommandName.PAUSE, queued)
    fault_server.release()
    await ended(engine, running)
    await engine.wait()
    assert (await row(engine, queued)).status is Status.PAUSED
    assert fault_server.requests_for("/g.bin") == []


async def test_pause_of_a_waiting_task_ends_the_wait(engines: Engines, fault_server: FaultServer) -> None:
    """Between two attempts, too, a task can be paused."""
    engine = await engines(retry_delay=500.0, max_retry_delay=500.0)
    task = await engine.add(fault_server.add("/f.bin", SMALL, lies.retry_after(503, 500)))
    await until(lambda: engine.snapshot().live and engine.snapshot().live[task.id].task.status is Status.WAITING)
    await order(engine, CommandName.PAUSE, task)
    now = await row(engine, task)
    assert (now.status, now.reason, now.due_at) == (Status.PAUSED, None, None)
    assert task.id not in engine.snapshot().live


async def test_toggle_pauses_and_resumes_each_row(engines: Engines, fault_server: FaultServer) -> None:
    """What runs is paused, what is paused runs."""
    engine = await engines()
    one = await stalled(engine, fault_server)
    other = await stalled(engine, fault_server, "/g.bin")
    await order(engine, CommandName.PAUSE, other)
    fault_server.script("/g.bin")
    await order(engine, CommandName.TOGGLE_PAUSE, one, other)
    assert (await row(engine, one)).status is Status.PAUSED
    assert is_whole(await ended(engine, other), LARGE)


async def test_toggle_all_pauses_everything_then_resumes_it(engines: Engines, fault_server: FaultServer) -> None:
    """One key for all."""
    engine = await engines(concurrent_downloads=1)
    tasks = [await stalled(engine, fault_server), await engine.add(fault_server.add("/g.bin", SMALL))]
    await engine.execute(Command(CommandName.TOGGLE_ALL))
    assert {task.status for task in await engine.rows([task.id for task in tasks])} == {Status.PAUSED}
    fault_server.script("/f.bin")
    await engine.execute(Command(CommandName.TOGGLE_ALL))
    await engine.wait(tasks)
    assert {task.status for task in await engine.rows([task.id for task in tasks])} == {Status.COMPLETED}


async def test_cancel_keeps_the_part_and_retry_uses_it(engines: Engines, fault_server: FaultServer) -> None:
    """`x` keeps part file and row; `r` takes them up again."""
    engine = await engines()
    task = await stalled(engine, fault_server)
    await order(engine, CommandName.CANCEL, task)
    assert (await row(engine, task)).status is Status.CANCELLED
    assert engines.names() == ["f.bin.tui-dl.part"]
    fault_server.script("/f.bin")
    await order(engine, CommandName.RETRY, task)
    assert is_whole(await ended(engine, task), LARGE)
    assert fault_server.requests[-1].range_asked != "bytes=0-"


async def test_delete_part_cancels_and_removes_it(engines: Engines, fault_server: FaultServer) -> None:
    """`X` leaves no byte; the row stays as cancelled, and a retry starts at 0."""
    engine = await engines()
    task = await stalled(engine, fault_server)
    await order(engine, CommandName.DELETE_PART, task)
    now = await row(engine, task)
    assert (now.status, now.part_path, now.downloaded_bytes) == (Status.CANCELLED, "", 0)
    assert engines.names() == []
    fault_server.script("/f.bin")
    await order(engine, CommandName.RETRY, task)
    assert is_whole(await ended(engine, task), LARGE)
    assert fault_server.requests[-1].range_asked == "bytes=0-"


async def test_delete_part_leaves_a_finished_file_alone(engines: Engines, fault_server: FaultServer) -> None:
    """A completed task has no part file to lose."""
    engine = await engines()
    task = await fetch(engine, fault_server.add("/f.bin", LARGE))
    await order(engine, CommandName.DELETE_PART, task)
    assert is_whole(await row(engine, task), LARGE)


async def test_a_small_file_paused_at_its_end_is_complete_or_paused(
    engines: Engines, fault_server: FaultServer
) -> None:
    """Whatever moment a pause falls on, rows and files agree and no other file of the group suffers."""
    engine = await engines(concurrent_downloads=50)
    tasks = [await engine.add(fault_server.add(f"/{number}.bin", Resource(5000, number))) for number in range(30)]
    await until(engines.names)
    for task in tasks[::2]:
        await order(engine, CommandName.PAUSE, task)
    await engine.wait(tasks[1::2])
    rows = await engine.rows([task.id for task in tasks])
    assert {task.status for task in rows[1::2]} == {Status.COMPLETED}
    assert {task.status for task in rows} <= {Status.COMPLETED, Status.PAUSED}
    assert engines.names() == sorted(task.filename for task in rows if task.status is Status.COMPLETED)


async def test_commands_take_a_query(engines: Engines, fault_server: FaultServer) -> None:
    """A question names rows as well as ids do."""
    engine = await engines()
    task = await stalled(engine, fault_server)
    other = await stalled(engine, fault_server, "/g.bin")
    await engine.execute(Command(CommandName.PAUSE, query=TaskQuery(text="g.bin")))
    assert (await row(engine, other)).status is Status.PAUSED
    assert (await row(engine, task)).status is Status.DOWNLOADING


async def test_pause_of_a_finished_task_changes_nothing(engines: Engines, fault_server: FaultServer) -> None:
    """No command moves a row where the table of states has no step."""
    engine = await engines()
    task = await fetch(engine, fault_server.add("/f.bin", SMALL))
    assert (await order(engine, CommandName.PAUSE, task)).changed == 0
    assert (await row(engine, task)).status is Status.COMPLETED


# -- add ---------------------------------------------------------------------------------------------------------------


async def test_downloads_of_one_add_may_differ(engines: Engines, fault_server: FaultServer) -> None:
    """Each has a name, a folder and headers of its own; one that is wrong keeps all from being added."""
    engine = await engines()
    urls = [fault_server.add(f"/{name}.bin", SMALL) for name in "ab"]
    first = {"url": urls[0], "name": "x.bin", "dir": str(engines.path("sub"))}
    second = {"url": urls[1], "options": {"headers": [["X-A", "1"]]}}
    outcome = await order(engine, CommandName.ADD, downloads=[first, second], dir=str(engines.dir))
    assert (outcome.changed, outcome.message) == (2, "2 added")
    await engine.wait()
    assert [one.path for one in await engine.rows(outcome.ids)] == [
        str(engines.path("sub") / "x.bin"),
        str(engines.path("b.bin")),
    ]
    assert {one.path: one.headers.get("x-a") for one in fault_server.requests} == {"/a.bin": None, "/b.bin": "1"}
    with pytest.raises(UsageError):
        await order(engine, CommandName.ADD, downloads=[{"url": f"{urls[0]}?2"}, {"url": "nonsense"}])
    assert len(await engine.view(TaskQuery())) == 2


async def test_an_add_may_name_patterns(engines: Engines) -> None:
    """They are added block by block, each address once; a bad one keeps everything from being added."""
    engine = await engines(concurrent_downloads=1)
    pattern = "http://127.0.0.1:1/[1-1200]"
    with pytest.raises(UsageError):
        await order(engine, CommandName.ADD, urls=["http://127.0.0.1:1/7"], globs=["nonsense://[1-2]"])
    assert len(await engine.view(TaskQuery())) == 0
    outcome = await order(engine, CommandName.ADD, urls=["http://127.0.0.1:1/7"], globs=[pattern])
    assert (outcome.changed, outcome.message) == (1200, "1,200 added, 1 already there")
    assert len(await engine.view(TaskQuery())) == 1200


# -- retry -------------------------------------------------------------------------------------------------------------


async def test_retry_of_a_failed_task_counts_anew(engines: Engines, fault_server: FaultServer) -> None:
    """A person's retry has all its attempts."""
    engine = await engines(max_retries=1)
    task = await fetch(engine, fault_server.add("/f.bin", SMALL, lies.status(500)))
    assert task.status is Status.FAILED
    fault_server.script("/f.bin", first(1, lies.status(500)))
    await order(engine, CommandName.RETRY, task)
    done = await ended(engine, task)
    assert is_whole(done, SMALL)
    assert (done.reason, done.reason_text, done.retry_count) == (None, "", 0)


async def test_retry_with_restart_drops_what_is_held(engines: Engines, fault_server: FaultServer) -> None:
    """Starting over is a wish of its own, and is granted once."""
    engine = await engines()
    task = await stalled(engine, fault_server)
    await order(engine, CommandName.CANCEL, task)
    fault_server.script("/f.bin", first(1, tempers.drop_after(MIB)))
    await order(engine, CommandName.RETRY, task, restart=True)
    done = await ended(engine, task)
    assert is_whole(done, LARGE)
    assert fault_server.requests[1].range_asked == "bytes=0-"
    assert fault_server.requests[-1].range_asked != "bytes=0-"


async def test_retry_failed_means_the_failed_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Cancelled and completed rows stay as they are."""
    engine = await engines()
    failed = await fetch(engine, fault_server.add("/a.bin", SMALL, lies.status(404)))
    cancelled = await stalled(engine, fault_server)
    await order(engine, CommandName.CANCEL, cancelled)
    fault_server.script("/a.bin")
    outcome = await engine.execute(Command(CommandName.RETRY_FAILED))
    assert outcome.changed == 1
    assert is_whole(await ended(engine, failed), SMALL)
    assert (await row(engine, cancelled)).status is Status.CANCELLED


# -- order and limits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "chosen", "expected"),
    [(CommandName.MOVE_UP, 2, ["/0", "/2", "/1"]), (CommandName.MOVE_DOWN, 0, ["/1", "/0", "/2"])],
)
async def test_moving_changes_the_order_of_starting(
    engines: Engines, fault_server: FaultServer, name: CommandName, chosen: int, expected: list[str]
) -> None:
    """The queue is worked off as it is shown."""
    engine = await engines(concurrent_downloads=1)
    running = await stalled(engine, fault_server)
    tasks = [await engine.add(fault_server.add(f"/{number}", SMALL)) for number in range(3)]
    await order(engine, name, tasks[chosen])
    fault_server.release()
    await engine.wait([running, *tasks])
    assert [log.path for log in fault_server.requests[1:]] == expected


async def test_fewer_at_once_stops_the_youngest_which_go_first_again(
    engines: Engines, fault_server: FaultServer
) -> None:
    """From 5 to 2 leaves the two oldest; the stopped ones start before the others of the queue."""
    engine = await engines(concurrent_downloads=5)
    tasks = [await engine.add(fault_server.add(f"/{number}", LARGE, tempers.stall_after(MIB))) for number in range(7)]
    await until(lambda: sum(received(engine, task) >= MIB for task in tasks) == 5)
    await engine.execute(Command(CommandName.SET_CONCURRENCY, arguments={"value": 2}))
    await until(lambda: set(engine.snapshot().live) == {tasks[0].id, tasks[1].id})
    rows = await engine.rows([task.id for task in tasks])
    assert [task.status for task in rows[2:]] == [Status.PENDING] * 5
    for number in range(7):
        fault_server.script(f"/{number}")
    engines.events.clear()
    fault_server.release()
    await engine.wait(tasks)
    started = [event.task.id for event in engines.events if event.kind is EventKind.STARTED]
    assert started == [task.id for task in tasks[2:]]


async def test_more_at_once_starts_more(engines: Engines, fault_server: FaultServer) -> None:
    """`delta` counts from what is."""
    engine = await engines(concurrent_downloads=1)
    tasks = [await engine.add(fault_server.add(f"/{number}", LARGE, tempers.stall_after(MIB))) for number in range(3)]
    await until(lambda: len(engine.snapshot().live) == 1)
    await engine.execute(Command(CommandName.SET_CONCURRENCY, arguments={"delta": 1}))
    await until(lambda: len(engine.snapshot().live) == 2)
    assert engine.snapshot().concurrent_downloads == 2
    assert set(engine.snapshot().live) == {tasks[0].id, tasks[1].id}


@pytest.mark.parametrize("is_global", [True, False])
async def test_a_limit_is_set_and_lifted_while_a_task_runs(
    engines: Engines, fault_server: FaultServer, *, is_global: bool
) -> None:
    """A crawling task runs free at once when the limit goes."""
    engine = await engines()
    fault_server.add("/f.bin", Resource(8 * MIB), tempers.stall_after(MIB))
    task = await engine.add(fault_server.url("/f.bin"))
    await until(lambda: received(engine, task) >= MIB)
    targets = () if is_global else (task,)
    await order(engine, CommandName.SET_LIMIT, *targets, bps=50_000)
    fault_server.release()
    await until(lambda: any(share.has_waiting for share in engine.context.limits.shares_of(task)))
    assert received(engine, task) < 3 * MIB
    await order(engine, CommandName.SET_LIMIT, *targets, bps=None)
    assert is_whole(await ended(engine, task), Resource(8 * MIB))


async def test_a_limit_given_with_the_task_holds(engines: Engines, fault_server: FaultServer) -> None:
    """`options.limit_rate_bps` slows this task alone."""
    engine = await engines()
    slow = await engine.add(fault_server.add("/f.bin", LARGE), options=TaskOptions(limit_rate_bps=100_000))
    assert is_whole(await fetch(engine, fault_server.add("/g.bin", LARGE)), LARGE)
    assert received(engine, slow) < LARGE_BYTES // 2
    assert engine.context.limits._tasks.keys() == {slow.id}


async def test_options_of_a_queued_task_are_kept(engines: Engines, fault_server: FaultServer) -> None:
    """What is set before the start is what it starts with, and it does start."""
    engine = await engines(concurrent_downloads=1)
    running = await stalled(engine, fault_server)
    queued = await engine.add(fault_server.add("/g.bin", SMALL))
    await order(engine, CommandName.SET_CONNECTIONS, queued, value=3)
    await order(engine, CommandName.SET_LIMIT, queued, bps=10_000_000)
    fault_server.release()
    await ended(engine, running)
    done = await ended(engine, queued)
    assert (done.options.connections, done.options.limit_rate_bps) == (3, 10_000_000)


async def test_options_of_a_waiting_task_are_kept(engines: Engines, fault_server: FaultServer) -> None:
    """A change between two attempts is not overwritten by the next record of the row."""
    engine = await engines(retry_delay=500.0)
    task = await engine.add(fault_server.add("/f.bin", SMALL, lies.retry_after(503, 500)))
    await until(lambda: engine.snapshot().live and engine.snapshot().live[task.id].task.status is Status.WAITING)
    await order(engine, CommandName.SET_CONNECTIONS, task, value=3)
    await order(engine, CommandName.PAUSE, task)
    assert (await row(engine, task)).options.connections == 3
