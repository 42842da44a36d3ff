"""Calls that may block for ever, made in threads that do not keep the process from ending."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

from tui_dl.core.carrying import carried

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_daemon(function: Callable[[], T]) -> T:
    """Return what a blocking call returns, or raise what it raises; whoever waits can be cancelled at once."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(outcome: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(cast("T", outcome))
        else:
            future.set_exception(error)

    def run() -> None:
        outcome, error = carried(function)
        with suppress(RuntimeError):  # the loop has ended meanwhile, nobody waits
            loop.call_soon_threadsafe(settle, outcome, error)

    threading.Thread(target=run, name="read a list", daemon=True).start()
    return await future
