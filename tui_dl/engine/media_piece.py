"""One further range of a file that is wanted in order: fetched beside others, given out when its turn comes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from tui_dl.core.errors import ContentError, Reason, TuiDlError
from tui_dl.core.resume import Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui_dl.engine.asking import Asker, Exchange
    from tui_dl.engine.media_requests import MediaRequests


class Piece:
    """Begins at once; its bytes wait until they are asked for."""

    def __init__(
        self, requests: MediaRequests, asker: Asker, start: int, end: int, *, is_second_try: bool = False
    ) -> None:
        self._requests, self._asker = requests, asker
        self._start = start
        self.end = end
        """One past its last byte."""
        self.position = start
        """First byte that was not given out yet."""
        self.is_second_try = is_second_try
        """Whether it takes up what another left."""
        self._chunks: list[bytes] = []
        self._news = asyncio.Event()
        self._task = asyncio.ensure_future(self._fetch())
        self._task.add_done_callback(lambda _task: self._news.set())

    @property
    def is_at_work(self) -> bool:
        """Whether it still fetches."""
        return not self._task.done()

    async def aclose(self) -> None:
        """End it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield its bytes as they come. Raises `TuiDlError`."""
        while True:
            taken, self._chunks = self._chunks, []
            for chunk in taken:
                self.position += len(chunk)
                yield chunk
            if self._chunks:
                continue
            if self._task.done():
                self._task.result()
                return
            self._news.clear()
            await self._news.wait()

    async def _fetch(self) -> None:
        exchange = await self._open()
        position = self._start
        try:
            async with aclosing(self._requests.read(exchange, self._asker)) as body:
                async for whole in body:
                    chunk = whole[: self.end - position]
                    position += len(chunk)
                    self._chunks.append(chunk)
                    self._news.set()
        finally:
            exchange.close()
        if position < self.end:
            raise ContentError(Reason.TRUNCATED, is_retryable=True)

    async def _open(self) -> Exchange:
        """Ask for the range; at most once more without the condition. Raises `TuiDlError`."""
        asker = self._asker
        for _ in range(2):
            exchange = await self._requests.patiently(lambda: asker.ask_extra(self._start, self.end))
            verdict = exchange.judgement.verdict
            if verdict is Verdict.PARTIAL:
                return exchange
            exchange.close()
            if verdict is Verdict.CHANGED:
                raise ContentError(Reason.CHANGED)
            if verdict is not Verdict.NEXT_RUNG:
                break
            asker.sends_if_range = False
        raise TuiDlError(Reason.RANGE_REFUSED, is_retryable=True)
