"""Limits over ten seconds, against a server process that sends as fast as it can; counted where bytes are taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.marathon.rig import MIB, Server
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.settings import Settings
from tui_dl.core.task import NewTask
from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine

if TYPE_CHECKING:
    from pathlib import Path

MB: Final = 1_000_000
SPAN_S: Final = 10.0
LOOK_S: Final = 0.002
MOST_ERROR: Final = 0.03
MOST_BURST_S: Final = 0.25
MOST_SILENCE_S: Final = 1.0

pytestmark = pytest.mark.marathon


@dataclass(slots=True)
class Flow:
    """What was taken over a span."""

    rate_bps: float
    """Mean."""
    burst_s: float
    """Most by which it was ahead of the limit, in time's worth of it."""
    silence_s: float
    """Longest time without a byte, the change of the limit included."""


async def flow(engine: AsyncDownloadEngine, limit_bps: int) -> Flow:
    """Watch what is taken, every 2 ms."""
    clock, traffic = engine.context.clock, engine.context.traffic
    began_at = before = moved_at = clock()
    first = last = traffic.received_bytes
    level = burst = silence = 0.0
    while before - began_at < SPAN_S:
        await asyncio.sleep(LOOK_S)
        now, fresh = clock(), traffic.received_bytes - last
        last += fresh
        silence = max(silence, now - moved_at)
        moved_at = now if fresh else moved_at
        level = max(0.0, level - (now - before) * limit_bps) + fresh
        burst, before = max(burst, level), now
    return Flow((last - first) / (before - began_at), burst / limit_bps, silence)


@pytest.mark.parametrize(("tasks", "connections"), [(1, 1), (1, 8), (1, 64), (8, 8), (64, 1)])
async def test_a_limit_is_exact(tmp_path: Path, tasks: int, connections: int) -> None:
    """5 MB/s within 3 % over 10 s, then 20, then 5 again, without a second of silence or a burst above 250 ms worth."""
    settings = Settings(dir=str(tmp_path), limit_rate=5 * MB, concurrent_downloads=tasks, per_host=64)
    with Server(tmp_path, size_bytes=1024 * MIB, small=tasks, small_bytes=1024 * MIB // tasks) as server:
        async with AsyncDownloadEngine(settings, MEMORY) as engine:
            urls = server.urls[:1] if tasks == 1 else server.urls[1:]
            added = await engine.add_many([NewTask(url, engine.default_dir) for url in urls])
            await _all_at_work(engine, tasks)
            ids, wanted = tuple(task.id for task in added), {"value": connections}
            await engine.execute(Command(CommandName.SET_CONNECTIONS, ids, arguments=wanted))
            await _all_at_work(engine, tasks * connections)
            for limit in (5 * MB, 20 * MB, 5 * MB):
                await engine.execute(Command(CommandName.SET_LIMIT, arguments={"limit": limit}))
                seen = await flow(engine, limit)
                print(  # noqa: T201  # figures to quote
                    f"{tasks} x {connections} at {limit / MB:.0f} MB/s: {(seen.rate_bps / limit - 1) * 100:+.2f} %, "
                    f"burst {seen.burst_s * 1000:.0f} ms, silence {seen.silence_s * 1000:.0f} ms"
                )
                assert seen.rate_bps == pytest.approx(limit, rel=MOST_ERROR)
                assert seen.burst_s <= MOST_BURST_S
                assert seen.silence_s <= MOST_SILENCE_S


async def _all_at_work(engine: AsyncDownloadEngine, connections: int) -> None:
    """Wait until so many connections have brought bytes."""
    async with asyncio.timeout(30):
        while True:
            lives = [slot.live for slot in engine.scheduler.running.values()]
            if sum(1 for live in lives for one in live.connections if one.received_bytes) >= connections:
                return
            await asyncio.sleep(0.05)
