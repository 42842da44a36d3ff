"""What a person set for single hosts holds for them alone, and what was learned of hosts outlives the engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.engine.stage import LARGE_BYTES, ended, fetch, is_whole, until
from tests.faults import FaultServer, Resource, lies, tempers
from tests.faults.proxies import HttpProxy
from tui_dl.core.addresses import host_of
from tui_dl.core.host_tables import host_rules
from tui_dl.core.task import TaskOptions
from tui_dl.engine import hosts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.engine.stage import Engines
    from tui_dl.core.host_rules import HostRules

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)


@pytest_asyncio.fixture
async def other() -> AsyncIterator[FaultServer]:
    """Yield another host."""
    async with FaultServer(host="127.0.0.2") as server:
        yield server


def rules(server: FaultServer, **values: Any) -> HostRules:
    """Return rules for one server alone."""
    return host_rules({host_of(server.origin): values})


def authorized(server: FaultServer, path: str) -> bool:
    """Whether the first request for a path carried credentials or the custom header."""
    headers = server.requests_for(path)[0].headers
    return "authorization" in headers or "x-key" in headers


async def test_connections_to_a_host_are_bounded(engines: Engines, fault_server: FaultServer) -> None:
    """Tasks of one connection each count, too."""
    engine = await engines(concurrent_downloads=8, hosts=rules(fault_server, connections=2))
    urls = [fault_server.add(f"/{number}", LARGE, tempers.pace(12 << 20)) for number in range(6)]
    tasks = [await engine.add(url) for url in urls]
    seen: set[int] = set()
    waiting = asyncio.ensure_future(engine.wait(tasks))

    def is_done() -> bool:
        seen.add(fault_server.active_requests)
        return waiting.done()

    await until(is_done)
    for task in tasks:
        assert is_whole(await ended(engine, task), LARGE)
    assert max(seen) == 2


async def test_tasks_of_a_host_are_bounded_and_delay_no_others(
    engines: Engines, fault_server: FaultServer, other: FaultServer
) -> None:
    """Its long queue leaves the slots to other hosts."""
    engine = await engines(concurrent_downloads=3, hosts=rules(fault_server, tasks=1))
    url = fault_server.add("/slow.bin", LARGE, tempers.stall_after(9))
    stalled = [await engine.add(f"{url}?{number}") for number in range(5)]
    others = [await engine.add(other.add(f"/{number}", SMALL)) for number in range(10)]
    for task in others:
        assert is_whole(await ended(engine, task), SMALL)
    assert len(engine.scheduler.running) == 1
    fault_server.script("/slow.bin")
    fault_server.release()
    for task in stalled:
        assert is_whole(await ended(engine, task), LARGE)


async def test_headers_and_credentials_go_to_their_host_alone(
    engines: Engines, fault_server: FaultServer, other: FaultServer
) -> None:
    """Neither another host nor a redirect away sees them."""
    values = {"user": "me:hunter2", "headers": {"X-Key": "s3cret"}, "user_agent": "mine/1"}
    engine = await engines(hosts=rules(fault_server, **values), auth="basic")
    await fetch(engine, fault_server.add("/here", SMALL))
    await fetch(engine, other.add("/there", SMALL))
    await fetch(engine, fault_server.add("/away", SMALL, lies.redirect(other.add("/led", SMALL))))
    assert authorized(fault_server, "/here")
    assert fault_server.requests_for("/here")[0].headers["user-agent"] == "mine/1"
    assert authorized(fault_server, "/away")
    for path in ("/there", "/led"):
        assert not authorized(other, path)
        assert other.requests_for(path)[0].headers["user-agent"] != "mine/1"


async def test_a_redirect_over_plain_http_is_given_no_secret(
    engines: Engines, fault_server: FaultServer, other: FaultServer
) -> None:
    """Whoever redirects could choose scheme and port; the agent is no secret."""
    engine = await engines(hosts=rules(other, user="me:hunter2", headers={"X-Key": "s3cret"}, user_agent="mine/1"))
    await fetch(engine, fault_server.add("/away", SMALL, lies.redirect(other.add("/led", SMALL))))
    assert not authorized(other, "/led")
    assert other.requests_for("/led")[0].headers["user-agent"] == "mine/1"


async def test_a_header_given_for_the_task_counts_first(engines: Engines, fault_server: FaultServer) -> None:
    """It is the more telling one."""
    engine = await engines(hosts=rules(fault_server, headers={"X-Key": "table", "X-Other": "table"}, user_agent="t"))
    options = TaskOptions(headers=(("x-key", "task"), ("User-Agent", "u")))
    await fetch(engine, fault_server.add("/f", SMALL), options=options)
    sent = fault_server.requests[0].headers
    assert (sent["x-key"], sent["x-other"], sent["user-agent"]) == ("task", "table", "u")


async def test_further_connections_carry_them_too(engines: Engines, fault_server: FaultServer) -> None:
    """A resume asks for the rest as the first request did."""
    engine = await engines(hosts=rules(fault_server, headers={"X-Key": "s3cret"}))
    await fetch(engine, fault_server.add("/f.bin", LARGE, tempers.drop_after(1 << 20)))
    assert len(fault_server.requests) > 1
    assert {log.headers.get("x-key") for log in fault_server.requests} == {"s3cret"}


async def test_a_host_has_a_rate_of_its_own(engines: Engines, fault_server: FaultServer, other: FaultServer) -> None:
    """Another host's tasks are not under it."""
    engine = await engines(hosts=rules(fault_server, rate="2M"))
    clock = engine.context.clock
    started_at = clock()
    await fetch(engine, other.add("/fast.bin", LARGE))
    fast_s, started_at = clock() - started_at, clock()
    await fetch(engine, fault_server.add("/slow.bin", LARGE))
    assert clock() - started_at > 1.0 > fast_s


