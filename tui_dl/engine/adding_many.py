"""Adding what an asynchronous source gives, which may have millions: read no faster than it is added."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Sequence

    from tui_dl.core.task import NewTask
    from tui_dl.journal.outcomes import AddOutcome

BLOCK_TASKS: Final = 2_000
"""Rows of a source that are added at once, in one transaction."""


async def added_ids(
    news: AsyncIterable[NewTask], add: Callable[[Sequence[NewTask]], Awaitable[Sequence[AddOutcome]]]
) -> array[int]:
    """Add what a source gives, a block at a time; return the ids in order."""
    ids = array("q")
    block: list[NewTask] = []
    async for new in news:
        block.append(new)
        if len(block) == BLOCK_TASKS:
            ids.extend(outcome.task_id for outcome in await add(block))
            block = []
    if block:
        ids.extend(outcome.task_id for outcome in await add(block))
    return ids
