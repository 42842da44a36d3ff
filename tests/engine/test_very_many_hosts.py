"""What is kept of hosts has bounds: a list may name a hundred thousand of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.engine.stage import fetch
from tests.faults import FaultServer, Resource
from tui_dl.core.host_rules import HostRules
from tui_dl.core.host_tables import host_rules
from tui_dl.core.status import Status
from tui_dl.engine import watching
from tui_dl.engine.hosts import IDLE_S, MOST_IDLE, HostBudgets

if TYPE_CHECKING:
    import pytest

    from tests.engine.stage import Engines

MANY = 3 * MOST_IDLE
LATER = 1000.0 + IDLE_S


def met(count: int, rules: HostRules | None = None) -> HostBudgets:
    """Return budgets of so many hosts, each asked once."""
    budgets = HostBudgets(rules or HostRules())
    for number in range(count):
        budget = budgets[f"h{number}"]
        budget.opened(1000.0)
        budget.closed()
    return budgets


def test_few_hosts_are_all_remembered() -> None:
    """However long ago they were met."""
    budgets = met(MOST_IDLE)
    budgets.let_go(1e9)
    assert len(budgets) == MOST_IDLE


def test_hosts_that_taught_nothing_go_first() -> None:
    """As soon as they are at rest."""
    budgets = met(MANY)
    budgets["h1"].learn_no_ranges(1000.0)
    budgets.let_go(1000.0 + IDLE_S / 2)
    assert len(budgets) == MANY
    budgets.let_go(LATER)
    assert list(budgets) == ["h1"]


def test_of_very_many_lessons_the_oldest_go() -> None:
    """The journal has them."""
    budgets = met(MANY)
    for number, one in enumerate(budgets.values()):
        one.learn_no_ranges(900.0 + number / MANY)
    budgets.let_go(LATER)
    assert list(budgets) == [f"h{number}" for number in range(MANY - MOST_IDLE, MANY)]


def test_hosts_at_work_and_hosts_that_want_patience_stay() -> None:
    """Whatever their number."""
    budgets = met(MANY, host_rules({"h7": {"request_rate": "1/h"}}))
    budgets["h1"].tasks = 1
    budgets["h2"].opened(1000.0)
    budgets["h3"].coming = 1
    budgets["h4"].pause(1000.0, 3600.0)
    budgets.let_go(LATER)
    assert set(budgets) == {"h1", "h2", "h3", "h4", "h7"}


async def test_unused_connections_are_kept_to_few_hosts(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one kept the longest is let go; within the bound they are used again."""
    monkeypatch.setattr(watching, "MOST_KEPT_HOSTS", 2)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(FaultServer(host=f"127.0.0.{number}")) for number in range(2, 7)]
        engine = await engines()
        for name in ("/a", "/b"):
            for server in servers:
                assert (await fetch(engine, server.add(name, Resource(10)))).status is Status.COMPLETED
        for number in range(2):
            assert (await fetch(engine, servers[-1].add(f"/{number}", Resource(10)))).status is Status.COMPLETED
        assert [server.connections_made for server in servers] == [2, 2, 2, 2, 2]
