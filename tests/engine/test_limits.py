"""Limits of a running engine: for all, by host, by timetable, by priority; against a server that is not slow."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import MIB, ended, fetch, is_whole, received, row, until
from tests.faults import FaultServer, Resource, lies
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.host_tables import host_rules
from tui_dl.core.task import NewTask, TaskOptions
from tui_dl.engine.limits import Limits

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tui_dl.core.commands import CommandOutcome
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine

MB = 1_000_000
LARGE = Resource(64 * MIB)
SMALL_READS = 64 * 1024
"""As `--chunk-size`: a busy machine's reads are as long as they may be, and one more or less must change little."""
SHARING_S = 1.6
"""So long that one turn more or less is 4 % of what the heavier one gets."""
TABLE = "08:00,512K 12:00,10M 18:00,off"


async def order(
    engine: AsyncDownloadEngine, name: CommandName, *tasks: DownloadTask, **arguments: object
) -> CommandOutcome:
    """Give a command about these tasks."""
    return await engine.execute(Command(name, tuple(task.id for task in tasks), arguments=arguments))


async def taken(engine: AsyncDownloadEngine, span_s: float, *tasks: DownloadTask) -> list[float]:
    """Return the bytes per second that each task (none: all together) takes over a span."""

    def counters() -> list[int]:
        return [received(engine, task) for task in tasks] or [engine.context.traffic.received_bytes]

    before, began_at = counters(), engine.context.clock()
    await asyncio.sleep(span_s)  # the span is what is measured
    elapsed_s = engine.context.clock() - began_at
    return [(after - old) / elapsed_s for after, old in zip(counters(), before, strict=True)]


def set_clock(engine: AsyncDownloadEngine, local: datetime) -> None:
    """Have the limits see this time on the wall."""
    engine.context.limits._wall_clock = local.timestamp


async def under_way(engine: AsyncDownloadEngine, server: FaultServer, *names: str, priority: int = 0) -> DownloadTask:
    """Begin a large download and return it once bytes arrive; named after its path."""
    (task,) = await engine.add_many([NewTask(server.add(names[0], LARGE), engine.default_dir, priority=priority)])
    await until(lambda: received(engine, task) > 0)
    return task


@pytest.mark.parametrize(("tasks", "connections"), [(1, 1), (1, 8), (4, 2)])
async def test_a_limit_holds_for_any_number_of_connections(
    engines: Engines, fault_server: FaultServer, tasks: int, connections: int
) -> None:
    """2 MB/s, then 8, then 2 again, each from one moment to the next; faster ones are a matter of the marathon."""
    engine = await engines(limit_rate=2 * MB, concurrent_downloads=tasks, per_host=64)
    added = [await under_way(engine, fault_server, f"/{number}.bin") for number in range(tasks)]
    await order(engine, CommandName.SET_CONNECTIONS, *added, value=connections)
    await until(lambda: sum(one.connections for one in engine.snapshot().live.values()) == tasks * connections)
    for rate in (2 * MB, 8 * MB, 2 * MB):
        await order(engine, CommandName.SET_LIMIT, limit=rate)
        assert (await taken(engine, 0.8))[0] == pytest.approx(rate, rel=0.2)


async def test_priorities_share_the_limit(engines: Engines, fault_server: FaultServer) -> None:
    """High and low get 4:1; what the high one leaves, the low one has at once; a changed priority counts at once."""
    engine = await engines(limit_rate=6 * MB, chunk_size=SMALL_READS)
    low = await under_way(engine, fault_server, "/low.bin", priority=-1)
    high = await under_way(engine, fault_server, "/high.bin", priority=1)
    fast, slow = await taken(engine, SHARING_S, high, low)
    assert fast / slow == pytest.approx(4, rel=0.15)
    assert fast + slow == pytest.approx(6 * MB, rel=0.1)
    await order(engine, CommandName.SET_PRIORITY, low, value="high")
    first, second = await taken(engine, SHARING_S, high, low)
    assert first / second == pytest.approx(1, rel=0.15)
    await order(engine, CommandName.PAUSE, high)
    assert (await taken(engine, 0.5, low))[0] == pytest.approx(6 * MB, rel=0.1)


async def test_a_host_has_its_own_limit(engines: Engines, fault_server: FaultServer) -> None:
    """A limit of the settings holds over all tasks of that host and no other; one that is told holds from then on."""
    async with FaultServer() as other:
        hosts = host_rules({f"127.0.0.1:{fault_server.port}": {"rate": "2M"}})
        engine = await engines(hosts=hosts, limit_rate=16 * MIB)
        limited = [await under_way(engine, fault_server, f"/{name}.bin") for name in "ab"]
        free = await under_way(engine, other, "/c.bin")
        first, second, third = await taken(engine, SHARING_S, *limited, free)
        assert first + second == pytest.approx(2 * MIB, rel=0.15)
        assert third == pytest.approx(14 * MIB, rel=0.15)
        await order(engine, CommandName.SET_LIMIT, limit="8M", host=f"127.0.0.1:{fault_server.port}")
        first, second = await taken(engine, SHARING_S, *limited)
        assert first + second == pytest.approx(8 * MIB, rel=0.15)


