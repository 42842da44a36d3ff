"""Waiting for tasks to end: hearing of their ends, and looking at their rows now and then."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.status import FINISHED
from tui_dl.core.task import DownloadTask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tui_dl.core.events import Event
    from tui_dl.core.ports import EnginePort

LOOK_AGAIN_S: Final = 1.0
"""How often who waits for tasks looks at their rows, besides hearing of their ends."""
MOST_SHOWN_CELLS: Final = 60
MOST_SHOWN_IDS: Final = 5
"""Of unknown ids so many are named."""


def ids_meant(tasks: Iterable[DownloadTask | int]) -> tuple[list[int], set[int]]:
    """Return the ids of what is to be waited for, and those that were named by number alone. Raises `UsageError`."""
    given = list(tasks)
    for one in given:
        if not isinstance(one, DownloadTask | int):
            raise UsageError(f"wait: expected tasks or their ids, not {display_text(repr(one), MOST_SHOWN_CELLS)}")
    return [one if isinstance(one, int) else one.id for one in given], {one for one in given if isinstance(one, int)}


async def await_finished(port: EnginePort, ids: Sequence[int], named: Collection[int] = ()) -> None:
    """Return once all of these tasks are finished or gone; raise `UsageError` where one that was `named` is no row."""
    open_ids = set(ids)
    ended = asyncio.Event()

    def listen(event: Event) -> None:
        is_over = event.kind is EventKind.REMOVED or event.task.status in FINISHED
        if event.task.id in open_ids and is_over:
            open_ids.discard(event.task.id)
            if not open_ids:
                ended.set()

    unsubscribe = port.subscribe(listen)
    try:
        rows = await port.rows(ids)
        if named:
            _refuse_unknown(named, {task.id for task in rows})
        open_ids -= {task.id for task in rows if task.status in FINISHED}
        open_ids &= {task.id for task in rows}
        while open_ids:
            # Rows that were removed or stopped by the thousand tell no event.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await ended.wait()
            rows = await port.rows(list(open_ids))
            open_ids &= {task.id for task in rows if task.status not in FINISHED}
    finally:
        unsubscribe()


def _refuse_unknown(named: Collection[int], there: Collection[int]) -> None:
    if gone := [f"{one}" for one in named if one not in there]:
        more = f" and {len(gone) - MOST_SHOWN_IDS:,} more" if len(gone) > MOST_SHOWN_IDS else ""
        raise UsageError(f"wait: no download has the id {', '.join(gone[:MOST_SHOWN_IDS])}{more}")
