"""Small documents that the engine itself needs (lists of digests, Metalinks), read whole and never beyond a bound."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.task import TaskOptions
from tui_dl.engine.streaming import stream

if TYPE_CHECKING:
    from tui_dl.engine.context import EngineContext


async def read_whole(context: EngineContext, url: str, options: TaskOptions, most_bytes: int) -> bytes:
    """Return the content of an address of the same origin as a task with these options, whose headers go with it.

    Asked for as any file is: under the host's budget, the limits, with retries. Raises `TuiDlError`; TOO_LARGE beyond
    `most_bytes`, of which nothing is kept.
    """
    own = TaskOptions(
        headers=options.headers,
        max_retries=options.max_retries,
        is_named_elsewhere=options.is_named_elsewhere,
        # It is read and not kept: what files are wanted says nothing of it.
        accept="",
        min_bytes=0,
        max_bytes=0,
    )
    pieces: list[bytes] = []
    count_bytes = 0
    async with aclosing(stream(context, url, own)) as chunks:
        async for chunk in chunks:
            count_bytes += len(chunk)
            if count_bytes > most_bytes:
                raise ContentError(Reason.TOO_LARGE, f"longer than the {most_bytes} bytes that are read of such a file")
            pieces.append(chunk)
    return b"".join(pieces)