async def test_a_timetable_is_followed_while_it_runs(engines: Engines, fault_server: FaultServer) -> None:
    """When the minute comes the limit changes by itself, and the snapshot says until when it holds."""
    engine = await engines(limit_rate=TABLE)
    set_clock(engine, datetime(2026, 11, 16, 8))  # noqa: DTZ001  # a clock on the wall
    engine.context.limits.refresh()
    task = await under_way(engine, fault_server, "/f.bin")
    for hour, rate, until_hour in ((9, 512 * 1024, 12), (12, 10 * MIB, 18)):
        set_clock(engine, datetime(2026, 11, 16, hour))  # noqa: DTZ001  # a clock on the wall
        await until(lambda rate=rate: engine.snapshot().limit_rate_bps == rate)  # type: ignore[misc]
        assert engine.snapshot().limit_until_at == datetime(2026, 11, 16, until_hour).timestamp()  # noqa: DTZ001
        assert (await taken(engine, 0.8))[0] == pytest.approx(rate, rel=0.2)
    set_clock(engine, datetime(2026, 11, 16, 18))  # noqa: DTZ001  # see above
    assert is_whole(await ended(engine, task), LARGE)


async def test_a_person_overrides_a_timetable_until_its_next_switch(engines: Engines) -> None:
    """A plain limit holds until the switch, `for_good` ends the timetable, and another timetable takes its place."""
    engine = await engines(limit_rate=TABLE)
    limits = engine.context.limits
    set_clock(engine, datetime(2026, 11, 16, 9))  # noqa: DTZ001  # a clock on the wall
    outcome = await order(engine, CommandName.SET_LIMIT, limit="3M")
    assert outcome.message == "limit set until Mon 12:00, then by the timetable"
    assert limits.whole.rate_bps == 3 * MIB
    assert engine.settings.limit_rate == TABLE
    set_clock(engine, datetime(2026, 11, 16, 12))  # noqa: DTZ001  # see above
    limits.refresh()
    assert limits.whole.rate_bps == 10 * MIB
    await order(engine, CommandName.SET_LIMIT, limit="12:00,1M 13:00,2M")
    assert limits.whole.rate_bps == MIB
    assert engine.settings.limit_rate == "12:00,1M 13:00,2M"
    await order(engine, CommandName.SET_LIMIT, limit=7, for_good=True)
    assert (limits.whole.rate_bps, limits.changes_at()) == (7, None)
    assert str(engine.settings.limit_rate) == "7"


async def test_senseless_limits_are_refused(engines: Engines, fault_server: FaultServer) -> None:
    """A timetable for one task, a host and a task at once, words; nothing changes by them."""
    engine = await engines(limit_rate=MIB)
    task = await under_way(engine, fault_server, "/f.bin")
    for targets, arguments in (
        ((task,), {"limit": TABLE}),
        ((task,), {"limit": 5, "host": "example.org"}),
        ((), {"limit": "fast"}),
        ((), {"limit": -1}),
        ((), {"bps": 1.5}),
    ):
        with pytest.raises(UsageError):
            await order(engine, CommandName.SET_LIMIT, *targets, **arguments)
    assert engine.context.limits.whole.rate_bps == MIB


async def test_many_small_files_keep_to_a_limit(engines: Engines, fault_server: FaultServer) -> None:
    """Bodies that are read whole are granted as large ones are."""
    engine = await engines(limit_rate=2 * MB, concurrent_downloads=20)
    urls = [fault_server.add(f"/{number}.bin", Resource(50_000, seed=number + 1)) for number in range(60)]
    began_at = engine.context.clock()
    await engine.add_many([NewTask(url, engine.default_dir) for url in urls])
    assert (await engine.wait()).success == 60
    assert engine.context.clock() - began_at >= 3 * MB / (2 * MB) - 0.2


@pytest.mark.parametrize("by_host", [True, False])
async def test_a_stream_keeps_to_the_limits(engines: Engines, fault_server: FaultServer, *, by_host: bool) -> None:
    """`get -o -` is under the limit for all and under that of its host."""
    rules = host_rules({"127.0.0.1": {"rate": 2 * MB}}) if by_host else host_rules({})
    engine = await engines(limit_rate=0 if by_host else 2 * MB, hosts=rules)
    url = fault_server.add("/f.bin", Resource(MB))
    began_at = engine.context.clock()
    assert sum([len(chunk) async for chunk in engine.stream(url)]) == MB
    assert engine.context.clock() - began_at >= 0.5 - 0.2


