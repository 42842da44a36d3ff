"""Hosts share the slots: however many tasks wait for one, those of another are not delayed by their number."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.engine.plain_server import PlainServer
from tests.engine.stage import until
from tui_dl.core.host_tables import host_rules
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.engine.reach import Reach

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

MANY = 6000
FEW = 100
SLOW_S = 0.05


async def add(engine: AsyncDownloadEngine, server: PlainServer, count: int, priority: int = 0) -> list[DownloadTask]:
    """Add files of a host."""
    return await engine.add_many(
        [
            NewTask(f"{server.origin}/{number}", engine.default_dir, f"{server.port}-{number}", priority=priority)
            for number in range(count)
        ]
    )


async def took_s(engine: AsyncDownloadEngine, tasks: list[DownloadTask]) -> float:
    """Return how long these take from now on."""
    began_at = time.monotonic()
    await engine.wait(tasks)
    rows = await engine.rows([task.id for task in tasks])
    assert {task.status for task in rows} == {Status.COMPLETED}
    return time.monotonic() - began_at


async def test_a_hosts_many_tasks_do_not_delay_anothers_few(engines: Engines) -> None:
    """They were added first, and would keep all slots busy for minutes."""
    async with PlainServer("127.0.0.2", delay_s=SLOW_S) as crowded, PlainServer("127.0.0.3") as other:
        engine = await engines(journal=engines.journal, concurrent_downloads=8)
        alone_s = await took_s(engine, await add(engine, other, FEW))
        await engines.close(engine)
        engine = await engines(journal=engines.journal, concurrent_downloads=8, dir=str(engines.dir / "again"))
        await add(engine, crowded, MANY)
        await until(lambda: crowded.requests > 20)
        among_s = await took_s(engine, await add(engine, other, FEW))
        assert crowded.requests < MANY / 20
        assert among_s < 2 * alone_s + 1.0


async def test_a_host_that_bears_few_connections_holds_up_no_other(engines: Engines) -> None:
    """Its rows stand aside, page after page."""
    async with PlainServer("127.0.0.2", delay_s=SLOW_S) as crowded, PlainServer("127.0.0.3") as other:
        rules = host_rules({f"127.0.0.2:{crowded.port}": {"tasks": 1}})
        engine = await engines(journal=engines.journal, concurrent_downloads=4, hosts=rules)
        await add(engine, crowded, MANY)
        assert await took_s(engine, await add(engine, other, FEW)) < 2.0
        assert crowded.requests < MANY / 20


async def test_a_third_host_is_found_behind_two(engines: Engines) -> None:
    """Those two hold all slots between them."""
    async with (
        PlainServer("127.0.0.2", delay_s=SLOW_S) as one,
        PlainServer("127.0.0.3", delay_s=SLOW_S) as two,
        PlainServer("127.0.0.4") as third,
    ):
        engine = await engines(journal=engines.journal, concurrent_downloads=6)
        await add(engine, one, 1500)
        await add(engine, two, 1500)
        await until(lambda: one.requests > 6 and two.requests > 6)
        assert await took_s(engine, await add(engine, third, 30)) < 2.0


async def test_a_higher_priority_goes_before_fairness(engines: Engines) -> None:
    """What a person wants first comes first."""
    async with PlainServer("127.0.0.2", delay_s=0.01) as wanted, PlainServer("127.0.0.3", delay_s=SLOW_S) as other:
        engine = await engines(concurrent_downloads=4)
        others_by_then: list[int] = []
        wanted.on_request = lambda: others_by_then.append(other.requests)
        first = await add(engine, wanted, 60, priority=1)
        await add(engine, other, 60)
        await engine.wait(first)
        assert len(others_by_then) == 60
        assert max(others_by_then) <= 3  # while the wanted host is met with one connection more at a time


async def test_one_host_alone_has_all_slots(engines: Engines) -> None:
    """None is kept free for nobody."""
    async with PlainServer("127.0.0.2", delay_s=SLOW_S) as server:
        engine = await engines(journal=engines.journal, concurrent_downloads=8)
        await add(engine, server, 300)
        await until(lambda: server.most_at_once == 8)


def test_a_share_leaves_room_for_one_more_host() -> None:
    """Only who looks for it finds out whether there is one."""
    reach = Reach()
    assert reach.over_share(8) == set()
    for _ in range(4):
        reach.take("a")
    assert reach.over_share(8) == {"a"}
    reach.take("b")
    assert reach.over_share(8) == {"a"}
    reach.take("b")
    assert reach.over_share(8) == {"a", "b"}
    for _ in range(4):
        reach.leave("a")
    assert reach.over_share(8) == set()
