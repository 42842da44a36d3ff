"""Many waits of the same length by one timer: one for each short answer took a tenth of what such an answer costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

Waiting = TypeVar("Waiting")

SLACK_S: Final = 0.002
"""Loops count in thousandths: what is due so soon is due now."""


class Patience(Generic[Waiting]):
    """Hears who begins to wait and who got what it waited for; tells of those who did not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lose: Callable[[Waiting], object]) -> None:
        """`lose(one)` is called once one has waited too long; it waits no more then."""
        self._loop = loop
        self._lose = lose
        self._due_at: dict[Waiting, float] = {}
        """Who waits until when, the first one first."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, one: Waiting, wait_s: float) -> None:
        """Note that one waits from now on, at most as long as all others do."""
        self._due_at[one] = self._loop.time() + wait_s
        if self._timer is None:
            self._timer = self._loop.call_later(wait_s, self._ring)

    def end(self, one: Waiting) -> None:
        """Note that one waits no more; nothing where it did not."""
        self._due_at.pop(one, None)

    def _ring(self) -> None:
        self._timer = None
        due_at = self._loop.time() + SLACK_S
        for one, at in tuple(self._due_at.items()):
            if at > due_at:
                self._timer = self._loop.call_later(at - due_at + SLACK_S, self._ring)
                return
            del self._due_at[one]
            # Each in a turn of its own: where one fails the others are told all the same.
            self._loop.call_soon(self._lose, one)
