"""Lists of addresses, streamed from a file or a pipe: as much as is there, never all at once."""

from __future__ import annotations

import asyncio
import codecs
import os
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

T = TypeVar("T")

READ_BYTES: Final = 64 * 1024
"""Read at once: about a thousand addresses, so that a slow pipe is taken line by line and a file in blocks."""
STANDARD: Final = "-"


async def read_lines(source: str, *, stdin_fd: int = 0) -> AsyncIterator[list[str]]:
    """Yield the lines of a file, or of standard input for `-`, in blocks as they arrive.

    Bytes that are not UTF-8 become lone surrogates, which no address may hold. Raises `UsageError` if it cannot be
    read.
    """
    is_standard = source == STANDARD
    try:
        # A path is opened in a thread: it may lie on a disk that hangs, and a named pipe waits for its writer.
        descriptor = stdin_fd if is_standard else await in_daemon(partial(os.open, source, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise UsageError(f"--input {display_text(source)}: cannot be read: {error.strerror}") from None
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    rest = ""
    try:
        while chunk := await in_daemon(partial(os.read, descriptor, READ_BYTES)):
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            if lines:
                yield lines
        rest += decoder.decode(b"", final=True)
        if rest:
            yield [rest]
    except OSError as error:
        raise UsageError(f"--input {display_text(source)}: cannot be read: {error.strerror}") from None
    finally:
        if not is_standard:
            os.close(descriptor)


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
