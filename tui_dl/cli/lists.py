"""Lists of addresses, streamed from a file or a pipe: as much as is there, never all at once."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import LineCutter, parse_bytes_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tui_dl.core.url_list import BadLine, Line

T = TypeVar("T")

READ_BYTES: Final = 64 * 1024
"""Read at once: about a thousand addresses, so that a slow pipe is taken line by line and a file in blocks."""
STANDARD: Final = "-"


async def read_lines(source: str, *, stdin_fd: int = 0) -> AsyncIterator[list[Line | BadLine]]:
    """Yield what the lines of a file say, or of standard input for `-`, in blocks as they arrive.

    Raises `UsageError` if it cannot be read.
    """
    is_standard = source == STANDARD
    name = "standard input" if is_standard else source
    try:
        # A path is opened in a thread: it may lie on a disk that hangs, and a named pipe waits for its writer.
        opening = partial(os.open, source, os.O_RDONLY | os.O_CLOEXEC)
        descriptor = stdin_fd if is_standard else await in_daemon(opening)
    except OSError as error:
        raise _unreadable(name, error) from None
    cutter, start = LineCutter(), 1
    try:
        while True:
            chunk = await in_daemon(partial(os.read, descriptor, READ_BYTES))
            lines = cutter.feed(chunk) if chunk else cutter.finish()
            yield list(parse_bytes_lines(lines, name=name, start=start))
            start += len(lines)
            if not chunk:
                return
    except OSError as error:
        raise _unreadable(name, error) from None
    finally:
        if not is_standard:
            os.close(descriptor)


def _unreadable(name: str, error: OSError) -> UsageError:
    return UsageError(f"--input {display_text(name)}: cannot be read: {error.strerror}")


async def in_daemon(function: Callable[[], T]) -> T:
    """Return what a blocking call returns, made in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(outcome: T | None, error: OSError | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(cast("T", outcome))
        else:
            future.set_exception(error)

    def run() -> None:
        outcome, error = None, None
        try:
            outcome = function()
        except OSError as raised:
            error = raised
        with suppress(RuntimeError):  # the loop has ended meanwhile, nobody waits
            loop.call_soon_threadsafe(settle, outcome, error)

    threading.Thread(target=run, name="read a list", daemon=True).start()
    return await future
