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
    """Answers for tasks that are in hand; of several of one address one goes on, the others wait for its end."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._in_hand: dict[str, tuple[int, asyncio.Event]] = {}

    async def has(self, task: DownloadTask) -> bool:
        """Whether a row was done before: its address, the digest that is wanted, or the one that the server named.

        Where it was not, nobody else does it until `release()`.
        """
        while (other := self._in_hand.get(task.url)) is not None and other[0] != task.id:
            await other[1].wait()
        self._in_hand.setdefault(task.url, (task.id, asyncio.Event()))
        return any(await self._remembered.archived(_keys(task.url, task.options.checksum, task.options.announced)))

    def release(self, task: DownloadTask) -> None:
        """Note that an attempt ended."""
        held = self._in_hand.get(task.url)
        if held is not None and held[0] == task.id:
            del self._in_hand[task.url]
            held[1].set()


def _keys(url: str, *digests: str) -> list[tuple[str, str]]:
    named = (parse_digest(digest) for digest in digests if digest)
    return [(URL, url), *((digest.algorithm, digest.hex) for digest in named)]
