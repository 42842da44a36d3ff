"""Hosts that do not answer must not hold up those that do."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.engine.stage import until
from tests.faults import FaultServer, Resource, tempers
from tui_dl.core.status import Status
from tui_dl.engine import reach as reach_module
from tui_dl.engine.reach import Reach

if TYPE_CHECKING:
    import pytest

    from tests.engine.stage import Engines

HOSTS = ("answers", "silent", "new")


def allowed(reach: Reach, slots: int) -> list[list[str]]:
    """Return the hosts that each preference takes."""
    return [[host for host in HOSTS if can_host(host)] for can_host in reach.preferences(slots)]


def met() -> Reach:
    """Return what is known after one host answered and one did not."""
    reach = Reach()
    reach.heard("answers")
    reach.missed("silent")
    return reach


def test_hosts_are_equal_while_few_slots_wait() -> None:
    """A slot in eight for a silent host, three for new ones: no preference."""
    reach = met()
    for host in ("silent", "new", "new", "answers"):
        reach.take(host)
    assert allowed(reach, 8) == [list(HOSTS)]


def test_silent_hosts_come_last_at_a_quarter_of_the_slots() -> None:
    """What was never asked goes before them, and without anything else they may have all."""
    reach = met()
    for _ in range(2):
        reach.take("silent")
    assert allowed(reach, 8) == [["answers", "new"], list(HOSTS)]


def test_answering_hosts_come_first_at_half_of_the_slots() -> None:
    """Until a slot is given back, or the host answers that it waits for."""
    reach = met()
    for _ in range(4):
        reach.take("new")
    assert allowed(reach, 8) == [["answers"], list(HOSTS)]
    reach.leave("new")
    assert allowed(reach, 8) == [list(HOSTS)]
    reach.take("new")
    reach.heard("new")
    assert allowed(reach, 8) == [list(HOSTS)]


def test_a_host_that_stops_answering_counts_with_all_its_slots() -> None:
    """It had them by right, and is silent now."""
    reach = met()
    for _ in range(4):
        reach.take("answers")
    reach.missed("answers")
    assert allowed(reach, 8) == [[], ["new"], list(HOSTS)]


def test_older_hosts_are_forgotten_but_for_those_with_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and the counts stay right."""
    monkeypatch.setattr(reach_module, "MOST_KNOWN", 4)
    reach = Reach()
    reach.missed("silent")
    reach.take("silent")
    for number in range(20):
        reach.heard(f"host{number}")
    assert len(reach._manners) <= 5
    reach.leave("silent")
    assert allowed(reach, 1) == [list(HOSTS)]


async def test_files_of_a_good_host_arrive_beside_many_dead_ones(engines: Engines, fault_server: FaultServer) -> None:
    """Eight hosts take connections and never answer; none of them has given up when the last good file is there."""
    engine = await engines(concurrent_downloads=4, timeout=60.0, connect_timeout=60.0)
    async with AsyncExitStack() as stack:
        dead = [await stack.enter_async_context(FaultServer(host=f"127.0.0.{number}")) for number in range(40, 48)]
        small = Resource(2000)
        urls = [fault_server.add("/0.bin", small)]
        urls += [server.add("/f.bin", small, tempers.never_answers()) for server in dead]
        urls += [fault_server.add(f"/{number}.bin", small) for number in range(1, 30)]
        for url in urls:
            await engine.add(url)
        await until(lambda: engine.snapshot().counts.get(Status.COMPLETED, 0) == 30)
        assert not engine.snapshot().counts.get(Status.FAILED, 0)
        await engines.close(engine)
    assert set(engine.context.budgets.reach._slots_by_manner.values()) <= {0}
