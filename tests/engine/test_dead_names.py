"""A list with many names of which a fifth is dead: the others all arrive, and each name is asked for once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.engine.name_world import ALIVE, DEAD, NameWorld, urls
from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.engine import names_ahead

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.engine.stage import Engines

NAMES = 100
DEAD_PART = 5


async def test_dead_names_among_many(engines: Engines) -> None:
    """No more rows are in memory than a few pages, either."""
    async with NameWorld() as world:
        engine = await engines(concurrent_downloads=20, dns_servers=f"127.0.0.1:{world.names_port}", ip_version="ipv4")
        wanted = urls(world.web.port, NAMES, each=2, dead_part=DEAD_PART)
        tasks = await engine.add_many([NewTask(url, engine.default_dir, url.rpartition("/")[2]) for url in wanted])
        await engine.wait(tasks)
        rows = await engine.rows([task.id for task in tasks])
        dead = 2 * NAMES // DEAD_PART
        assert Counter((task.status, task.reason) for task in rows) == {
            (Status.COMPLETED, None): 2 * NAMES - dead,
            (Status.FAILED, Reason.DNS_FAILED): dead,
        }
        assert world.names.asked <= 2 * NAMES
        assert not engine.scheduler.waiting


async def test_a_dead_name_that_is_slow_to_be_told_takes_no_slot(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is looked up the slots are for others."""
    monkeypatch.setattr(names_ahead, "HOLD_S", 600.0)
    async with NameWorld() as world:
        held: list[Callable[[], None]] = []
        world.names.held = held
        engine = await engines(concurrent_downloads=2, dns_servers=f"127.0.0.1:{world.names_port}", ip_version="ipv4")
        dead = [f"http://h{number}.{DEAD}/{number}" for number in range(6)]
        alive = urls(world.web.port, 4, each=2, dead_part=0)
        tasks = await engine.add_many([NewTask(url, engine.default_dir) for url in (*dead, *alive)])
        assert (await engine.wait(tasks[6:])).success == 8
        assert not engine.scheduler.running
        world.names.held = None
        for answer in held:
            answer()
        assert (await engine.wait(tasks[:6])).failed == 6


async def test_a_name_that_takes_long_is_the_matter_of_its_task(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not held back for ever: the task begins, and tells what went wrong."""
    monkeypatch.setattr(names_ahead, "HOLD_S", 0.0)
    async with NameWorld() as world:
        world.names.held = []
        servers = f"127.0.0.1:{world.names_port}"
        engine = await engines(dns_servers=servers, ip_version="ipv4", connect_timeout=0.2, max_retries=0)
        result = await engine.wait([await engine.add(f"http://h.{DEAD}/f")])
        assert list(result.errors_by_class) == [Reason.CONNECT_TIMEOUT]


async def test_few_rows_of_a_long_list_are_in_memory(engines: Engines) -> None:
    """Also while no host has answered, so that each would be better than all that are at hand."""
    async with NameWorld(delay_s=0.2) as world:
        engine = await engines(concurrent_downloads=8, dns_servers=f"127.0.0.1:{world.names_port}", ip_version="ipv4")
        wanted = urls(world.web.port, 4000, each=1, dead_part=0)
        tasks = await engine.add_many([NewTask(url, engine.default_dir, url.rpartition("/")[2]) for url in wanted])
        await engine.wait(tasks[:20])
        assert len(engine.scheduler._picker._ready) < 1500


async def test_a_name_that_is_not_there_is_tried_once_while_hosts_answer(engines: Engines) -> None:
    """Before any has answered the network may be what is missing, and it is tried again."""
    async with NameWorld() as world:
        engine = await engines(
            dns_servers=f"127.0.0.1:{world.names_port}", ip_version="ipv4", max_retries=2, retry_delay=0.01
        )
        attempts = []
        for url in (f"http://first.{DEAD}/f", f"http://h.{ALIVE}:{world.web.port}/g", f"http://then.{DEAD}/h"):
            began = len(engines.events)
            await engine.wait([await engine.add(url)])
            kinds = [event.kind for event in engines.events[began:]]
            attempts.append(kinds.count(EventKind.STARTED) + kinds.count(EventKind.RETRYING))
        assert attempts == [3, 1, 1]
