"""Hosts of every manner at once: each gets what it bears, none holds up another, and what was learned is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.many_hosts import ManyHosts, Scale, fetched
from tui_dl.core.addresses import host_of

if TYPE_CHECKING:
    from tests.engine.stage import Engines

SCALE = Scale(files=5, file_bytes=120_000, pace_bps=300_000, patience_s=1)
AT_ONCE = 150
LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def real_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the distances that hosts are to see, a little shorter."""
    monkeypatch.setattr("tui_dl.engine.asking.DEFAULT_PAUSE_S", 0.3)
    monkeypatch.setattr("tui_dl.core.host_budget.MIN_GAP_AFTER_REFUSAL_S", 0.3)


async def test_thirty_hosts_at_once(engines: Engines) -> None:
    """Every file arrives, nobody is offended twice in a row, the fast one waits for none of them, lessons are kept."""
    async with ManyHosts(SCALE) as hosts:
        engine = await engines(journal=engines.journal, concurrent_downloads=AT_ONCE, on_exists="overwrite")
        took = await fetched(engine, hosts.mixed_urls(), LIMIT_S)
        held_up = min(took[host.name] for host in (hosts.shy, hosts.tired, hosts.strict, hosts.curt))
        assert took["fast"] < held_up, took
        for host in (hosts.shy, hosts.tired, hosts.strict):
            assert len(host.refused) == 1, f"{host.name}: {host.refused}"
            assert host.offences_in_a_row() == 0, host.name
        assert hosts.curt.refused
        budgets = engine.context.budgets
        learned = {host.name: budgets[host_of(host.server.origin)].learned_connections for host in hosts.all}
        assert (learned["shy"], learned["strict"], learned["curt"]) == (2, 1, 4)
        await engines.close(engine)

        engine = await engines(journal=engines.journal, concurrent_downloads=AT_ONCE, on_exists="overwrite")
        before = {host.name: len(host.refused) for host in hosts.all}
        await fetched(engine, [(host, url) for host in hosts.all[:4] for url in host.urls("again")], LIMIT_S)
        assert {host.name: len(host.refused) for host in hosts.all} == before
