"""The digest of a part file, computed behind the bytes that arrive in order, so that little is left at the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import new_hasher
from tui_dl.core.errors import FileSystemError

if TYPE_CHECKING:
    from tui_dl.core.splitting import SegmentPlan
    from tui_dl.disk.part_file import PartFile

LOOK_EVERY_S: Final = 0.1
STEP_BYTES: Final = 8 * 1024 * 1024
"""Less than this is not worth a look: it is read at the end in a few milliseconds."""


class PrefixHasher:
    """Reads the part file from its beginning as far as it is held, while the rest still arrives.

    The bytes are read back (they are in the page cache) instead of being taken on their way: so the digest is of what
    the file holds, it works for a resumed file too, and the loop has nothing to do with it.
    """

    def __init__(self, part: PartFile, plan: SegmentPlan, algorithm: str) -> None:
        self.algorithm = algorithm
        """What is computed."""
        self._part = part
        self._plan = plan
        self._hasher = new_hasher(algorithm)
        self._position = 0
        self._has_failed = False
        self._is_ending = asyncio.Event()
        self._task = asyncio.ensure_future(self._follow())

    def is_of(self, part: PartFile, algorithm: str) -> bool:
        """Whether it computes this digest of this file, and did so well."""
        return self._part is part and self.algorithm == algorithm and not self._has_failed

    async def finish(self) -> str:
        """Return the digest of the whole file, whose rest is read now."""
        await self._end()
        if self._has_failed or self._plan.held.prefix_bytes < self._position:
            self._hasher, self._position = new_hasher(self.algorithm), 0
        self._position = await self._part.read_through(self._hasher.update, self._position)
        return self._hasher.hexdigest()

    async def aclose(self) -> None:
        """End it; a read under way is waited for, as its thread would finish it anyway."""
        await self._end()

    async def _end(self) -> None:
        self._is_ending.set()
        await asyncio.wait([self._task])

    async def _follow(self) -> None:
        while not self._is_ending.is_set():
            held_bytes = self._plan.held.prefix_bytes
            if held_bytes < self._position:
                # Bytes that were taken in already turned out wrong, and come again.
                self._hasher, self._position = new_hasher(self.algorithm), 0
            elif held_bytes - self._position >= STEP_BYTES:
                await self._step(min(held_bytes, self._position + STEP_BYTES))
                continue
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._is_ending.wait()
            except TimeoutError:
                continue

    async def _step(self, end: int) -> None:
        try:
            self._position = await self._part.read_through(self._hasher.update, self._position, end)
        except FileSystemError:
            # Whoever writes or commits hears of the disk's trouble; here it only costs a second reading.
            self._has_failed = True
            self._is_ending.set()
