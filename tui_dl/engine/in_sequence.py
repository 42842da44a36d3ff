"""Adds that are parts of one list, on the way side by side: understood at once, added in the order of the list."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

PATIENCE_S: Final = 60.0
"""How long a part waits for the one before it, which somebody may have ceased to send."""
MOST_LISTS: Final = 64
"""Lists whose parts are counted, the latest ones."""


@dataclass(slots=True)
class _List:
    """How far a list is."""

    next: int = 0
    """Number of the part whose turn it is."""
    has_failed: bool = False
    """Whether one could not be added, so that none that follows may be."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set and replaced whenever one of these changes."""

    def move(self, number: int) -> None:
        """Let the next one have its turn."""
        self.next = max(self.next, number)
        self.changed.set()
        self.changed = asyncio.Event()


class InSequence:
    """Whoever sends a list sends `{"list": a word of its own, "number": 0, 1, 2 ...}` with each part."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._lists: OrderedDict[str, _List] = OrderedDict()

    @asynccontextmanager
    async def part(self, said: Any) -> AsyncGenerator[Callable[[], Coroutine[Any, Any, None]]]:
        """Yield what waits for this part's turn; None is a part of nothing, whose turn it is.

        Raises `UsageError` where the number is none, or an earlier part failed or does not come.
        """
        if said is None:
            yield _go_on
            return
        one, number = self._list_of(said)
        try:
            yield lambda: self._wait(one, number)
        except BaseException:
            one.has_failed = True
            raise
        finally:
            one.move(number + 1)

    def _list_of(self, said: Any) -> tuple[_List, int]:
        word, number = (said.get("list"), said.get("number")) if isinstance(said, dict) else (None, None)
        if not isinstance(word, str) or len(word) > 64 or type(number) is not int or number < 0:
            raise UsageError("part: expected the word of a list and a number")
        one = self._lists.setdefault(word, _List())
        self._lists.move_to_end(word)
        if len(self._lists) > MOST_LISTS:
            self._lists.popitem(last=False)
        return one, number

    async def _wait(self, one: _List, number: int) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                while one.next < number and not one.has_failed:
                    await one.changed.wait()
        except TimeoutError:
            raise UsageError(f"part {number} of a list waits in vain for the one before it") from None
        if one.has_failed:
            raise UsageError("an earlier part of this list could not be added")


async def _go_on() -> None:
    """Wait for nothing."""
