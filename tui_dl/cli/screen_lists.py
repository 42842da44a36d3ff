"""The lists that a person names on the screen: counted, and added to its queue as the command line would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from tui_dl.cli.feeding import Feed
from tui_dl.cli.list_orders import Lists
from tui_dl.core.errors import UsageError
from tui_dl.core.name_template import namer_for
from tui_dl.core.ports_lists import ListPreview
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.cli.order import Order
    from tui_dl.core.ports_lists import ListAdd
    from tui_dl.core.task import NewTask
    from tui_dl.engine.engine import AsyncDownloadEngine
    from tui_dl.journal.outcomes import AddOutcome


class ScreenLists:
    """Fulfils `core.ports_lists.ListPort` with the options that the screen was started with."""

    def __init__(self, order: Order, running: Callable[[], AsyncDownloadEngine | None]) -> None:
        """Take what says which engine runs: None until it is there."""
        self._order = order
        self._running = running

    async def preview(self, path: str, tell: Callable[[int], None]) -> ListPreview:
        """Read all of a list and say what is in it."""
        addresses = bad_lines = 0
        problem = ""
        async for block in Lists(files=(path,)).blocks():
            bad = [line for line in block.lines if isinstance(line, BadLine)]
            problem = problem or (bad[0].message if bad else "")
            addresses, bad_lines = addresses + len(block.lines) - len(bad), bad_lines + len(bad)
            tell(addresses)
        return ListPreview(addresses, bad_lines, problem)

    async def add(self, wish: ListAdd, tell: Callable[[int], None]) -> ListPreview:
        """Add a list to the queue."""
        engine = self._running()
        if engine is None:
            raise UsageError("still starting; try again in a moment")
        template = wish.name_template or self._order.effective.settings.name_template
        namer = namer_for(template, datetime.now().astimezone())
        lists = Lists(files=(wish.path,), batch=wish.batch)
        feed = Feed(replace(self._order, news=(), lists=lists, dir=wish.folder, namer=namer))
        counting = _Counting(engine, tell)
        await feed.add_to(counting)
        problem = feed.bad_lines[0].message if feed.bad_lines else ""
        return ListPreview(counting.added, feed.bad_count, problem)


class _Counting:
    """Adds to an engine and counts."""

    def __init__(self, engine: AsyncDownloadEngine, tell: Callable[[int], None]) -> None:
        self._engine = engine
        self._tell = tell
        self.added = 0

    async def add_checked(self, news: Sequence[NewTask], *, batch: str) -> list[AddOutcome]:
        """Add."""
        outcomes = await self._engine.add_checked(news, batch=batch)
        self.added += len(outcomes)
        self._tell(self.added)
        return outcomes
