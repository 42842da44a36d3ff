"""Several connections for one file: grown while it helps, never beyond what is allowed, never at the file's cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.stage import EAGER_SPLITS, MIB, Engines, ended, fetch, is_whole, received, until
from tests.faults import FaultServer, Resource, after, all_of, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.status import Status
from tui_dl.core.task import TaskOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.script import Exchange, Fault, Reply

SIZE_BYTES = 2 * MIB
BIG = Resource(SIZE_BYTES)
PACE_BPS = 3 * MIB
"""One connection takes two thirds of a second."""


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small files split."""
    for name, value in EAGER_SPLITS.items():
        monkeypatch.setattr(name, value)


@pytest.mark.usefixtures("sure_growth")
async def test_connections_grow_while_it_gets_faster(engines: Engines, fault_server: FaultServer) -> None:
    """A server that paces each connection is asked for several ranges at once."""
    pace = tempers.pace_until(lambda: fault_server.max_concurrent("/f.bin") >= 3, MIB / 2, 16 * MIB)
    task = await fetch(await engines(), fault_server.add("/f.bin", BIG, pace))
    assert is_whole(task, BIG)
    assert fault_server.max_concurrent("/f.bin") >= 3


@pytest.mark.usefixtures("sure_growth")
async def test_every_further_range_carries_the_validator(engines: Engines, fault_server: FaultServer) -> None:
    """Ranges are joined under one version alone."""
    pace = tempers.pace_until(lambda: len(fault_server.requests) > 2, MIB / 2, 16 * MIB)
    await fetch(await engines(), fault_server.add("/f.bin", BIG, pace))
    assert len(fault_server.requests) > 2
    assert {log.headers.get("if-range") for log in fault_server.requests[1:]} == {'"v1"'}


async def test_splitting_fetches_little_twice(engines: Engines, fault_server: FaultServer) -> None:
    """A cut range costs what was in flight behind the cut, not more."""
    task = await fetch(await engines(), fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS)))
    assert is_whole(task, BIG)
    assert fault_server.bytes_sent("/f.bin") <= 1.5 * SIZE_BYTES


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_never_more_connections_than_asked(engines: Engines, fault_server: FaultServer, most: int) -> None:
    """`-x` is a bound."""
    engine = await engines(connections=most)
    task = await fetch(engine, fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS)))
    assert is_whole(task, BIG)
    assert fault_server.max_concurrent("/f.bin") <= most


@pytest.mark.usefixtures("sure_growth")
async def test_a_tasks_own_bound_counts_first(engines: Engines, fault_server: FaultServer) -> None:
    """`options.connections` overrides the setting."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS))
    await fetch(await engines(), url, options=TaskOptions(connections=2))
    assert fault_server.max_concurrent("/f.bin") == 2


async def test_never_more_connections_to_a_host_than_allowed(engines: Engines, fault_server: FaultServer) -> None:
    """`--per-host` bounds the split tasks of a host together."""
    engine = await engines(per_host=3)
    tasks = [await engine.add(fault_server.add(f"/{name}", BIG, tempers.pace(PACE_BPS))) for name in "ab"]
    most = 0

    def is_done() -> bool:
        nonlocal most
        most = max(most, fault_server.active_requests)
        return not engine.snapshot().live

    await until(is_done)
    for task in tasks:
        assert is_whole(await ended(engine, task), BIG)
    assert most <= 3


@pytest.mark.parametrize(
    "refusal",
    [
        lies.at_most(2),
        lies.at_most(2, lies.status(429)),
        lies.at_most(2, lies.retry_after(429, 1)),
        lies.at_most(2, lies.status(403)),
        lies.at_most(2, lies.status(404)),
        lies.at_most(2, lies.status(500)),
        lies.at_most(2, lies.login_page),
        lies.at_most(2, tempers.garbage()),
        lies.at_most_or_reset(2),
    ],
    ids=["503", "429", "Retry-After", "403", "404", "500", "page", "garbage", "reset"],
)
@pytest.mark.usefixtures("sure_growth")
async def test_a_refused_extra_connection_never_fails_the_task(
    engines: Engines, fault_server: FaultServer, refusal: Fault
) -> None:
    """Its range goes back, the others go on."""

    def is_refused() -> bool:
        return any(log.is_refusal for log in fault_server.requests)

    url = fault_server.add("/f.bin", BIG, tempers.pace_until(is_refused, MIB / 2, 16 * MIB), refusal)
    task = await fetch(await engines(max_retries=0), url)
    assert is_whole(task, BIG)
    assert is_refused()


async def test_a_host_that_refused_is_not_asked_again_and_again(engines: Engines, fault_server: FaultServer) -> None:
    """What a host bears is learned."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS), lies.at_most(1, lies.status(403)))
    task = await fetch(await engines(), url)
    assert is_whole(task, BIG)
    assert sum(log.is_refusal for log in fault_server.requests) <= 2