async def test_the_queue_goes_by_priority(engines: Engines, fault_server: FaultServer) -> None:
    """Of what waits for a slot the highest is first, also when it was said afterwards; it survives a restart."""
    engine = await engines(journal=engines.journal, concurrent_downloads=1, limit_rate=MIB)
    blocker = await under_way(engine, fault_server, "/blocker.bin")
    small = [NewTask(fault_server.add(f"/{word}.bin", Resource(1000)), engine.default_dir) for word in "abc"]
    first, second, third = await engine.add_many([small[0], replace(small[1], priority=1), small[2]])
    assert (await order(engine, CommandName.SET_PRIORITY, third, delta=5)).message == "high priority"
    outcome = await order(engine, CommandName.SET_PRIORITY, first, delta=-1)
    assert (outcome.changed, outcome.message) == (1, "low priority")
    assert (await order(engine, CommandName.SET_PRIORITY, first, delta=-1)).changed == 0
    await engines.close(engine)
    engines.events.clear()
    engine = await engines(journal=engines.journal, concurrent_downloads=1)
    assert [(await row(engine, one)).priority for one in (blocker, first, second, third)] == [0, -1, 1, 1]
    await engine.wait([first, second, third])
    begun = [one.task.id for one in engines.events if one.kind in (EventKind.STARTED, EventKind.RETRYING)]
    assert begun == [second.id, third.id, blocker.id, first.id]


async def test_a_repeated_add_may_change_the_priority(engines: Engines, fault_server: FaultServer) -> None:
    """Who says a priority means it; who says none leaves it as it is."""
    engine = await engines(concurrent_downloads=1, limit_rate=MIB)
    await under_way(engine, fault_server, "/blocker.bin")
    wish = NewTask(fault_server.add("/f.bin", Resource(1000)), engine.default_dir, priority=1)
    (task,) = await engine.add_many([wish])
    (again,) = await engine.add_many([replace(wish, priority=None)])
    assert (again.id, again.priority) == (task.id, 1)
    await engine.add_many([replace(wish, priority=-1)])
    assert (await row(engine, task)).priority == -1


async def test_a_priority_of_nothing_is_refused(engines: Engines, fault_server: FaultServer) -> None:
    """Words that are none and arguments that are missing change nothing."""
    engine = await engines()
    task = await fetch(engine, fault_server.add("/f.bin", Resource(1000)), options=TaskOptions())
    for arguments in ({"value": "urgent"}, {}, {"value": 1}):
        with pytest.raises(UsageError):
            await order(engine, CommandName.SET_PRIORITY, task, **arguments)
    assert (await row(engine, task)).priority == 0


@pytest.mark.parametrize("is_large", [True, False])
async def test_the_host_that_sends_is_the_one_that_is_limited(
    engines: Engines, fault_server: FaultServer, *, is_large: bool
) -> None:
    """After a redirect to another host its limit holds, not that of the one that was asked."""
    async with FaultServer() as other:
        rules = {f"127.0.0.1:{other.port}": {"rate": MB}, f"127.0.0.1:{fault_server.port}": {"rate": 1000}}
        engine = await engines(hosts=host_rules(rules))
        resource = Resource(3 * MB if is_large else MB // 2)
        url = fault_server.add("/f.bin", resource, lies.redirect(other.add("/g.bin", resource)))
        began_at = engine.context.clock()
        task = await engine.add(url)
        await until(lambda: received(engine, task) >= MB // 4)
        assert MB / 4 <= received(engine, task) <= 1.5 * MB * (engine.context.clock() - began_at) + MB / 4
        assert engine.context.clock() - began_at >= 0.2


@pytest.mark.parametrize(
    ("utc", "rate", "until_utc"),
    [
        ("2026-03-29T00:59", 1, None),  # 01:59 in winter; the clock goes on to 03:00
        ("2026-03-29T01:00", 3, "2026-03-29T10:00"),  # 03:00 in summer: the entry of 02:30 holds though it never came
        ("2026-10-25T00:29", 1, "2026-10-25T00:30"),  # 02:29 in summer
        ("2026-10-25T00:59", 2, "2026-10-25T02:00"),  # 02:59 in summer
        ("2026-10-25T01:01", 1, None),  # 02:01 once more, in winter
        ("2026-10-25T02:00", 3, "2026-10-25T11:00"),  # 03:00 in winter
    ],
)
def test_summer_time_is_what_the_clock_on_the_wall_shows(
    monkeypatch: pytest.MonkeyPatch, utc: str, rate: int, until_utc: str | None
) -> None:
    """Whatever hour is left out or comes twice, the limit is that of the time shown."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        now = datetime.fromisoformat(f"{utc}+00:00").timestamp()
        table = "12:00,1B 02:30,2B 03:00,3B"
        limits = Limits(table, wall_clock=lambda: now, host_limit=lambda _host: 0)
        assert limits.whole.rate_bps == rate
        if until_utc is not None:
            assert limits.changes_at() == datetime.fromisoformat(f"{until_utc}+00:00").timestamp()
    finally:
        monkeypatch.undo()
        time.tzset()
