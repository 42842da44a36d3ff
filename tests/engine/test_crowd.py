"""Connections that a host has few of go to tasks by their weight, and none is left idle that somebody wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.stage import MIB, received, until
from tests.faults import Resource, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.host_budget import HostBudget
from tui_dl.core.sharing import Claim
from tui_dl.core.task import NewTask
from tui_dl.engine.crowd import Crowd, Crowds

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults import FaultServer
    from tests.faults.script import Fault
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

PACE_BPS = 400_000
LARGE = Resource(64 * MIB)


async def under_way(
    engine: AsyncDownloadEngine, server: FaultServer, path: str, *faults: Fault, priority: int = 0
) -> DownloadTask:
    """Begin a large download from a server that is slow by the connection, and return it once bytes arrive."""
    url = server.add(path, LARGE, *faults, tempers.pace(PACE_BPS))
    (task,) = await engine.add_many([NewTask(url, engine.default_dir, priority=priority)])
    await until(lambda: received(engine, task) > 0)
    return task


def connections(engine: AsyncDownloadEngine, task: DownloadTask) -> int:
    """Return the connections of a task now."""
    live = engine.snapshot().live.get(task.id)
    return 0 if live is None else live.connections


async def test_a_high_task_gets_more_of_a_hosts_connections(engines: Engines, fault_server: FaultServer) -> None:
    """The low one gives up what is the high one's by weight, and has all again once that is gone."""
    engine = await engines(per_host=5, connections=8)
    low = await under_way(engine, fault_server, "/low.bin", priority=-1)
    await until(lambda: connections(engine, low) >= 4)
    high = await under_way(engine, fault_server, "/high.bin", priority=1)
    await until(lambda: (connections(engine, high), connections(engine, low)) == (4, 1))
    await engine.execute(Command(CommandName.SET_PRIORITY, (low.id, high.id), arguments={"value": "normal"}))
    await until(lambda: connections(engine, low) >= 2)
    await engine.execute(Command(CommandName.CANCEL, (high.id,)))
    await until(lambda: connections(engine, low) >= 4)


async def test_a_task_that_found_no_room_gets_a_connection(engines: Engines, fault_server: FaultServer) -> None:
    """Where a host was learned to bear three, the one that has all of them makes room for the next task."""
    engine = await engines(per_host=8, connections=8)
    first = await under_way(engine, fault_server, "/a.bin", lies.at_most(3))
    await until(lambda: engine.context.budgets[first.host].learned_connections is not None)
    second = await under_way(engine, fault_server, "/b.bin", lies.at_most(3))
    assert connections(engine, first) >= 1
    assert connections(engine, second) >= 1


def test_a_crowd_deals_what_is_left_by_those_who_claim_nothing() -> None:
    """Small files and a task that found no room count for one connection each."""
    budget = HostBudget(tasks=4)
    crowd = Crowd(budget)
    crowd.claim(1, Claim(4, 8))
    crowd.claim(2, Claim(1, 8))
    assert [crowd.share_of(key, 12, now=0.0) for key in (1, 2)] == [8, 2]
    crowd.hunger(now=0.0)
    assert [crowd.share_of(key, 12, now=0.5) for key in (1, 2)] == [7, 2]
    assert [crowd.share_of(key, 12, now=5.0) for key in (1, 2)] == [8, 2]
    assert crowd.share_of(1, 1, now=5.0) == 1


def test_crowds_are_there_only_while_somebody_wants_something() -> None:
    """A million hosts leave nothing behind; budgets that look the same are not the same host."""
    crowds, budget, other = Crowds(), HostBudget(), HostBudget()
    crowds.hunger(budget, 0.0)
    assert crowds.find(budget) is None
    crowds.of(budget).claim(1, Claim(2, 3))
    assert crowds.find(other) is None
    crowds.leave(other, 1)
    crowds.leave(budget, 1)
    assert crowds.find(budget) is None
