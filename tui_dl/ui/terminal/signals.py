"""Signals delivered to the event loop, and put back as they were."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping


@contextlib.contextmanager
def installed(
    loop: asyncio.AbstractEventLoop, callbacks: Mapping[signal.Signals, Callable[[], object]]
) -> Iterator[None]:
    """Call each callback on `loop` when its signal comes; on leaving, the handlers found are in force again.

    Works in the main thread alone, as signals do in Python: elsewhere asyncio raises RuntimeError. A handler that
    was not set from Python (it reads as None) is replaced by the default one on leaving.
    """
    before: dict[signal.Signals, signal.Handlers] = {}
    try:
        for number, callback in callbacks.items():
            handler = signal.getsignal(number)
            loop.add_signal_handler(number, callback)
            before[number] = handler if handler is not None else signal.SIG_DFL  # type: ignore[assignment]
        yield
    finally:
        for number, handler in before.items():
            if not loop.is_closed():
                loop.remove_signal_handler(number)
            signal.signal(number, handler)
