"""Requests wait for their turn: in order, spread over time, host by host, and none is lost to who gave up."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import tui_dl
from tests.engine.stage import LARGE_BYTES, fetch
from tests.engine.virtual_time import let_pass, run_virtually
from tests.faults import FaultServer, Resource, lies
from tests.faults.script import first
from tui_dl.core.addresses import host_of
from tui_dl.core.errors import UsageError
from tui_dl.core.host_tables import host_rules
from tui_dl.core.status import Status
from tui_dl.engine.rate_limiter import MOST_HOSTS, RateLimiter

if TYPE_CHECKING:
    from tests.engine.stage import Engines

RULES = host_rules({"slow.example": {"request_rate": "1/s"}, "*.paced.example": {"request_rate": "2/s"}})


def limiter(rate: float | str, per: float = 1.0, **words: object) -> RateLimiter:
    """Return one that follows the running loop's clock."""
    return RateLimiter(rate, per, clock=asyncio.get_running_loop().time, **words)  # type: ignore[arg-type]  # any words


def test_it_is_public() -> None:
    """By the name that users know."""
    assert tui_dl.RateLimiter is RateLimiter


def test_requests_are_spread_over_the_period() -> None:
    """Thirty a minute are one every two seconds, from any number of callers, the first to ask first."""

    async def work() -> None:
        one = limiter(30, per=60)
        loop = asyncio.get_running_loop()
        came: list[tuple[int, float]] = []

        async def ask(number: int) -> None:
            await one.acquire()
            came.append((number, loop.time()))

        await asyncio.gather(*(ask(number) for number in range(6)))
        assert [number for number, _ in came] == list(range(6))
        assert [after - before for (_, before), (_, after) in pairwise(came)] == pytest.approx([2.0] * 5)

    run_virtually(work())


def test_a_burst_follows_at_once() -> None:
    """Where that is wanted."""

    async def work() -> None:
        one = limiter("10/m", burst=5)
        began_at = asyncio.get_running_loop().time()
        for _ in range(5):
            async with one:
                pass
        assert asyncio.get_running_loop().time() == began_at
        assert one.wait_s() == pytest.approx(6.0)

    run_virtually(work())


def test_a_host_has_its_own_turns_besides() -> None:
    """One that waits for its host takes nobody else's turn meanwhile."""

    async def work() -> None:
        one = limiter("4/s", hosts=RULES)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        await one.acquire("slow.example")
        slow = asyncio.ensure_future(one.acquire("slow.example"))
        await let_pass(0.0)
        await one.acquire("other.example")
        assert loop.time() - began_at == pytest.approx(0.25)
        await slow
        assert loop.time() - began_at == pytest.approx(1.0)
        assert one.wait_s("a.paced.example") == pytest.approx(0.25)

    run_virtually(work())


def test_who_gives_up_leaves_the_turn_to_others() -> None:
    """A cancelled wait costs nobody anything."""

    async def work() -> None:
        one = limiter("1/m")
        await one.acquire()
        waiting = asyncio.ensure_future(one.acquire())
        await let_pass(1.0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert one.wait_s() == pytest.approx(59.0)

    run_virtually(work())


def test_hosts_at_rest_are_forgotten() -> None:
    """However many are named."""

    async def work() -> None:
        one = limiter(0, hosts=RULES)
        for number in range(3 * MOST_HOSTS):
            await one.acquire(f"h{number}.paced.example")
            await let_pass(1.0)
        assert len(one._hosts) <= MOST_HOSTS + 1

    run_virtually(work())


@pytest.mark.parametrize("rate", [-1, float("nan")])
def test_a_senseless_number_is_refused(rate: float) -> None:
    """As is a text."""
    with pytest.raises(ValueError, match="0 or more"):
        RateLimiter(rate)
    with pytest.raises(UsageError):
        RateLimiter("10/x")


async def test_the_engine_sends_no_faster(engines: Engines, fault_server: FaultServer) -> None:
    """Retries and redirects count as requests do, and every file arrives."""
    engine = await engines(rate="20/s", concurrent_downloads=10)
    urls = [fault_server.add(f"/{number}", Resource(100)) for number in range(5)]
    urls.append(fault_server.add("/again", Resource(100), first(1, lies.status(500))))
    fault_server.add("/goal", Resource(100))
    urls.append(fault_server.add("/from", Resource(100), lies.redirect("/goal")))
    tasks = [await engine.add(url) for url in urls]
    await engine.wait(tasks)
    assert {task.status for task in await engine.rows([task.id for task in tasks])} == {Status.COMPLETED}
    at = sorted(log.started_at for log in fault_server.requests)
    assert len(at) == 9
    assert at[-1] - at[0] >= (len(at) - 1 - 3) / 20 - 0.01


async def test_a_paced_host_holds_up_no_other(engines: Engines, fault_server: FaultServer) -> None:
    """Its tasks stand in the queue, not in the slots."""
    async with FaultServer(host="127.0.0.2") as other:
        rules = host_rules({host_of(fault_server.origin): {"request_rate": "6/m"}})
        engine = await engines(hosts=rules, concurrent_downloads=2)
        slow = [await engine.add(fault_server.add(f"/{number}", Resource(100))) for number in range(4)]
        for number in range(6):
            assert (await fetch(engine, other.add(f"/{number}", Resource(100)))).status is Status.COMPLETED
        rows = await engine.rows([task.id for task in slow])
        assert sum(task.status is Status.COMPLETED for task in rows) == 1
        assert len(fault_server.requests) == 1


async def test_more_connections_of_a_task_take_turns_too(engines: Engines, fault_server: FaultServer) -> None:
    """A split file is fetched, by few requests."""
    rules = host_rules({host_of(fault_server.origin): {"request_rate": "2/m"}})
    engine = await engines(hosts=rules, connections=8)
    task = await fetch(engine, fault_server.add("/large", Resource(LARGE_BYTES)))
    assert task.status is Status.COMPLETED
    assert len(fault_server.requests) == 1
