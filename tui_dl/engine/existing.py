"""Which targets were there before a batch began: a folder is listed once, not looked at for every address."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask

FEW_LOOKS: Final = 16
"""So many addresses of a batch are looked at one by one; a list of them is worth a listing."""
MOST_NAMES: Final = 200_000
"""Folders with more are not listed: the names would take the memory that a batch may have."""
MOST_FOLDERS: Final = 16
"""Listings that are kept, the latest used ones."""


class Existing:
    """Answers for tasks that leave alone what is there.

    What appears after the listing was not there before the batch; the commit then finds it and saves beside it.
    """

    def __init__(self) -> None:
        self._looks: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._listings: OrderedDict[tuple[str, int], asyncio.Future[frozenset[str] | None]] = OrderedDict()

    async def has(self, task: DownloadTask) -> bool:
        """Whether the target of a task is there."""
        key = (task.dir, task.batch_id)
        names = await self._names(key)
        if names is not None:
            return task.filename in names
        path = os.path.join(task.dir, task.filename)  # noqa: PTH118  # text in, text out
        return await asyncio.to_thread(os.path.lexists, path)

    async def _names(self, key: tuple[str, int]) -> frozenset[str] | None:
        """Return the names in a folder as the batch found it; None where it is looked at name by name."""
        looks = self._looks[key] = self._looks.pop(key, 0) + 1
        if looks <= FEW_LOOKS or not key[1]:
            self._trim()
            return None
        listing = self._listings.get(key)
        if listing is None:
            listing = self._listings[key] = asyncio.ensure_future(asyncio.to_thread(_list, key[0]))
            self._trim()
        # Shielded: the task that began it may be stopped, others wait for it, too.
        return await asyncio.shield(listing)

    def _trim(self) -> None:
        while len(self._looks) > MOST_FOLDERS:
            key, _ = self._looks.popitem(last=False)
            self._listings.pop(key, None)


def _list(folder: str) -> frozenset[str] | None:
    try:
        with os.scandir(folder) as entries:
            names = frozenset(entry.name for entry in islice(entries, MOST_NAMES + 1))
    except FileNotFoundError:
        return frozenset()
    except OSError:
        return None
    return names if len(names) <= MOST_NAMES else None
