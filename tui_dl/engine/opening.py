"""The first answer of an attempt: asked, judged, asked again one rung lower, until it can be used."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, HttpError, NetworkError, Reason
from tui_dl.core.ranges import ByteRange
from tui_dl.core.resume import SAMPLE_COUNT, TAIL_BYTES, Rung, Verdict, choose_rung
from tui_dl.core.task import Flag
from tui_dl.engine.outcome import VersionChanged

if TYPE_CHECKING:
    from tui_dl.core.splitting import SegmentPlan
    from tui_dl.disk.part_file import PartFile
    from tui_dl.engine.asking import Asker, Exchange
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

MAX_ASKS: Final = 5
"""Rungs and refusals of one opening; each is taken at most once, so this only guards."""
GLANCE_BYTES: Final = 4 * 1024
"""Held bytes compared where a strong validator proves the version: enough to notice a server that sends another range
than it says, and little enough that one which cuts every connection early still makes progress."""
USABLE: Final = frozenset({Verdict.PARTIAL, Verdict.WHOLE, Verdict.WHOLE_SAME, Verdict.RESTART, Verdict.EMPTY})
REFUSES_RANGES: Final = frozenset({400, 416, 501})


class Opener:
    """Opens the first exchange of an attempt; what is held is proven against the server on the way."""

    def __init__(
        self, context: EngineContext, live: LiveTask, asker: Asker, plan: SegmentPlan, part: PartFile | None
    ) -> None:
        self._context, self._live, self._asker, self._plan, self._part = context, live, asker, plan, part

    async def open(self) -> Exchange:
        """Return a usable exchange; its body begins at the first byte that is missing, or at 0.

        Raises `VersionChanged` where what is held must be dropped first, and what asking and judging raise.
        """
        if not self._plan.held or self._part is None:
            return await self._ask(0)
        task, held = self._live.task, self._plan.held
        rung = choose_rung(task.validator, held.total_bytes, task.total_bytes, self._context.settings.resume_unverified)
        if rung is Rung.RESTART:
            self._live.note("nothing proves that the bytes held are of the same version; starts over")
            raise VersionChanged(is_proven=False)
        if rung is Rung.SAMPLES:
            await self._compare_samples()
            self._live.change(flags=task.flags | {Flag.VERSION_UNVERIFIED})
        start = self._first_missing(task.total_bytes)
        overlap = self._overlap(start, GLANCE_BYTES if rung is Rung.IF_RANGE else TAIL_BYTES)
        return await self._asked_at(start, overlap)

    async def _asked_at(self, start: int, overlap: int) -> Exchange:
        """Ask from before the first missing byte, and compare what is held there."""
        exchange = await self._ask(start - overlap, has_held=True)
        try:
            return await self._proven(exchange, start, overlap)
        except BaseException:
            exchange.close()
            raise

    async def _ask(self, start: int, *, has_held: bool = False) -> Exchange:
        is_refused = False
        for _ in range(MAX_ASKS):
            exchange = await self._asker.ask(self._asker.asked(start, None, has_held=has_held))
            verdict = exchange.judgement.verdict
            if verdict in USABLE:
                if is_refused:
                    self._asker.remember_no_ranges()
                return exchange
            exchange.close()
            if verdict is Verdict.CHANGED:
                raise VersionChanged
            if verdict is Verdict.NEXT_RUNG:
                self._live.note("the server does not take If-Range though nothing changed; asks without it")
                self._asker.sends_if_range = False
            else:
                self._live.note("the server refuses ranges; asks without")
                self._asker.sends_range = False
                is_refused |= start == 0 and exchange.answer.status in REFUSES_RANGES
        raise HttpError(Reason.RANGE_REFUSED, "the server gives the file neither in ranges nor whole")

    def _first_missing(self, total_bytes: int | None) -> int:
        held = self._plan.held
        if total_bytes is None:  # fetched in order: what is held is a beginning
            return next((one.end for one in held if one.start == 0), 0)
        return next(held.gaps(total_bytes)).start

    def _overlap(self, start: int, most: int) -> int:
        """Return how many held bytes before `start` are asked for again, to compare them."""
        run_start = max((one.start for one in self._plan.held if one.end == start), default=start)
        return min(most, start - run_start)

    async def _proven(self, exchange: Exchange, start: int, overlap: int) -> Exchange:
        """Compare the overlap of a 206 with what is held; other usable verdicts begin at 0 and prove themselves."""
        if exchange.judgement.verdict is not Verdict.PARTIAL or not overlap:
            return exchange
        theirs = await self._read_exactly(exchange, overlap)
        assert self._part is not None
        if theirs != await self._part.read(start - overlap, overlap):
            self._live.note(f"the {overlap} bytes before {start} differ from those held")
            raise VersionChanged
        exchange.skip_to(start)
        return exchange

    async def _compare_samples(self) -> None:
        assert self._part is not None
        for piece in self._samples():
            exchange = await self._asker.ask_extra(piece.start, piece.end)
            try:
                if exchange.judgement.verdict is not Verdict.PARTIAL:
                    raise VersionChanged
                theirs = await self._read_exactly(exchange, piece.length_bytes)
            finally:
                exchange.close()
            if theirs != await self._part.read(piece.start, piece.length_bytes):
                raise VersionChanged

    def _samples(self) -> list[ByteRange]:
        runs = [one for one in self._plan.held if one.length_bytes >= TAIL_BYTES]
        if not runs:
            raise VersionChanged
        pieces = []
        for _ in range(SAMPLE_COUNT):
            run = runs[int(self._context.random() * len(runs))]
            start = run.start + int(self._context.random() * (run.length_bytes - TAIL_BYTES + 1))
            pieces.append(ByteRange(start, start + TAIL_BYTES))
        return pieces

    async def _read_exactly(self, exchange: Exchange, count_bytes: int) -> bytes:
        pieces: list[bytes] = []
        missing = count_bytes
        while missing:
            try:
                async with asyncio.timeout(self._context.settings.timeout):
                    piece = await exchange.answer.read(missing)
            except TimeoutError:
                raise NetworkError(Reason.STALLED, is_retryable=True) from None
            if not piece:
                raise ContentError(Reason.WRONG_RANGE, "the server sent less than it said", is_retryable=True)
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
