"""What is not wanted: refused by its type and size before its body, else as soon as its size is known."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.acceptance import acceptance_of
from tui_dl.core.errors import TuiDlError, Unwanted
from tui_dl.core.resume import Verdict
from tui_dl.engine.outcome import End, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.acceptance import Acceptance
    from tui_dl.core.extents import Extent
    from tui_dl.core.ports import Chunk
    from tui_dl.disk.backlog import Backlog
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.connection import Sink
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

MOST_READ_OFF_BYTES: Final = 64 * 1024
"""A body up to this is read off, so that its connection carries the next request; a longer one costs less to close."""
READING_OFF_S: Final = 0.5
"""Most time for that; a new connection is there sooner."""
_FTP: Final = "ftp"
"""What the schemes without media types begin with."""


def wanted_of(context: EngineContext, live: LiveTask) -> Acceptance:
    """Return what is wanted of a task in hand."""
    return acceptance_of(context.settings, live.task.options)


def judge_head(context: EngineContext, live: LiveTask, exchange: Exchange, final_url: str) -> None:
    """Raise `Unwanted` where an answer's head says that its file is not wanted."""
    wanted = wanted_of(context, live)
    judgement, named = exchange.judgement, exchange.answer.headers.get("Content-Type", "")
    # Who gives the rest of a file need not name its type again (RFC 9110 §15.3.7).
    is_untold = not named and (judgement.start or final_url.startswith(_FTP))
    if not is_untold and judgement.verdict is not Verdict.EMPTY:  # what comes then is the text of an error
        wanted.judge_type(named)
    wanted.judge_length(judgement.total_bytes)


def judge_end(context: EngineContext, live: LiveTask) -> None:
    """Raise `Unwanted` where the length that is known by now is not wanted."""
    wanted_of(context, live).judge_length(live.total_bytes)


class _Bounded:
    """A sink that refuses what comes beyond the largest size."""

    def __init__(self, sink: Sink, wanted: Acceptance) -> None:
        self._sink, self._wanted = sink, wanted

    @property
    def backlog(self) -> Backlog:
        """That of the sink."""
        return self._sink.backlog

    async def write(self, buffers: Sequence[Chunk], offset: int) -> list[Extent]:
        """Write at an offset what is not beyond; raises `Unwanted`."""
        self._wanted.judge_so_far(offset + sum(map(len, buffers)))
        return await self._sink.write(buffers, offset)


def bounded(context: EngineContext, live: LiveTask, sink: Sink) -> Sink:
    """Return a sink for a body whose length nobody told; it raises `Unwanted` beyond the largest size wanted."""
    wanted = wanted_of(context, live)
    return _Bounded(sink, wanted) if wanted.max_bytes else sink


async def read_off(context: EngineContext, live: LiveTask, exchange: Exchange) -> None:
    """Read a short body that nobody wants to its end: its connection can then be used again."""
    judgement = exchange.judgement
    if judgement.end is None or judgement.end - judgement.start > MOST_READ_OFF_BYTES:
        return
    if context.limits.may_hold(live.task):
        return  # bytes are what is scarce
    with suppress(TuiDlError, TimeoutError):
        async with asyncio.timeout(READING_OFF_S):
            while await exchange.answer.read(MOST_READ_OFF_BYTES):
                pass


def ended_by(error: TuiDlError) -> Outcome:
    """Return the end of an attempt with this error: what is not wanted is left out, and no failure."""
    if isinstance(error, Unwanted):
        return Outcome(End.SKIPPED, text=error.message, reason=error.reason)
    return Outcome(End.FAILED, error)
