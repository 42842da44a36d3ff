"""What waits for a disk is bounded over all who read, and nobody waits for one who brings nothing."""

from __future__ import annotations

import asyncio

from tui_dl.disk import backlog as backlog_module
from tui_dl.disk.backlog import TURN_BYTES, Backlog

FULL = 4 * TURN_BYTES


async def settle() -> None:
    """Let whoever can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_while_there_is_room_nobody_waits() -> None:
    """No turn is needed, and none is counted."""
    backlog = Backlog(FULL)
    backlog.add(FULL - 1)
    assert await backlog.turn() is None
    assert not backlog.is_full


async def test_when_it_is_full_readers_take_turns() -> None:
    """Each turn is one read's bytes, in the order of asking, as they are written."""
    backlog = Backlog(FULL)
    backlog.add(FULL)
    order: list[int] = []

    async def read(number: int) -> None:
        turn = await backlog.turn()
        order.append(number)
        backlog.add(TURN_BYTES)
        backlog.end_turn(turn)

    readers = [asyncio.ensure_future(read(number)) for number in range(6)]
    await settle()
    assert order == []
    backlog.remove(TURN_BYTES)
    await settle()
    assert order == [0]
    backlog.remove(2 * TURN_BYTES)
    await settle()
    assert order == [0, 1, 2]
    assert backlog.unwritten_bytes == FULL
    while len(order) < len(readers):
        backlog.remove(TURN_BYTES)
        await settle()
    await asyncio.gather(*readers)


async def test_a_turn_that_brings_nothing_ends() -> None:
    """A server that sends nothing holds no room that others wait for."""
    backlog = Backlog(TURN_BYTES)
    backlog.add(TURN_BYTES)
    first, second = asyncio.ensure_future(backlog.turn()), asyncio.ensure_future(backlog.turn())
    await settle()
    backlog.remove(TURN_BYTES)
    await settle()
    assert first.done()
    assert not second.done()
    async with asyncio.timeout(20 * backlog_module.TURN_S):
        await second


async def test_one_who_went_away_passes_its_turn_on() -> None:
    """A reader that is cancelled while it waits is passed over."""
    backlog = Backlog(FULL)
    backlog.add(FULL)
    first, second = asyncio.ensure_future(backlog.turn()), asyncio.ensure_future(backlog.turn())
    await settle()
    first.cancel()
    await settle()
    backlog.remove(TURN_BYTES)
    async with asyncio.timeout(1):
        assert await second is not None


async def test_all_go_on_when_all_is_written() -> None:
    """Nobody stays behind."""
    backlog = Backlog(FULL)
    backlog.add(FULL)
    readers = [asyncio.ensure_future(backlog.turn()) for _ in range(50)]
    await settle()
    backlog.remove(FULL)
    async with asyncio.timeout(5):
        for reader in readers:
            backlog.end_turn(await reader)
    assert not backlog.is_full
