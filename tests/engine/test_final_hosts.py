"""Each host of a redirect answers for itself: what the last one asks or refuses is not held against the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.engine.stage import LARGE_BYTES, MIB, ended, fetch, is_whole, row, until
from tests.faults import FaultServer, Resource, lies, tempers
from tui_dl.core.addresses import host_of
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.engine.stage import Engines

SMALL = Resource(20_000)
LARGE = Resource(LARGE_BYTES)


@pytest_asyncio.fixture
async def cdn() -> AsyncIterator[FaultServer]:
    """Yield a host that redirects lead to."""
    async with FaultServer(host="127.0.0.2") as server:
        yield server


async def test_the_hosts_patience_is_the_one_that_asked_for_it(
    engines: Engines, fault_server: FaultServer, cdn: FaultServer
) -> None:
    """A 429 behind a redirect holds up that host alone; files that the first one serves itself go on."""
    engine = await engines(concurrent_downloads=2)
    there = cdn.add("/f.bin", SMALL, lies.retry_after(429, 600))
    asked = await engine.add(fault_server.add("/away.bin", SMALL, lies.redirect(there)))
    await until(lambda: asked.id in engine.snapshot().live and engine.snapshot().live[asked.id].task.due_at)
    assert is_whole(await fetch(engine, fault_server.add("/own.bin", SMALL)), SMALL)
    now = engine.context.clock()
    assert engine.context.budgets[host_of(fault_server.origin)].wait_s(now) == 0
    assert 590 < engine.context.budgets[host_of(cdn.origin)].wait_s(now) <= 600


async def test_a_blocked_host_is_not_asked_through_a_redirect(
    engines: Engines, fault_server: FaultServer, cdn: FaultServer
) -> None:
    """Whoever leads there: no request reaches it before its time, and the row says which host it waits for."""
    engine = await engines(concurrent_downloads=2)
    asked = await engine.add(cdn.add("/a.bin", SMALL, lies.retry_after(503, 600)))
    await until(lambda: asked.id in engine.snapshot().live and engine.snapshot().live[asked.id].task.due_at)
    other = await engine.add(fault_server.add("/b", SMALL, lies.redirect(cdn.add("/b.bin", SMALL))))
    await until(lambda: other.id in engine.snapshot().live and engine.snapshot().live[other.id].task.due_at)
    assert cdn.requests_for("/b.bin") == []
    waiting = await row(engine, other)
    assert waiting.status is Status.WAITING
    assert waiting.reason_text == f"{host_of(cdn.origin)} asked to wait"


async def test_a_queue_that_leads_to_a_blocked_host_is_not_asked_through(
    engines: Engines, fault_server: FaultServer, cdn: FaultServer
) -> None:
    """A few of its tasks find out; the others stay in the queue."""
    engine = await engines(concurrent_downloads=8)
    there = cdn.add("/f.bin", SMALL, lies.retry_after(429, 600))
    url = fault_server.add("/away.bin", SMALL, lies.redirect(there))
    tasks = [await engine.add(f"{url}?{number}") for number in range(50)]
    await until(lambda: engine.scheduler.waiting)
    await fault_server.wait_for(lambda: fault_server.requests)
    assert len(fault_server.requests) <= 8
    assert len(cdn.requests) == 1
    rows = await engine.rows([task.id for task in tasks])
    assert sum(one.status is Status.PENDING for one in rows) >= 42


async def test_connections_count_against_the_host_that_serves_them(
    engines: Engines, fault_server: FaultServer, cdn: FaultServer
) -> None:
    """The redirect is a short request of the first host; the body is the last one's."""
    there = cdn.add("/f.bin", LARGE, tempers.stall_after(MIB))
    engine = await engines()
    task = await engine.add(fault_server.add("/f", SMALL, lies.redirect(there)))
    await cdn.wait_for(lambda: cdn.stalled("/f.bin"))
    budgets = engine.context.budgets
    assert budgets[host_of(fault_server.origin)].open_connections == 0
    assert budgets[host_of(cdn.origin)].open_connections >= 1
    cdn.release()
    assert is_whole(await ended(engine, task), LARGE)
