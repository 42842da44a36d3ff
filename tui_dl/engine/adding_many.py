"""Adding what an asynchronous source gives, which may have millions: read no faster than it is added."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from tui_dl.core.task import NewTask, TaskOptions
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Sequence

    from tui_dl.core.name_template import Namer
    from tui_dl.journal.outcomes import AddOutcome

BLOCK_TASKS: Final = 2_000
"""Rows of a source that are added at once, in one transaction."""


def checked_row(new: NewTask | str, *, folder: str, namer: Namer) -> NewTask:
    """Return a row as it is, and that of an address, checked; raises `UsageError`."""
    return new if isinstance(new, NewTask) else namer.named(checked_task(new, folder, "", TaskOptions()))


async def added_ids(
    news: AsyncIterable[NewTask | str],
    checked: Callable[[NewTask | str], NewTask],
    add: Callable[[Sequence[NewTask]], Awaitable[Sequence[AddOutcome]]],
) -> array[int]:
    """Add what a source gives, a block at a time; return the ids in order."""
    ids = array("q")
    block: list[NewTask] = []
    async for new in news:
        block.append(checked(new))
        if len(block) == BLOCK_TASKS:
            ids.extend(outcome.task_id for outcome in await add(block))
            block = []
    if block:
        ids.extend(outcome.task_id for outcome in await add(block))
    return ids
