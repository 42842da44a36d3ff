"""A list is read on while what it gave is added."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.cli.adding_ahead import MOST_TASKS, AddingAhead
from tui_dl.core.task import NewTask

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence


class Queue:
    """Adds nothing before it may."""

    def __init__(self) -> None:
        self.adds: list[tuple[str, int]] = []
        self.may_add = asyncio.Event()

    async def add(self, news: Sequence[NewTask], batch: str) -> None:
        """Note what came once it may."""
        self.adds.append((batch, len(news)))
        await self.may_add.wait()


def some(count: int) -> list[NewTask]:
    """Return so many wishes."""
    return [NewTask(f"http://h.example/{number}", "/d") for number in range(count)]


async def test_what_was_read_meanwhile_is_added_at_once() -> None:
    """The first block goes at once, those that come meanwhile together."""
    queue = Queue()
    async with AddingAhead(queue.add) as ahead:
        for _ in range(4):
            await ahead.put(some(10), "list")
        assert queue.adds == [("list", 10)]
        queue.may_add.set()
    assert queue.adds == [("list", 10), ("list", 30)]


async def test_a_list_waits_when_too_much_was_read_ahead() -> None:
    """Memory stays bounded however fast the list is."""
    queue = Queue()
    async with AddingAhead(queue.add) as ahead:
        await ahead.put(some(1), "list")
        putting = asyncio.ensure_future(ahead.put(some(MOST_TASKS), "list"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not putting.done()
        queue.may_add.set()
        await putting
    assert queue.adds == [("list", 1), ("list", MOST_TASKS)]


async def test_each_batch_is_added_by_itself() -> None:
    """Rows of two lists are never one add."""
    queue = Queue()
    queue.may_add.set()
    async with AddingAhead(queue.add) as ahead:
        await ahead.put(some(1), "one")
        await ahead.put(some(2), "two")
    assert queue.adds == [("one", 1), ("two", 2)]


async def test_what_adding_raises_ends_the_reading() -> None:
    """A journal that refuses is not read on for."""

    async def refuse(_news: Sequence[NewTask], _batch: str) -> None:
        raise OSError("full")

    ahead = AddingAhead(refuse)
    await ahead.put(some(1), "list")
    with pytest.raises(OSError, match="full"):
        await ahead.put(some(1), "list")


async def test_what_comes_next_is_written_down_while_an_add_is_under_way() -> None:
    """The session's client writes JSON: a tenth of the time that a list of a million took."""
    queue, written = Queue(), list[int]()

    def add(news: Sequence[NewTask], batch: str) -> Coroutine[Any, Any, None]:
        written.append(len(news))
        return queue.add(news, batch)

    async with AddingAhead(add) as ahead:
        await ahead.put(some(1), "list")
        putting = asyncio.ensure_future(ahead.put(some(MOST_TASKS), "list"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert (written, queue.adds) == ([1, MOST_TASKS], [("list", 1)])
        queue.may_add.set()
        await putting
    assert queue.adds == [("list", 1), ("list", MOST_TASKS)]


async def test_several_adds_may_be_under_way() -> None:
    """Where whoever adds keeps their order; then the list waits for the first of them."""
    queue = Queue()
    async with AddingAhead(queue.add, most_adds=2) as ahead:
        await ahead.put(some(1), "list")
        await ahead.put(some(2), "list")
        await ahead.put(some(3), "list")
        assert queue.adds == [("list", 1), ("list", 2)]
        queue.may_add.set()
    assert queue.adds == [("list", 1), ("list", 2), ("list", 3)]


async def test_an_add_that_fails_ends_those_beside_it() -> None:
    """Nothing of a list goes on once a part of it was refused."""
    cancelled: list[int] = []

    async def add(news: Sequence[NewTask], _batch: str) -> None:
        if len(news) == 1:
            raise OSError("full")
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(len(news))

    async def put() -> None:
        async with AddingAhead(add, most_adds=2) as ahead:
            for count in (1, 2, 3):
                await ahead.put(some(count), "list")

    with pytest.raises(OSError, match="full"):
        await put()
    assert cancelled == [2]
