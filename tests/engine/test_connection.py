"""Connections are given up when they bring next to nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import NetworkError, Reason
from tui_dl.core.splitting import SegmentPlan
from tui_dl.core.task import DownloadTask
from tui_dl.disk.backlog import Backlog
from tui_dl.engine.connection import Connection
from tui_dl.engine.live import LiveTask
from tui_dl.engine.reading import DRIP_BPS, DRIP_WINDOW_S
from tui_dl.engine.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.core.ports import Chunk


class _Silent:
    """An answer whose body never comes."""

    status = 200
    has_proven_end = True
    headers: Mapping[str, str] = {}

    async def read(self, most_bytes: int | None) -> bytes:
        """Wait for ever."""
        del most_bytes
        await asyncio.Event().wait()
        return b""

    def close(self) -> None:
        """Have nothing to close."""


class _Nowhere:
    backlog = Backlog()

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Drop everything."""
        del buffers, offset
        return []


class _Slow(_Nowhere):
    """A disk whose writes end when the test says so."""

    def __init__(self) -> None:
        self.backlog = Backlog()
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Wait for the test."""
        self.has_begun.set()
        await self.may_end.wait()
        return await super().write(buffers, offset)


class _One(_Silent):
    """An answer of one piece."""

    async def read(self, most_bytes: int | None) -> bytes:
        """Return it."""
        return b"x" * min(1000, most_bytes or 1000)


async def _reading(limit_bps: int = 0) -> tuple[Connection, asyncio.Task[None]]:
    live = LiveTask(DownloadTask(1, "http://h/f", "/d", "f"), wall_clock=lambda: 0.0)
    plan = SegmentPlan(1000)
    recorded: list[Extent] = []
    connection = Connection(
        live, plan, _Nowhere(), [Throttle(limit_bps).share(1)], gather_bytes=1000, on_written=recorded.extend
    )
    task = asyncio.create_task(connection.pump(_Silent(), plan.begin(0, 1000), 1000))
    await asyncio.sleep(0)
    return connection, task


async def test_a_silent_connection_is_given_up() -> None:
    """Without a byte for the time-out it ends as stalled."""
    connection, task = await _reading()
    connection.give_up_if_silent(connection.last_byte_at + 30.0, 30.0)
    with pytest.raises(NetworkError) as caught:
        await task
    assert caught.value.reason is Reason.STALLED


@pytest.mark.parametrize(("came_bytes", "is_given_up"), [(0, True), (DRIP_BPS * DRIP_WINDOW_S, False)])
async def test_a_dripping_connection_is_given_up(came_bytes: int, *, is_given_up: bool) -> None:
    """A byte now and then keeps no connection alive beyond a minute, and is told apart from none; a slow link does."""
    connection, task = await _reading()
    now = connection.last_byte_at + DRIP_WINDOW_S + 1  # a sum of two clock readings is not exact
    connection.last_byte_at = now
    connection.received_bytes += int(came_bytes)
    connection.give_up_if_silent(now, 30.0)
    assert connection.has_stalled is is_given_up
    task.cancel()
    await asyncio.wait([task])
    if is_given_up:
        assert "fewer than 64 bytes a second came" in str(task.exception())


async def test_what_a_limit_of_ours_slows_is_not_dripping() -> None:
    """A limit below the drip rate gives up nothing."""
    connection, task = await _reading(limit_bps=10)
    now = connection.last_byte_at + DRIP_WINDOW_S + 1
    connection.last_byte_at = now
    connection.give_up_if_silent(now, 30.0)
    assert not connection.has_stalled
    task.cancel()
    await asyncio.wait([task])


async def test_a_write_under_way_is_waited_for_however_often_it_is_cancelled() -> None:
    """Its range is given to another only when nothing of it can be written any more."""
    live = LiveTask(DownloadTask(1, "http://h/f", "/d", "f"), wall_clock=lambda: 0.0)
    plan, disk = SegmentPlan(1000), _Slow()
    connection = Connection(live, plan, disk, [], gather_bytes=1000, on_written=lambda _: None)

    async def work() -> None:
        try:
            await connection.pump(_One(), plan.begin(0, 1000), 1000)
        finally:
            await connection.flush_at_last()

    task = asyncio.create_task(work())
    await disk.has_begun.wait()
    for _ in range(3):
        task.cancel()
        assert not (await asyncio.wait([task], timeout=0.01))[0]
    disk.may_end.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not connection.is_behind
