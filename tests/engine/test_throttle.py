"""Limits are exact, smooth and shared by weight, for any number of connections; measured in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.engine.virtual_time import let_pass, run_virtually
from tui_dl.engine.throttle import Admission, Throttle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.engine.throttle import Share

MB = 1_000_000
MOST_BURST_S = 0.25
CHUNK_BYTES = 200_000
"""What a server that is not slow has ready at any time."""


class Meter:
    """What was taken when, over all connections of a kind."""

    def __init__(self) -> None:
        self.began_at = asyncio.get_running_loop().time()
        self.taken: list[tuple[float, int]] = []

    def add(self, count: int) -> None:
        """Note bytes that were taken now."""
        self.taken.append((asyncio.get_running_loop().time() - self.began_at, count))

    def between(self, start: float, end: float) -> int:
        """Return the bytes of a span."""
        return sum(count for at, count in self.taken if start <= at < end)

    def worst_burst_s(self, rate_bps: float, start: float, end: float) -> float:
        """Return by how much the worst span was ahead of the rate, in time's worth of it (a leaky bucket's level)."""
        level = worst = 0.0
        before = start
        for at, count in self.taken:
            if start <= at < end:
                level = max(0.0, level - (at - before) * rate_bps) + count
                before, worst = at, max(worst, level)
        return worst / rate_bps

    def longest_silence_s(self, start: float, end: float) -> float:
        """Return the longest gap within a span."""
        instants = [start, *(at for at, _ in self.taken if start <= at < end), end]
        return max(after - before for before, after in pairwise(instants))


async def _pull(shares: Sequence[Share], meter: Meter, *, pause_s: float = 0.0, ready_bytes: int = CHUNK_BYTES) -> None:
    while True:
        async with Admission(shares) as admission:
            if pause_s:
                await asyncio.sleep(pause_s)
            count = ready_bytes if admission.most_bytes is None else min(ready_bytes, admission.most_bytes)
            admission.used_bytes = count
        meter.add(count)
        is_away = admission.most_bytes is None or ready_bytes < CHUNK_BYTES
        await asyncio.sleep(0.001 if is_away else 0)


class Stage:
    """A throttle and connections that pull through it."""

    def __init__(self, rate_bps: int) -> None:
        self.throttle = Throttle(rate_bps, asyncio.get_running_loop().time)
        self.pullers: list[asyncio.Task[None]] = []

    def pull(
        self,
        key: int,
        *,
        weight: int = 2,
        connections: int = 1,
        pause_s: float = 0.0,
        ready_bytes: int = CHUNK_BYTES,
    ) -> Meter:
        """Begin to pull for a task; return its meter."""
        meter = Meter()
        share = self.throttle.share(key, weight)
        for _ in range(connections):
            self.pullers.append(asyncio.create_task(_pull([share], meter, pause_s=pause_s, ready_bytes=ready_bytes)))
        return meter

    async def end(self) -> None:
        """End all that pull."""
        await cancelled(self.pullers)


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their ends."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.mark.parametrize("late_s", [0.0, 0.02])
@pytest.mark.parametrize("tasks", [1, 8])
@pytest.mark.parametrize("connections", [1, 8, 64])
def test_a_limit_is_exact_and_smooth(connections: int, tasks: int, late_s: float) -> None:
    """5 MB/s over 10 s within 1 %, no burst above 250 ms worth, no silence of 100 ms; changed to 20 and back too."""

    async def work() -> None:
        stage = Stage(5 * MB)
        meter = Meter()
        for key in range(tasks):
            share = stage.throttle.share(key)
            stage.pullers += [asyncio.create_task(_pull([share], meter)) for _ in range(max(1, connections // tasks))]
        await let_pass(10)
        stage.throttle.set_rate(20 * MB)
        await let_pass(10)
        stage.throttle.set_rate(5 * MB)
        await let_pass(10)
        await stage.end()
        second, third = 10 + late_s, 20 + 2 * late_s
        for rate, start in ((5 * MB, 0.0), (20 * MB, second), (5 * MB, third)):
            assert meter.between(start, start + 10) == pytest.approx(10 * rate, rel=0.01)
            assert meter.worst_burst_s(rate, start, start + 10) <= MOST_BURST_S
            assert meter.longest_silence_s(start, start + 10) <= 0.1 + late_s
        assert meter.longest_silence_s(0, 30) <= 0.1 + late_s

    run_virtually(work(), late_s)


@pytest.mark.parametrize("connections", [(1, 1, 1), (1, 8, 8), (8, 1, 1), (4, 32, 2)])
def test_tasks_share_by_weight(connections: tuple[int, int, int]) -> None:
    """High, normal and low get 4:2:1 of the limit, whatever number of connections each has."""

    async def work() -> None:
        stage = Stage(7 * MB)
        weights = (4, 2, 1)
        meters = [
            stage.pull(key, weight=weight, connections=count)
            for key, (weight, count) in enumerate(zip(weights, connections, strict=True))
        ]
        await let_pass(10)
        await stage.end()
        for meter, weight in zip(meters, weights, strict=True):
            assert meter.between(0, 10) == pytest.approx(10 * MB * weight, rel=0.03)

    run_virtually(work())


def test_what_one_leaves_the_others_take_at_once() -> None:
    """When a task ends, the other has the whole limit within 100 ms; when it comes back, it gets its part as soon."""

    async def work() -> None:
        stage = Stage(6 * MB)
        low = stage.pull(1, weight=1)
        high = stage.pull(2, weight=4)
        await let_pass(5)
        await cancelled(stage.pullers[1:])
        await let_pass(5)
        again = stage.pull(2, weight=4)
        await let_pass(5)
        await cancelled([stage.pullers[0], stage.pullers[2]])
        assert high.between(0, 5) / low.between(0, 5) == pytest.approx(4, rel=0.05)
        assert low.between(5.1, 10) == pytest.approx(4.9 * 6 * MB, rel=0.03)
        assert again.between(0.1, 5) == pytest.approx(4.9 * 4.8 * MB, rel=0.05)

    run_virtually(work())


def test_a_slow_task_leaves_its_part_to_the_others() -> None:
    """A high task whose server is slow takes what it can; the low one has all the rest, and nothing is lost."""

    async def work() -> None:
        stage = Stage(6 * MB)
        slow = stage.pull(1, weight=4, pause_s=0.5)
        low = stage.pull(2, weight=1)
        await let_pass(10)
        await stage.end()
        assert slow.between(0, 10) + low.between(0, 10) == pytest.approx(60 * MB, rel=0.03)
        assert slow.between(0, 10) < 10 * MB

    run_virtually(work())


def test_servers_that_are_silent_hold_nobody_up() -> None:
    """63 connections that wait for their servers leave the limit to the one that does not."""

    async def work() -> None:
        stage = Stage(5 * MB)
        stage.pull(1, connections=63, pause_s=3600)
        meter = stage.pull(2)
        await let_pass(10)
        await stage.end()
        assert meter.between(0, 10) == pytest.approx(50 * MB, rel=0.02)

    run_virtually(work())


def test_servers_that_answer_all_at_once_make_no_burst() -> None:
    """What 64 connections were granted while they waited is less than the burst that is allowed."""

    async def work() -> None:
        stage = Stage(5 * MB)
        meter = stage.pull(1, connections=64, pause_s=2)
        await let_pass(11)
        await stage.end()
        assert meter.taken
        assert meter.worst_burst_s(5 * MB, 0, 11) <= MOST_BURST_S

    run_virtually(work())


@pytest.mark.parametrize("connections", [1, 4])
def test_a_limit_below_one_read_is_kept(connections: int) -> None:
    """500 bytes a second are 500 bytes a second."""

    async def work() -> None:
        stage = Stage(500)
        meter = stage.pull(1, connections=connections)
        await let_pass(100)
        await stage.end()
        assert meter.between(0, 100) == pytest.approx(50_000, rel=0.05)

    run_virtually(work())


def test_the_narrowest_limit_holds() -> None:
    """Of a task's own limit, its host's and the one for all, each holds."""

    async def work() -> None:
        clock = asyncio.get_running_loop().time
        own, host, whole = Throttle(MB, clock), Throttle(3 * MB, clock), Throttle(4 * MB, clock)
        meters = [Meter(), Meter(), Meter()]
        shares = (
            (own.share(1), host.share(1), whole.share(1)),
            (host.share(2), whole.share(2)),
            (whole.share(3),),
        )
        pullers = [asyncio.create_task(_pull(one, meter)) for one, meter in zip(shares, meters, strict=True)]
        await let_pass(10)
        await cancelled(pullers)
        limited, second, third = (meter.between(0, 10) for meter in meters)
        assert limited == pytest.approx(10 * MB, rel=0.03)
        assert limited + second <= 30 * MB * 1.03
        assert limited + second + third == pytest.approx(40 * MB, rel=0.03)
        assert third == pytest.approx(15 * MB, rel=0.1)

    run_virtually(work())


def test_short_reads_cost_no_part() -> None:
    """Whose reads bring less than they may is away when the rest is given out; its part is the same over the whole."""

    async def work() -> None:
        stage = Stage(6 * MB)
        high = stage.pull(1, weight=4, connections=2, ready_bytes=70_000)
        low = stage.pull(2, weight=1, connections=2)
        await let_pass(10)
        await stage.end()
        assert high.between(0, 10) == pytest.approx(4 * low.between(0, 10), rel=0.05)

    run_virtually(work())


def test_lifting_a_limit_frees_all_that_wait() -> None:
    """Connections in debt for an hour go on at once."""

    async def work() -> None:
        stage = Stage(10)
        meters = [stage.pull(key, connections=3) for key in range(4)]
        await let_pass(1)
        stage.throttle.set_rate(0)
        await let_pass(0.05)
        await stage.end()
        assert all(meter.between(0.9, 2) >= CHUNK_BYTES for meter in meters)

    run_virtually(work())


def test_a_weight_is_changed_live() -> None:
    """The next grants are shared by the new weight."""

    async def work() -> None:
        stage = Stage(5 * MB)
        meters = [stage.pull(key, weight=2, connections=2) for key in (1, 2)]
        await let_pass(5)
        stage.throttle.set_weight(1, 4)
        stage.throttle.set_weight(2, 1)
        await let_pass(5)
        await stage.end()
        first, second = meters
        assert first.between(0, 5) == pytest.approx(second.between(0, 5), rel=0.03)
        assert first.between(5.1, 10) == pytest.approx(4 * second.between(5.1, 10), rel=0.05)

    run_virtually(work())


def test_who_is_cancelled_leaves_nothing_charged() -> None:
    """Whether it waited, was just granted or read: the limit is whole for the next one."""

    async def work() -> None:
        stage = Stage(MB)
        for _ in range(50):
            stage.pull(1, connections=3, pause_s=0.2)
            await let_pass(0.01)
            await stage.end()
            stage.pullers.clear()
        meter = stage.pull(2)
        await let_pass(10)
        await stage.end()
        assert meter.between(0, 10) == pytest.approx(10 * MB, rel=0.03)
        assert stage.throttle._present_weight == 0
        assert not stage.throttle.share(3).is_in_line

    run_virtually(work())
