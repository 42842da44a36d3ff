"""Whether an attempt leaves its target alone: decided when it was added, asked again where its name is another one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui_dl.core.errors import Reason
from tui_dl.core.task import OnExists
from tui_dl.engine.adopting import wants_adoption
from tui_dl.engine.outcome import End, Outcome
from tui_dl.journal.leaving import ARCHIVED_TEXT, LEFT_TEXT

if TYPE_CHECKING:
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask


class SkipCheck:
    """Of one attempt; asked before the first request and once an answer fixed the name."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context = context
        self._live = live
        # Written out by whoever added it, after a look at its target.
        self._checked_name = live.task.filename if live.task.options.on_exists is OnExists.SKIP else ""

    async def end(self) -> Outcome | None:
        """Return how the attempt ends where it is not to go on."""
        context = self._context
        if context.settings.archive and await context.archive.has(self._live.task):
            return Outcome(End.SKIPPED, text=ARCHIVED_TEXT, reason=Reason.ARCHIVED)
        return Outcome(End.SKIPPED, text=LEFT_TEXT) if await self._is_there() else None

    async def _is_there(self) -> bool:
        """Whether the target was there before the batch began, and is to stay."""
        task = self._live.task
        if self._context.policy_of(task) is not OnExists.SKIP or wants_adoption(task):
            return False  # what is there is replaced, stands beside it, or is what it wants
        if task.path and task.path == os.path.join(task.dir, task.filename):  # noqa: PTH118  # text in, text out
            # It was skipped for what stood there, and a person asks again.
            return await self._context.pool.scout(os.path.lexists, task.path, what=f"look at {task.path}")
        if task.filename == self._checked_name:
            return False
        self._checked_name = task.filename
        return await self._context.existing.was_there_before(task)