async def test_a_connection_limit_of_the_server_is_borne(engines: Engines) -> None:
    """Connections that are reset as soon as they are made fail nothing."""
    async with FaultServer(connection_limit=2) as server:
        task = await fetch(await engines(max_retries=0), server.add("/f.bin", BIG, tempers.pace(PACE_BPS)))
        assert is_whole(task, BIG)


@pytest.mark.parametrize(
    "resource",
    [
        Resource(SIZE_BYTES, etag=None, last_modified_at=None),
        Resource(SIZE_BYTES, etag='W/"v1"', last_modified_at=None),
    ],
    ids=["none", "weak"],
)
async def test_without_a_strong_validator_nothing_is_split(
    engines: Engines, fault_server: FaultServer, resource: Resource
) -> None:
    """Ranges of unproven versions are never joined."""
    task = await fetch(await engines(), fault_server.add("/f.bin", resource, tempers.pace(4 * PACE_BPS)))
    assert is_whole(task, resource)
    assert len(fault_server.requests) == 1


async def test_an_ordered_task_has_one_connection(engines: Engines, fault_server: FaultServer) -> None:
    """Bytes that must come in order come from one answer."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(4 * PACE_BPS))
    task = await fetch(await engines(), url, options=TaskOptions(is_ordered=True))
    assert is_whole(task, BIG)
    assert len(fault_server.requests) == 1


async def test_async_downloads_off_means_one_connection(engines: Engines, fault_server: FaultServer) -> None:
    """The setting turns splitting off."""
    engine = await engines(async_downloads=False)
    await fetch(engine, fault_server.add("/f.bin", BIG, tempers.pace(4 * PACE_BPS)))
    assert len(fault_server.requests) == 1


async def test_extras_that_get_the_whole_collapse_to_one_stream(engines: Engines, fault_server: FaultServer) -> None:
    """A server that answers ranges with 200 from the second request on is read on one connection."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS), after(1, lies.ignores_range))
    task = await fetch(await engines(max_retries=0), url)
    assert is_whole(task, BIG)
    assert len(fault_server.requests) <= 3


