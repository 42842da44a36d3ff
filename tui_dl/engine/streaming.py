"""One file as a stream of bytes in order, of one version, across cuts (`get -o -`)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import host_of
from tui_dl.core.errors import ContentError, NetworkError, Reason, TuiDlError
from tui_dl.core.resume import Verdict
from tui_dl.core.task import DownloadTask
from tui_dl.engine.asking import Asker
from tui_dl.engine.encoded_body import Decoder
from tui_dl.engine.live import LiveTask
from tui_dl.engine.overtime import StreamTime
from tui_dl.engine.refusing import judge_head, wanted_of
from tui_dl.engine.retrying import next_step
from tui_dl.engine.throttle import Admission
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tui_dl.core.task import TaskOptions
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext

MAX_ASKS: Final = 4


async def stream(
    context: EngineContext,
    url: str,
    options: TaskOptions,
    on_answer: Callable[[Exchange, LiveTask], None] | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield the file's bytes. After a cut it goes on only where the same version is proven; else it raises.

    `on_answer` is told of each answer before its bytes. Raises `TuiDlError`: `CHANGED` where the version changed or
    cannot be proven, once bytes were given out.
    """
    new = checked_task(url, "/", "", options)
    live = LiveTask(
        DownloadTask(0, new.url, "/", "stream", host=host_of(new.url), options=new.options),
        wall_clock=context.wall_clock,
    )
    reader = _Reader(context, live, on_answer)
    while not reader.is_done:
        before = live.received_bytes
        try:
            async with aclosing(reader.read()) as chunks:
                async for chunk in chunks:
                    yield chunk
        except TuiDlError as error:
            step = next_step(
                live.task,
                error,
                context.settings,
                has_progressed=live.received_bytes > before,
                random=context.random(),
                since_answer_s=context.clock() - context.last_answer_at,
            )
            if step.delay_s is None:
                raise
            live.change(retry_count=step.retry_count)
            await asyncio.sleep(step.delay_s)


class _Reader:
    """Reads attempt by attempt; the position is what was given out."""

    def __init__(
        self, context: EngineContext, live: LiveTask, on_answer: Callable[[Exchange, LiveTask], None] | None
    ) -> None:
        self._context = context
        self._live = live
        self._on_answer = on_answer
        self._asker = Asker(context, live)
        self._shares = context.throttles_of(live.task)
        self._time = StreamTime(context.settings.max_time, context.clock)
        self._was_coded = False
        self._given_bytes = 0
        self.is_done = False

    async def read(self) -> AsyncGenerator[bytes, None]:
        """Yield what one attempt brings."""
        exchange = await self._open()
        # Redirects may have led to another host, whose limit it is then.
        self._shares = self._context.throttles_of(self._live.task, host_of(self._asker.final_url))
        try:
            if self._on_answer is not None:
                self._on_answer(exchange, self._live)
            if not self._live.received_bytes:
                judge_head(self._context, self._live, exchange, self._asker.final_url)
            if exchange.judgement.verdict is Verdict.EMPTY:  # its body is that of an error
                self.is_done = True
                return
            wanted = wanted_of(self._context, self._live)
            async with aclosing(self._decoded(exchange)) as pieces:
                async for piece in pieces:
                    self._given_bytes += len(piece)
                    wanted.judge_so_far(self._given_bytes)
                    yield piece
            wanted.judge_length(self._given_bytes)
            self.is_done = True
        finally:
            exchange.close()

    async def _decoded(self, exchange: Exchange) -> AsyncGenerator[bytes, None]:
        decoder = Decoder(exchange.judgement.encodings) if exchange.judgement.encodings else None
        self._was_coded = decoder is not None
        async with aclosing(self._body(exchange)) as chunks:
            async for chunk in chunks:
                if decoder is None:
                    yield chunk
                    continue
                for piece in decoder.feed(chunk):
                    yield piece
        if decoder is not None:
            decoder.finish()

    async def _body(self, exchange: Exchange) -> AsyncGenerator[bytes, None]:
        position = exchange.judgement.start
        while chunk := await self._timed_chunk(exchange):
            position += len(chunk)
            fresh = chunk[-(position - self._live.received_bytes) :] if position > self._live.received_bytes else b""
            if fresh:
                self._live.receive(len(fresh))
                yield fresh
        # A 206 may be shorter than asked: its rest is another request.
        total = None if exchange.judgement.encodings else exchange.judgement.total_bytes
        end = total if total is not None else exchange.answer_end
        if end is not None and position < end:
            raise ContentError(Reason.TRUNCATED, is_retryable=True)

    async def _timed_chunk(self, exchange: Exchange) -> bytes:
        async with self._time.counted():
            return await self._chunk(exchange)

    async def _chunk(self, exchange: Exchange) -> bytes:
        try:
            async with Admission(self._shares) as admission:
                async with asyncio.timeout(self._context.settings.timeout):
                    chunk = await exchange.answer.read(admission.most_bytes)
                admission.used_bytes = len(chunk)
                return chunk
        except TimeoutError:
            raise NetworkError(Reason.STALLED, is_retryable=True) from None

    async def _open(self) -> Exchange:
        has_held = self._live.received_bytes > 0
        if has_held and self._asker.validator.if_range_value() is None:
            raise _changed("nothing proves that the rest is of the same version")
        if has_held and self._was_coded:
            raise _changed("what was read came in a coding, and nobody gives the rest of that")
        for _ in range(MAX_ASKS):
            asked = self._asker.asked(self._live.received_bytes, None, has_held=has_held)
            async with self._time.counted():
                exchange = await self._asker.ask(asked)
            verdict = exchange.judgement.verdict
            if verdict in (Verdict.PARTIAL, Verdict.WHOLE, Verdict.WHOLE_SAME, Verdict.EMPTY):
                self._asker.total_bytes = exchange.judgement.total_bytes
                if not has_held:
                    self._asker.validator = exchange.judgement.validator
                return exchange
            exchange.close()
            if verdict is Verdict.NEXT_RUNG:
                self._asker.sends_if_range = False
            elif verdict is Verdict.NO_RANGES:
                self._asker.sends_range = False
            else:
                break
        raise _changed("the file changed on the server while it was being read")


def _changed(text: str) -> ContentError:
    return ContentError(Reason.CHANGED, text)
