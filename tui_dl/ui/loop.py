"""The event loop that engine and screen share."""

from __future__ import annotations

import asyncio
from typing import Any


class _PlainLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, on which tasks always start at the next turn.

    Textual's `run_async` sets an eager task factory from Python 3.12 on, which changes the order of the engine's
    steps and crashes with uvloop on 3.13.
    """

    def set_task_factory(self, factory: Any) -> None:
        """Keep the factory that is."""


def new_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's loop where it is installed, else asyncio's; for `asyncio.Runner(loop_factory=new_loop)`."""
    try:
        import uvloop  # noqa: PLC0415 - takes 49 ms, and is not there on every system
    except ImportError:
        return _PlainLoop()

    class _PlainUvloop(uvloop.Loop):
        """uvloop's loop with the same rule."""

        def set_task_factory(self, factory: Any) -> None:
            """Keep the factory that is."""

    return _PlainUvloop()
