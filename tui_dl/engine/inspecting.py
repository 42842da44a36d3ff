"""Looks at pieces as soon as they are whole: a wrong one is fetched again, and who brought it is asked no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from tui_dl.core.errors import ContentError, Reason

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tui_dl.core.ranges import ByteRange, RangeSet
    from tui_dl.engine.holding import Holding
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.sources import Sources

LOOK_EVERY_S: Final = 1.0
"""How often the pieces that became whole are checked while others arrive."""
MOST_REFETCHES: Final = 2
"""A piece that is wrong more often than this fails the file."""


class Checker(Protocol):
    """What knows the digests of pieces."""

    def check(self, held: RangeSet) -> Coroutine[None, None, list[ByteRange]]:
        """Return the pieces among what is held that are wrong, of those not looked at before."""
        ...

    def describe(self, piece: ByteRange) -> Coroutine[None, None, str]:
        """Return in words what a wrong piece has and should have."""
        ...


class Inspector:
    """Checks the pieces of one transfer, beside the connections that fetch them."""

    def __init__(self, holding: Holding, live: LiveTask, sources: Sources, checker: Checker) -> None:
        self._holding, self._live, self._sources, self._checker = holding, live, sources, checker
        self._look: asyncio.Task[bool] | None = None
        self._looked_at = float("-inf")
        self._wrong: Counter[ByteRange] = Counter()

    def tick(self, now: float) -> None:
        """Begin to look if it is time; raises what the last look found wrong for good."""
        if self._look is not None and self._look.done():
            self._look.result()
            self._look = None
        if self._look is None and now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._look = asyncio.ensure_future(self._inspect())

    async def is_all_well(self) -> bool:
        """Look at all that is held; False: something of it was wrong and is to be fetched again."""
        if self._look is not None:
            look, self._look = self._look, None
            if not await look:
                return False
        return await self._inspect()

    async def aclose(self) -> None:
        """End the look under way."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait([self._look])
            self._look = None

    async def _inspect(self) -> bool:
        wrong = await self._checker.check(self._holding.plan.held.copy())
        for piece in wrong:
            self._wrong[piece] += 1
            liar = self._sources.blame(piece)
            origin = f", all of it from {liar.host}" if liar is not None else ""
            text = f"the piece of bytes {piece.start}-{piece.end} differs from its digest{origin}"
            if self._wrong[piece] > MOST_REFETCHES:
                raise ContentError(Reason.DIGEST_MISMATCH, await self._checker.describe(piece))
            self._live.note(f"{text}; fetched again")
            await self._holding.drop(piece.start, piece.end)
        return not wrong
