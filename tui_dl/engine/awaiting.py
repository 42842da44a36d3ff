"""Waiting for tasks to end: hearing of their ends, and looking at their rows now and then."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.events import EventKind
from tui_dl.core.status import FINISHED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.events import Event
    from tui_dl.core.ports import EnginePort

LOOK_AGAIN_S: Final = 1.0
"""How often who waits for tasks looks at their rows, besides hearing of their ends."""


async def await_finished(port: EnginePort, ids: Sequence[int]) -> None:
    """Return once all of these tasks are finished or gone."""
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
