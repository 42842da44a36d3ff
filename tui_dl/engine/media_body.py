"""One file in order: an open request first, further ranges beside it only while they make the whole faster."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, Reason, TuiDlError
from tui_dl.core.growth import Growth
from tui_dl.core.http_rules import Validator
from tui_dl.core.resume import Verdict
from tui_dl.engine.media_piece import Piece

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui_dl.core.ports_media import BodyWish
    from tui_dl.engine.asking import Asker, Exchange
    from tui_dl.engine.media_requests import MediaRequests

MOST_ASKS: Final = 4
TICK_S: Final = 0.03
"""How often it is asked whether one more connection helps."""
LEAST_PIECE_BYTES: Final = 1 << 20
MOST_PIECE_BYTES: Final = 4 << 20
PIECE_S: Final = 1.0
"""A further range is about this much time's worth of one connection."""
MOST_HELD_BYTES: Final = 32 << 20
"""Bytes that may wait in memory for those before them."""


class MediaBody:
    """See `core.ports_media.OrderedBody`."""

    def __init__(self, requests: MediaRequests, wish: BodyWish) -> None:
        self._requests, self._wish = requests, wish
        self._asker: Asker = requests.asker()
        self._asker.validator = wish.version
        self._exchange: Exchange | None = None
        self._pieces: deque[Piece] = deque()
        self._growth = Growth(max(1, wish.most_connections))
        self._began_at = self._stepped_at = requests.context.clock()
        self._head_end = 0
        self._next = 0
        self._piece_bytes = 0
        self.start = wish.start
        self.total_bytes: int | None = None
        self.last_modified = ""
        self.version = Validator()

    async def open(self) -> None:
        """Send the first request and take what its answer tells. Raises `TuiDlError`."""
        wish, asker = self._wish, self._asker
        has_held = wish.start > 0
        for _ in range(MOST_ASKS):
            start = wish.start if asker.sends_range else 0
            end = start + wish.chunk_bytes if wish.chunk_bytes else None
            asked = asker.asked(start, end, has_held=has_held)
            exchange = await self._requests.patiently(partial(asker.ask, asked))
            try:
                if self._is_taken(exchange):
                    return
            except BaseException:
                exchange.close()
                raise
            exchange.close()
        raise ContentError(Reason.CHANGED)

    def _is_taken(self, exchange: Exchange) -> bool:
        """Take an answer that can be used; learn from one that cannot."""
        judgement, asker = exchange.judgement, self._asker
        if judgement.verdict is Verdict.NEXT_RUNG:
            asker.sends_if_range = False
        elif judgement.verdict is Verdict.NO_RANGES:
            asker.sends_range = False
        elif judgement.verdict is Verdict.CHANGED:
            raise ContentError(Reason.CHANGED)
        else:
            self._exchange = exchange
            self.start = judgement.start
            self.total_bytes = asker.total_bytes = judgement.total_bytes
            self.version = asker.validator = judgement.validator
            self.last_modified = exchange.answer.headers.get("Last-Modified", "")
            return True
        return False

    @property
    def _can_split(self) -> bool:
        """Whether its server gives ranges of a known whole, and in no coding."""
        exchange = self._exchange
        return exchange is not None and exchange.judgement.verdict is Verdict.PARTIAL and self.total_bytes is not None

    async def aclose(self) -> None:
        """End all that is at work."""
        if self._exchange is not None:
            self._exchange.close()
        for piece in self._pieces:
            await piece.aclose()
        self._pieces.clear()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes in order."""
        assert self._exchange is not None
        if self._exchange.judgement.verdict is Verdict.EMPTY:
            return
        position = self.start
        async with aclosing(self._head(self._exchange)) as head:
            async for chunk in head:
                position += len(chunk)
                yield chunk
        while self._refill():
            piece = self._pieces[0]
            try:
                async with aclosing(piece.chunks()) as chunks:
                    async for chunk in chunks:
                        position += len(chunk)
                        self._step(position)
                        yield chunk
            except TuiDlError:
                if piece.is_second_try or piece.position >= piece.end:
                    raise
                # One connection more than the host bears must not fail the whole: the rest of its range is asked again.
                self._growth.refuse(1)
                self._pieces[0] = Piece(self._requests, self._asker, piece.position, piece.end, is_second_try=True)
                continue
            finally:
                await piece.aclose()
            self._pieces.popleft()
        if self.total_bytes is not None and position < self.total_bytes:
            raise ContentError(Reason.TRUNCATED, is_retryable=True)

    async def _head(self, exchange: Exchange) -> AsyncGenerator[bytes, None]:
        """Yield what the first answer brings, up to where others take over."""
        position = self.start
        is_coded = bool(exchange.judgement.encodings)
        end = None if is_coded else exchange.answer_end
        if self._can_split and self._wish.chunk_bytes:
            self._next = self._head_end = end or 0
        async with aclosing(self._requests.read(exchange, self._asker)) as chunks:
            async for whole in chunks:
                bound = self._head_end or end
                chunk = whole if bound is None else whole[: bound - position]
                position += len(chunk)
                if self._can_split:
                    self._step(position)
                if chunk:
                    yield chunk
                if self._head_end and position >= self._head_end:
                    break
        exchange.close()
        if end is not None and position < min(end, self._head_end or end):
            raise ContentError(Reason.TRUNCATED, is_retryable=True)

    # -- further connections -------------------------------------------------------------------------------------------

    def _step(self, position: int) -> None:
        """Ask now and then whether one more connection helps, and give work to those that do."""
        clock = self._requests.context.clock
        if (now := clock()) - self._stepped_at < TICK_S or self.total_bytes is None:
            return
        self._stepped_at = now
        received = self._requests.live.received_bytes
        at_work = 1 + sum(piece.is_at_work for piece in self._pieces)
        wanted = self._growth.step(now, received, self.total_bytes - position, at_work)
        if wanted > 1 and not self._next:
            rate_bps = received / max(0.001, now - self._began_at)
            self._piece_bytes = min(max(int(rate_bps * PIECE_S), LEAST_PIECE_BYTES), MOST_PIECE_BYTES)
            self._next = self._head_end = min(self.total_bytes, position + self._piece_bytes)
        if self._next:
            self._refill()

    def _refill(self) -> bool:
        """Begin ranges as far as connections, memory and the host allow; whether any is left."""
        total = self.total_bytes or 0
        length = self._wish.chunk_bytes or self._piece_bytes
        while self._next and self._next < total and self._may_begin(length):
            end = min(total, self._next + length)
            self._pieces.append(Piece(self._requests, self._asker, self._next, end))
            self._next = end
        return bool(self._pieces)

    def _may_begin(self, length: int) -> bool:
        if not self._pieces:
            return True
        at_work = sum(piece.is_at_work for piece in self._pieces)
        if at_work >= self._growth.target or (len(self._pieces) + 1) * length > MOST_HELD_BYTES:
            return False
        context = self._requests.context
        return self._wish.is_explicit or self._asker.budget.can_grow(context.clock(), context.settings.per_host)
