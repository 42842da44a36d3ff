"""Commands on the same tasks are carried out one after the other, in the order in which they were given."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tui_dl.core.commands import Command

ON_ALL: Final = frozenset({CommandName.TOGGLE_ALL, CommandName.RETRY_FAILED})
"""Commands that name no task and mean many."""
_MOST_IDS: Final = 1000
"""Tasks that are compared one by one; a command on more of them waits for its turn as one on all does."""


class Turns:
    """A retry that met the deletion of the same part file would find it in use, and its state written over."""

    def __init__(self) -> None:
        self._given: list[tuple[frozenset[int] | None, asyncio.Event]] = []

    @asynccontextmanager
    async def take(self, command: Command) -> AsyncGenerator[None, None]:
        """Wait until all that was given before on any of a command's tasks is done."""
        is_on_all = command.query is not None or command.name in ON_ALL or len(command.ids) > _MOST_IDS
        ids = None if is_on_all else frozenset(command.ids)
        earlier = [done for other, done in self._given if _meet(ids, other)]
        mine = (ids, asyncio.Event())
        self._given.append(mine)
        try:
            for done in earlier:
                await done.wait()
            yield
        finally:
            self._given.remove(mine)
            mine[1].set()


def _meet(one: frozenset[int] | None, other: frozenset[int] | None) -> bool:
    """Whether two sets of tasks have any in common; None stands for all, which only the empty one does not meet."""
    if one is None or other is None:
        return one != frozenset() and other != frozenset()
    return not one.isdisjoint(other)
