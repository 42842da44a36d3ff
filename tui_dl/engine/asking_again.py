"""A digest that is given for what is in the queue already: running rows take it, a completed file is checked by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import new_hasher, parse_digest
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.journal import Journal
    from tui_dl.journal.outcomes import AddOutcome

_READ_BYTES: Final = 1024 * 1024


def take_digests(
    news: Sequence[NewTask],
    outcomes: Sequence[AddOutcome],
    live_of: Callable[[int], LiveTask | None],
    journal: Journal,
) -> None:
    """Give tasks in hand the digests that were given for them now; the journal's own rows have them already."""
    for new, outcome in zip(news, outcomes, strict=True):
        given = new.options.checksum
        live = live_of(outcome.task_id) if given and not outcome.is_new else None
        if live is not None and live.task.options.checksum != given:
            live.stored = live.change(options=replace(live.task.options, checksum=given))
            live.note("a digest was given for it meanwhile")
            journal.save_soon(live.task)


async def refuted(news: Sequence[NewTask], outcomes: Sequence[AddOutcome], owner: str) -> list[int]:
    """Return which wishes found a completed row of ours whose file has not the digest that is asked for now."""
    found = []
    for index, (new, outcome) in enumerate(zip(news, outcomes, strict=True)):
        given = new.options.checksum
        if outcome.is_new or not given:
            continue
        task = outcome.task
        is_done = task.status is Status.COMPLETED and task.owner == owner
        # What is in a shard was proven when it was fetched.
        if is_done and not task.member and not await asyncio.to_thread(_has_digest, task, given):
            found.append(index)
    return found


def _has_digest(task: DownloadTask, given: str) -> bool:
    """Whether the file has a digest, blocking; one that it was proven to have is believed, one that is gone has any."""
    digest = parse_digest(given)
    if digest.algorithm == "sha256" and task.sha256 == digest.hex:
        return True
    hasher = new_hasher(digest.algorithm)
    try:
        with Path(task.path).open("rb") as file:
            while piece := file.read(_READ_BYTES):
                hasher.update(piece)
    except OSError:
        # Who adds it finds out by itself that it is gone.
        return True
    return hasher.hexdigest() == digest.hex