async def test_a_rotating_etag_ends_on_one_connection(engines: Engines, fault_server: FaultServer) -> None:
    """Versions that differ with every answer are never joined, and do not fail the file either."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS), lies.rotates_etag)
    task = await fetch(await engines(max_retries=0), url)
    assert is_whole(task, BIG)


@pytest.mark.parametrize("fault", [all_of(), lies.ignores_if_range], ids=["right", "ignores If-Range"])
async def test_a_change_while_several_connections_work_starts_over(
    engines: Engines, fault_server: FaultServer, fault: Fault
) -> None:
    """The new version alone is kept."""
    new = Resource(SIZE_BYTES, seed=2, etag='"v2"')
    engine = await engines()
    task = await engine.add(fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS)))
    await until(lambda: fault_server.max_concurrent("/f.bin") >= 2)
    fault_server.replace("/f.bin", new)
    fault_server.script("/f.bin", fault)
    done = await ended(engine, task)
    # Without another request nothing of the change is ever seen: the old version is whole, too.
    assert is_whole(done, new) or is_whole(done, BIG)


async def test_mirrors_that_disagree_are_never_mixed(engines: Engines, fault_server: FaultServer) -> None:
    """Two versions behind one name end as one of them, or fail with the reason."""
    other = Resource(SIZE_BYTES, seed=2, etag='"v2"')
    url = fault_server.add("/f.bin", BIG, lies.alternates(BIG, other), tempers.pace(PACE_BPS))
    task = await fetch(await engines(max_retries=1), url)
    assert is_whole(task, BIG) or is_whole(task, other) or task.status is Status.FAILED
    if task.status is Status.FAILED:
        assert "f.bin" not in engines.names()


async def test_a_stalled_connection_among_several_is_replaced(engines: Engines, fault_server: FaultServer) -> None:
    """One silent connection does not hold up the file."""
    url = fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS), after(1, one_stalls()))
    task = await fetch(await engines(timeout=0.3), url)
    assert is_whole(task, BIG)


def one_stalls() -> Fault:
    """Let one reply stall, the others be well."""
    left = [tempers.stall_after(1000)]
    return lambda exchange, reply: left.pop()(exchange, reply) if left else reply


async def test_connections_are_set_while_the_task_runs(engines: Engines, fault_server: FaultServer) -> None:
    """`>` and `<` change what is at work, and the file is none the worse."""
    engine = await engines(connections=1, per_host=8)
    task = await engine.add(fault_server.add("/f.bin", BIG, tempers.pace(PACE_BPS // 2)))
    await until(lambda: received(engine, task) > 0)
    await engine.execute(Command(CommandName.SET_CONNECTIONS, (task.id,), arguments={"value": 4}))
    await until(lambda: fault_server.active_requests == 4)
    await engine.execute(Command(CommandName.SET_CONNECTIONS, (task.id,), arguments={"delta": -3}))
    await until(lambda: fault_server.active_requests == 1)
    await engine.execute(Command(CommandName.SET_CONNECTIONS, (task.id,), arguments={"value": 6}))
    assert is_whole(await ended(engine, task), BIG)


SCRIPTS: dict[str, Callable[[int], Fault]] = {
    "drop after": tempers.drop_after,
    "reset after": tempers.reset_after,
    "short by": lambda size: lies.shorter_range(SIZE_BYTES - size),
    "long by": lies.longer_range,
    "shifted by": lies.serves_shifted_range,
    "answers": lambda number: lies.status((429, 500, 503)[number % 3]),
    "closes": lambda _: tempers.closes_at_once(),
    "no If-Range": lambda _: lies.never_meets_if_range,
}


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(
    faults=st.lists(st.tuples(st.sampled_from(sorted(SCRIPTS)), st.integers(1, SIZE_BYTES - 100_000)), max_size=12),
    pace_bps=st.sampled_from([4 * MIB, 8 * MIB, 64 * MIB]),
    places=st.integers(1, 6),
    connections=st.integers(1, 8),
)
def test_any_schedule_ends_with_the_bytes_that_were_served(
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[tuple[str, int]],
    pace_bps: int,
    places: int,
    connections: int,
) -> None:
    """Whatever drops, refusals, lengths and paces come in which order, the file is bit-exact."""
    folder = tmp_path_factory.mktemp("schedule")
    script = [SCRIPTS[name](number) for name, number in faults]
    asyncio.run(_one_schedule(folder, script, pace_bps, places, connections))


async def _one_schedule(folder: Path, faults: list[Fault], pace_bps: int, places: int, connections: int) -> None:
    engines = Engines(folder)

    def scripted(exchange: Exchange, reply: Reply) -> Reply:
        return faults.pop(0)(exchange, reply) if faults else reply

    async with FaultServer() as server:
        url = server.add("/f.bin", BIG, tempers.pace(pace_bps), scripted, lies.at_most(places))
        try:
            task = await fetch(await engines(connections=connections, max_retries=20), url)
            assert is_whole(task, BIG), f"{task.status}: {task.reason_text}"
        finally:
            await engines.aclose()