async def test_a_host_may_have_a_proxy_of_its_own(
    engines: Engines, fault_server: FaultServer, other: FaultServer
) -> None:
    """The others are reached directly."""
    async with HttpProxy() as proxy:
        engine = await engines(hosts=rules(fault_server, proxy=f"http://{proxy.authority}"))
        assert is_whole(await fetch(engine, fault_server.add("/f", SMALL)), SMALL)
        assert is_whole(await fetch(engine, other.add("/f", SMALL)), SMALL)
        assert len(proxy.asked) == 1


@pytest.mark.parametrize("is_killed", [False, True])
async def test_what_was_learned_is_used_by_the_next_engine(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    """A host that asked for ten minutes is left alone after a restart, too; a killed process loses a second of it."""
    monkeypatch.setattr(hosts, "SAVE_EVERY_S", 0.01)
    engine = await engines(journal=engines.journal)
    task = await engine.add(fault_server.add("/a", SMALL, lies.retry_after(429, 600)))
    await until(lambda: task.id in engine.snapshot().live and engine.snapshot().live[task.id].task.due_at)
    if is_killed:
        await until(lambda: engine.context.budgets[task.host].changed_at in engine.keeper.saved.values())
        monkeypatch.setattr(engine.keeper, "_save", _nothing)
    await engines.close(engine)
    engine = await engines(journal=engines.journal)
    budget = engine.context.budgets[task.host]
    assert 590 < budget.wait_s(engine.context.clock()) <= 600
    details = await engine.details(task.id)
    assert details is not None
    (view,) = details.hosts
    assert view.due_at is not None
    assert len(fault_server.requests) == 1


async def _nothing() -> None:
    """Save nothing."""


async def test_a_clock_that_jumped_blocks_a_host_no_longer_than_it_asked(
    engines: Engines, fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lesson was written in a year to come."""
    engine = await engines(journal=engines.journal)
    monkeypatch.setattr(engine.keeper, "_wall_clock", lambda: 4e9)
    task = await engine.add(fault_server.add("/a", SMALL, lies.retry_after(503, 60)))
    await until(lambda: task.id in engine.snapshot().live and engine.snapshot().live[task.id].task.due_at)
    await engines.close(engine)
    engine = await engines(journal=engines.journal)
    assert 50 < engine.context.budgets[task.host].wait_s(engine.context.clock()) <= 60
