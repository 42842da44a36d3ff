"""Parts of one list are added in its order, however they arrive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tui_dl.core.errors import UsageError
from tui_dl.engine.in_sequence import MOST_LISTS, InSequence


async def add(sequence: InSequence, said: Any, done: list[Any], *, fails: bool = False) -> None:
    """Add a part."""
    async with sequence.part(said) as turn:
        await turn()
        if fails:
            raise OSError("full")
        done.append(said)


def part(number: int, word: str = "a") -> dict[str, Any]:
    """Return what is said of a part."""
    return {"list": word, "number": number}


async def test_a_part_waits_for_those_before_it() -> None:
    """Nobody else waits: neither another list nor what is no part."""
    sequence, done = InSequence(), list[Any]()
    waiting = [asyncio.ensure_future(add(sequence, part(number), done)) for number in (2, 1)]
    await asyncio.sleep(0)
    await add(sequence, None, done)
    await add(sequence, part(0, "b"), done)
    assert done == [None, part(0, "b")]
    await add(sequence, part(0), done)
    await asyncio.gather(*waiting)
    assert done[2:] == [part(0), part(1), part(2)]


async def test_nothing_follows_a_part_that_failed() -> None:
    """Whether it failed in its turn or before; what came before it is added."""
    sequence, done = InSequence(), list[Any]()
    later = asyncio.ensure_future(add(sequence, part(2), done))
    first = asyncio.ensure_future(add(sequence, part(0), done))
    with pytest.raises(OSError, match="full"):
        await add(sequence, part(1), done, fails=True)
    with pytest.raises(UsageError, match="earlier part"):
        await later
    await first
    with pytest.raises(UsageError, match="earlier part"):
        await add(sequence, part(3), done)
    assert done == [part(0)]


async def test_a_part_does_not_wait_for_ever() -> None:
    """Whoever sent the one before it may be gone."""
    with pytest.raises(UsageError, match="part 1 of a list waits in vain"):
        await add(InSequence(0.0), part(1), [])


@pytest.mark.parametrize("said", ["a", {"list": "a"}, {"list": 1, "number": 0}, part(-1), part(True)])
async def test_nonsense_is_refused(said: Any) -> None:
    """It comes from elsewhere."""
    with pytest.raises(UsageError, match="expected the word"):
        await add(InSequence(), said, [])


async def test_what_is_remembered_is_bounded() -> None:
    """The latest lists."""
    sequence = InSequence()
    for number in range(MOST_LISTS + 5):
        await add(sequence, part(0, str(number)), [])
    assert len(sequence._lists) == MOST_LISTS
