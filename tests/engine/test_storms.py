"""Storms of random commands, some at once: afterwards every task ends, and nothing is counted as in use."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.stage import LIMIT_S
from tests.faults import FaultServer, Resource, first, lies, tempers
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.status import FINISHED

if TYPE_CHECKING:
    from tests.engine.stage import Engines
    from tests.faults.script import Fault
    from tui_dl.engine.engine import AsyncDownloadEngine

COMMANDS = 120
FILES = 40
SIZES = (1000, 30_000, 300_000, 1_500_000)
NOWHERE = "http://127.0.0.49:1/refused.bin"
LIMITS = (0, 200_000, 5_000_000, 1000)
PLAIN = (
    CommandName.PAUSE,
    CommandName.RESUME,
    CommandName.CANCEL,
    CommandName.RETRY,
    CommandName.RETRY_FAILED,
    CommandName.TOGGLE_PAUSE,
    CommandName.TOGGLE_ALL,
    CommandName.MOVE_UP,
    CommandName.MOVE_DOWN,
    CommandName.DELETE_PART,
)


def manners() -> list[tuple[Fault, ...]]:
    """Return what each of the hosts does."""
    return [
        (),
        (tempers.pace(400_000),),
        (first(1, lies.status(503)),),
        (lies.at_most(2, lies.status(429)),),
        (first(2, tempers.reset_after(10_000)),),
        (lies.at_most(1, lies.status(403)),),
        (lies.status(404),),
        (first(1, tempers.closes_at_once()),),
    ]


class Storm:
    """Gives commands by chance; a seed gives the same ones again, though not the same meetings."""

    def __init__(self, engine: AsyncDownloadEngine, urls: list[str], seed: int) -> None:
        self._engine, self._urls, self._dice = engine, urls, random.Random(seed)
        self.ids: list[int] = []
        """Tasks added so far."""

    async def blow(self, *, is_at_once: bool) -> None:
        """Give all commands, each after the last was done or not."""
        async with asyncio.TaskGroup() as group:
            for _ in range(COMMANDS):
                giving = group.create_task(self._give())
                if not is_at_once:
                    await giving
                await asyncio.sleep(self._dice.choice((0, 0.001, 0.02)))

    async def _give(self) -> None:
        dice = self._dice
        if not self.ids or dice.random() < 0.1:
            for url in dice.sample(self._urls, 6):
                self.ids.append((await self._engine.add(url)).id)
            return
        some = tuple(dice.sample(self.ids, min(len(self.ids), dice.choice((1, 3, 20)))))
        await self._engine.execute(dice.choice(self._wishes(some)))

    def _wishes(self, some: tuple[int, ...]) -> list[Command]:
        dice = self._dice

        def wish(name: CommandName, ids: tuple[int, ...] = (), **arguments: Any) -> Command:
            return Command(name, ids, arguments=arguments)

        return [
            *(wish(name, some) for name in PLAIN),
            wish(CommandName.SET_CONCURRENCY, value=dice.choice((1, 2, 6, 1000))),
            wish(CommandName.SET_CONNECTIONS, some, delta=dice.choice((-1, 1, 3))),
            wish(CommandName.SET_LIMIT, some, limit=dice.choice(LIMITS)),
            wish(CommandName.SET_LIMIT, limit=dice.choice(LIMITS)),
            wish(CommandName.SET_LIMIT, limit="00:00,1M 23:59,off"),
            wish(CommandName.SET_LIMIT, limit=dice.choice(LIMITS), host="127.0.0.52"),
            wish(CommandName.SET_PRIORITY, some, delta=dice.choice((-1, 1))),
            wish(CommandName.REFRESH, some[:1], url=dice.choice(self._urls)),
        ]

    async def calm(self) -> None:
        """Let everything go on as fast as it can."""
        limits = self._engine.context.limits
        for planned in (limits.whole, *limits._told.values()):
            planned.plan.override(0, limits.local())
            planned.refresh(limits.local())
        everything = tuple(dict.fromkeys(self.ids))
        for command in (
            Command(CommandName.SET_LIMIT, everything, arguments={"limit": 0}),
            Command(CommandName.SET_CONCURRENCY, arguments={"value": 6}),
            Command(CommandName.RESUME, everything),
        ):
            await self._engine.execute(command)


def assert_nothing_in_use(engine: AsyncDownloadEngine) -> None:
    """Prove that all counts are back at zero."""
    context, waiting = engine.context, engine.scheduler._waiting
    counts = {host: (one.open_connections, one.coming, one.working, one.tasks) for host, one in context.budgets.items()}
    assert {host: held for host, held in counts.items() if any(held)} == {}
    assert set(context.budgets.reach._slots_by_manner.values()) <= {0}
    assert not context.budgets.reach._slots_by_host
    assert (engine.scheduler.slots_in_use, len(engine.scheduler.running)) == (0, 0)
    for kept in (waiting.lives, waiting._due_at, waiting._ripe, waiting._places):
        assert not kept
    assert (context.limits.whole._present_weight, context.limits.whole._line) == (0, [])
    for held in (context.limits._tasks, context.crowds._by_budget, context.watermark._claims):
        assert not held


@pytest.mark.parametrize(("seed", "is_at_once"), [(1, False), (2, True), (16, True), (20, True)])
async def test_every_task_ends_after_a_storm(
    engines: Engines, caplog: pytest.LogCaptureFixture, seed: int, is_at_once: bool
) -> None:
    """Eight hosts of different manners, one that refuses, and commands that meet each other."""
    dice = random.Random(seed)
    engine = await engines(concurrent_downloads=6, retry_delay=0.05, max_retry_delay=0.4, timeout=3.0)
    async with AsyncExitStack() as stack:
        urls = [NOWHERE]
        for number, faults in enumerate(manners()):
            server = await stack.enter_async_context(FaultServer(host=f"127.0.0.{50 + number}"))
            urls += [
                server.add(f"/{number}-{file}.bin", Resource(dice.choice(SIZES), seed=file), *faults)
                for file in range(FILES // 8)
            ]
        storm = Storm(engine, urls, seed)
        await storm.blow(is_at_once=is_at_once)
        await storm.calm()
        async with asyncio.timeout(LIMIT_S):
            await engine.wait()
        rows = await engine.rows(storm.ids)
        assert {task.status for task in rows} <= FINISHED, [task for task in rows if task.status not in FINISHED]
        assert_nothing_in_use(engine)
        await engines.close(engine)
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
