"""Commands on the same tasks go one after the other, those on different ones do not wait."""

from __future__ import annotations

import asyncio

import pytest

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.query import TaskQuery
from tui_dl.engine.turns import Turns

PAUSE = CommandName.PAUSE


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (Command(PAUSE, (1, 2)), Command(PAUSE, (2, 3)), True),
        (Command(PAUSE, (1, 2)), Command(PAUSE, (3,)), False),
        (Command(CommandName.TOGGLE_ALL), Command(PAUSE, (3,)), True),
        (Command(PAUSE, (3,)), Command(PAUSE, query=TaskQuery()), True),
        (Command(CommandName.RETRY_FAILED), Command(CommandName.TOGGLE_ALL), True),
        (Command(CommandName.TOGGLE_ALL), Command(CommandName.SET_CONCURRENCY), False),
        (Command(CommandName.ADD), Command(CommandName.TOGGLE_ALL), False),
    ],
    ids=str,
)
async def test_a_command_waits_for_those_on_the_same_tasks(first: Command, second: Command, waits: bool) -> None:
    """What is without tasks waits for nobody."""
    turns, order = Turns(), list[str]()

    async def give(command: Command, name: str) -> None:
        async with turns.take(command):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    async with asyncio.TaskGroup() as group:
        group.create_task(give(first, "first"))
        group.create_task(give(second, "second"))
    assert (order[1] == "first ends") is waits
    assert not turns._given


async def test_a_command_that_fails_or_is_given_up_lets_the_next_go() -> None:
    """Nobody waits for what will not come."""
    turns = Turns()
    command = Command(PAUSE, (1,))
    with pytest.raises(ValueError, match="wrong"):
        async with turns.take(command):
            raise ValueError("wrong")
    async with turns.take(command):
        given_up = asyncio.create_task(turns.take(command).__aenter__())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
    async with asyncio.timeout(1), turns.take(command):
        pass
