"""An event loop whose time passes only while nothing is to be done: ten seconds take a few milliseconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class VirtualLoop(asyncio.SelectorEventLoop):
    """`late_s`: every wait takes this much longer than asked, as on a busy machine."""

    def __init__(self, late_s: float = 0.0) -> None:
        super().__init__()
        self._now = 1000.0
        selector: Any = self._selector  # type: ignore[attr-defined]  # the loop's own
        really_select = selector.select

        def select(timeout: float | None) -> Any:
            assert timeout is not None, "everything waits for ever"
            if timeout > 0:
                self._now += timeout + late_s
            return really_select(0)

        selector.select = select

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now


async def let_pass(seconds: float) -> None:
    """Let so much virtual time go by while others work; on a `VirtualLoop` it takes next to no real time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    passed = loop.create_future()
    loop.call_later(seconds, passed.set_result, None)
    await passed


def run_virtually(work: Coroutine[Any, Any, None], late_s: float = 0.0) -> None:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(late_s)) as runner:
        runner.run(work)
