"""Addresses and digests that are in the archive: what was done once is not done again, in any folder."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.digests import parse_digest
from tui_dl.core.task import TargetState
from tui_dl.journal.archive import URL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.remembered import Remembered


async def sift_archived(news: Sequence[NewTask], remembered: Remembered) -> list[NewTask]:
    """Return the same wishes, those that were done before marked as such."""
    keys = [_keys(new.url, new.options.checksum) for new in news]
    done = await remembered.archived([key for one in keys for key in one])
    sifted = []
    start = 0
    for new, asked in zip(news, keys, strict=True):
        is_done = any(done[start : start + len(asked)])
        start += len(asked)
        sifted.append(replace(new, target=TargetState.ARCHIVED) if is_done else new)
    return sifted


class Archive:
    """Answers for tasks that are in hand; of several of one address or digest one goes on, the others wait for its end.

    Not the slots keep them apart: one is free again before the file of who had it is named and recorded.
    """

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._in_hand: dict[tuple[str, str], int] = {}
        self._held: dict[int, tuple[asyncio.Event, list[tuple[str, str]]]] = {}

    async def has(self, task: DownloadTask) -> bool:
        """Whether a row was done before: its address, the digest that is wanted, or the one that the server named.

        Where it was not, nobody else does it until `release()`.
        """
        keys = _keys(task.url, task.options.checksum, task.options.announced)
        if task.id not in self._held:
            # It has nothing in hand yet: who waits is waited for by nobody.
            while (other := next((self._in_hand[key] for key in keys if key in self._in_hand), None)) is not None:
                await self._held[other][0].wait()
            self._held[task.id] = (asyncio.Event(), [])
        # What the server named meanwhile may be in hand elsewhere; two that wait for each other would never end.
        mine = [key for key in keys if self._in_hand.setdefault(key, task.id) == task.id]
        self._held[task.id][1].extend(mine)
        return any(await self._remembered.archived(keys))

    def release(self, task: DownloadTask) -> None:
        """Note that an attempt ended."""
        ended, keys = self._held.pop(task.id, (None, []))
        for key in keys:
            self._in_hand.pop(key, None)
        if ended is not None:
            ended.set()


def _keys(url: str, *digests: str) -> list[tuple[str, str]]:
    named = (parse_digest(digest) for digest in digests if digest)
    return [(URL, url), *((digest.algorithm, digest.hex) for digest in named)]
