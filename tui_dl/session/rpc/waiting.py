"""Waiting until tasks are finished: woken by events, and now and then, since bulk commands tell none."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.query import allowed_statuses
from tui_dl.core.status import FINISHED, UNFINISHED, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.events import Event
    from tui_dl.core.ports_control import ControlPort
    from tui_dl.session.rpc.targets import Targets

LOOK_EVERY_S: Final = 1.0
"""How often the rows are looked at without an event."""
LEAST_PAUSE_S: Final = 0.05
"""Least pause between two looks: a thousand small files end in one of them."""
_BLOCK: Final = 1_000
_MOST_FAILED: Final = 1_000
_ENDING: Final = UNFINISHED - {Status.PAUSED}


async def wait_for(
    engine: ControlPort, targets: Targets, timeout_s: float | None, *, ends_at_pause: bool = False
) -> dict[str, Any]:
    """Return what came of tasks as soon as none of them wants anything more, or after so many seconds.

    Those named by id are waited for even while they are paused, unless with `ends_at_pause`; of a question's rows
    those are meant that it finds unfinished and not paused at the beginning.
    """
    ids = targets.ids if targets.ids is not None else await _unfinished(engine, targets)
    waits = UNFINISHED if targets.ids is not None and not ends_at_pause else _ENDING
    changed = asyncio.Event()

    def note(event: Event) -> None:
        if event.task.status not in waits:
            changed.set()

    unsubscribe = engine.subscribe(note)
    left: Sequence[int] = ids
    try:
        async with asyncio.timeout(timeout_s):
            while left := await _those(engine, left, waits):
                await asyncio.sleep(LEAST_PAUSE_S)
                try:
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await changed.wait()
                except TimeoutError:
                    continue
                finally:
                    changed.clear()
    except TimeoutError:
        return await _outcome(engine, ids, is_done=False)
    finally:
        unsubscribe()
    return await _outcome(engine, ids, is_done=True)


async def _unfinished(engine: ControlPort, targets: Targets) -> Sequence[int]:
    query = replace(targets.query, statuses=allowed_statuses(targets.query) & _ENDING)
    if not query.statuses:
        return ()
    found = await engine.view(query)
    return [one for one in found if one not in targets.excluding_ids] if targets.excluding_ids else found


async def _those(engine: ControlPort, ids: Sequence[int], statuses: frozenset[Status]) -> Sequence[int]:
    """Return the first of these that still has one of these statuses, and all behind it; rows that are gone have none.

    Not all are looked at: of a million it is enough to know one that is not done.
    """
    for start in range(0, len(ids), _BLOCK):
        for task in await engine.rows(ids[start : start + _BLOCK]):
            if task.status in statuses:
                return ids[start:]
    return ()


async def _outcome(engine: ControlPort, ids: Sequence[int], *, is_done: bool) -> dict[str, Any]:
    counts: Counter[Status] = Counter()
    failed: list[int] = []
    for start in range(0, len(ids), _BLOCK):
        for task in await engine.rows(ids[start : start + _BLOCK]):
            counts[task.status] += 1
            if task.status is Status.FAILED and len(failed) < _MOST_FAILED:
                failed.append(task.id)
    return {
        "is_done": is_done,
        "counts": {status.value: number for status, number in counts.items()},
        "failed_ids": failed,
        "unfinished": sum(number for status, number in counts.items() if status not in FINISHED),
    }
