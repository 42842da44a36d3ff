"""Signals of a command in the foreground: the first ends it in order, the second at once, none too late."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_dl.cli.exits import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

PATIENCE_S: Final = {signal.SIGINT: 5.0}
"""How long the end in order may take; a second Ctrl+C is at hand there."""
DEFAULT_PATIENCE_S: Final = 1.8
"""The same for signals that come from a system which kills soon."""
_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
)


class Stopped(Exception):  # noqa: N818  # no error: a person or the system ended the work
    """A signal, or a reader that went away, ended the work; everything can be resumed."""


class Stopping:
    """Runs work that may be ended from outside; what is cancelled closes its own things."""

    def __init__(self, say: Callable[[str], None], before_leaving: Callable[[], None] | None = None) -> None:
        self._say = say
        self._before_leaving = before_leaving
        self._work: asyncio.Task[Any] | None = None
        self._is_asked = False

    @property
    def was_asked(self) -> bool:
        """Whether somebody ended the work; work that swallows its cancelling returns as if it had ended itself."""
        return self._is_asked

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns; raises `Stopped` once the stopped work has closed its things."""
        loop = asyncio.get_running_loop()
        # Whoever started us with a signal ignored (nohup, a shell's background job) means it.
        handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in handled:
            loop.add_signal_handler(number, self._on_signal, number, handled)
        task = asyncio.ensure_future(work)
        self._work = task
        try:
            return await task
        except asyncio.CancelledError:
            if self._is_asked:
                raise Stopped from None
            raise
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """End the work in order."""
        if not self._is_asked and self._work is not None:
            self._is_asked = True
            self._work.cancel()

    def _on_signal(self, number: signal.Signals, handled: list[signal.Signals]) -> None:
        self._say("Stopping; what has arrived is kept. Ctrl+C again ends at once.")
        timer = threading.Timer(PATIENCE_S.get(number, DEFAULT_PATIENCE_S), self._leave_now)
        timer.daemon = True
        timer.start()
        loop = asyncio.get_running_loop()
        for one in handled:
            # Not the loop's any more: the second signal must work even if the loop hangs.
            loop.remove_signal_handler(one)
            signal.signal(one, lambda _number, _frame: self._leave_now())
        handled.clear()
        self.stop()

    def _leave_now(self) -> None:
        """End the process whatever hangs: the journal is durable at every instant."""
        if self._before_leaving is not None:
            self._before_leaving()
        os._exit(INTERRUPTED)
