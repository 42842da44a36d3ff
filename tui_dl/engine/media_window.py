"""Fragments of one stream: a window of them at once, each tried again by itself, given out in order."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, FileSystemError, Reason, TuiDlError, UsageError
from tui_dl.core.ports_media import FragmentOutcome
from tui_dl.core.resume import Verdict
from tui_dl.core.widening import Widening
from tui_dl.engine.in_order import in_order
from tui_dl.engine.media_requests import MediaRequests

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from tui_dl.core.ports_media import FragmentWish, WindowManner
    from tui_dl.engine.asking import Asker, Exchange
    from tui_dl.engine.context import EngineContext

USABLE: Final = frozenset({Verdict.PARTIAL, Verdict.WHOLE, Verdict.EMPTY})


class FragmentWindow:
    """One run over the fragments of a stream."""

    def __init__(self, context: EngineContext, wishes: Iterable[FragmentWish], manner: WindowManner) -> None:
        self._context, self._wishes, self._manner = context, wishes, manner
        most = max(1, manner.most_at_once)
        self._widening = Widening(most, begins_with=most if manner.is_explicit else 2)
        self._requests: MediaRequests | None = None
        self._last: Asker | None = None
        self._open = 0

    async def outcomes(self) -> AsyncGenerator[FragmentOutcome, None]:
        """Yield them in order."""
        try:
            async with aclosing(in_order(self._wishes, self._fetch, self._width)) as outcomes:
                async for outcome in outcomes:
                    yield outcome
        finally:
            if self._requests is not None:
                self._requests.close()

    def _width(self) -> int:
        """Return how many may be at work now: what helps, within what the host may have in all."""
        if self._manner.is_explicit or self._last is None:
            return self._widening.target
        budget = self._last.budget
        others = budget.open_connections - self._open
        return max(1, min(self._widening.target, budget.allowed(self._context.settings.per_host) - others))

    async def _fetch(self, wish: FragmentWish) -> FragmentOutcome:
        for attempt in count(1):
            try:
                outcome = await self._once(wish)
            except (FileSystemError, UsageError) as error:
                return FragmentOutcome(wish, None, error)
            except TuiDlError as error:
                if attempt > self._manner.retries:
                    return FragmentOutcome(wish, None, error)
                self._manner.on_retry(wish.index, error, attempt)
                await asyncio.sleep(max(self._manner.delay_s(attempt), error.retry_after_s or 0.0))
            else:
                self._widening.note(self._context.clock(), len(outcome.body or b""))
                return outcome
        raise AssertionError

    async def _once(self, wish: FragmentWish) -> FragmentOutcome:
        """Fetch it in one attempt. Raises `TuiDlError`."""
        if self._requests is None:
            manner = self._manner
            self._requests = MediaRequests(self._context, wish.url, manner.headers, manner.cookies, manner.limit_bps)
        requests, asker = self._requests, self._requests.asker(wish.url)
        self._last = asker
        self._open += 1
        try:
            exchange = await self._ask(requests, asker, wish)
            try:
                body = await self._body(requests, exchange, asker)
            finally:
                exchange.close()
        finally:
            self._open -= 1
        wanted = None if wish.end is None else wish.end - (wish.first or 0)
        if wanted is not None:
            body = body[:wanted]
        if (
            len(body) < (wanted if wanted is not None else exchange.answer_end or 0)
            and not exchange.judgement.encodings
        ):
            raise ContentError(Reason.TRUNCATED, is_retryable=True)
        return FragmentOutcome(wish, body, None, exchange.answer.headers.get("Last-Modified", ""))

    async def _ask(self, requests: MediaRequests, asker: Asker, wish: FragmentWish) -> Exchange:
        asker.sends_range = wish.end is not None
        asked = asker.asked(wish.first or 0, wish.end, has_held=False)
        exchange = await requests.patiently(partial(asker.ask, asked))
        verdict = exchange.judgement.verdict
        if verdict in USABLE and (wish.end is None or verdict is Verdict.PARTIAL):
            return exchange
        exchange.close()
        raise ContentError(Reason.WRONG_RANGE, is_retryable=True)

    async def _body(self, requests: MediaRequests, exchange: Exchange, asker: Asker) -> bytes:
        if exchange.judgement.verdict is Verdict.EMPTY:
            return b""
        async with aclosing(requests.read(exchange, asker)) as chunks:
            return b"".join([chunk async for chunk in chunks])
