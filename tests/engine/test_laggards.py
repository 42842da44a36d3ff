"""A connection that lags behind the others is replaced; a host that is slow on purpose is left to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import EAGER_SPLITS, MIB, Engines, fetch, is_whole, log_of
from tests.faults import FaultServer, Resource, after, tempers

if TYPE_CHECKING:
    from tests.faults.script import Fault

SIZE_BYTES = 3 * MIB
BIG = Resource(SIZE_BYTES)
PACE_BPS = MIB
SLOW_BPS = 16 * 1024
LAGS = "lags behind"

SOON = EAGER_SPLITS | {
    "tui_dl.core.growth.SETTLE_S": 0.1,
    "tui_dl.core.growth.MEASURE_S": 0.1,
    "tui_dl.core.pace.WINDOW_S": 0.4,
    "tui_dl.core.pace.SPACING_S": 0.1,
    "tui_dl.engine.lagging.PACE_EVERY_S": 0.1,
}
"""Judge within parts of a second what takes seconds in earnest."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections judged soon."""
    for name, value in SOON.items():
        monkeypatch.setattr(name, value)


def slow_ones(count: int, fault: Fault) -> Fault:
    """Let so many replies be slow, the others be well."""
    left = [fault] * count
    return lambda exchange, reply: left.pop()(exchange, reply) if left else reply


@pytest.mark.parametrize(
    "fault", [tempers.pace(SLOW_BPS), tempers.stall_after(1000)], ids=["slow", "silent long before the time-out"]
)
async def test_a_laggard_is_replaced(engines: Engines, fault_server: FaultServer, fault: Fault) -> None:
    """Its range would take three minutes at its rate; another connection fetches it."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS), after(1, slow_ones(1, fault)))
    engine = await engines(timeout=60.0, connections=4)
    task = await fetch(engine, url)
    assert is_whole(task, BIG)
    assert LAGS in await log_of(engine, task)


async def test_equals_are_left_alone(engines: Engines, fault_server: FaultServer) -> None:
    """Connections that all get the same are no laggards, however slow."""
    engine = await engines(connections=4)
    task = await fetch(engine, fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS)))
    assert is_whole(task, BIG)
    assert LAGS not in await log_of(engine, task)


async def test_a_host_that_stays_slow_is_not_asked_again_and_again(engines: Engines, fault_server: FaultServer) -> None:
    """After three replacements in vain the extra connections are left at what they get."""
    size = Resource(SIZE_BYTES // 3)
    url = fault_server.add("/f.bin", size, tempers.pace(PACE_BPS), after(1, tempers.pace(PACE_BPS // 12)))
    engine = await engines(connections=2)
    task = await fetch(engine, url)
    assert is_whole(task, size)
    assert (await log_of(engine, task)).count(LAGS) <= 3
