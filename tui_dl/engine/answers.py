"""What an engine answers about its queue without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui_dl.core.errors import UsageError
from tui_dl.engine.media_rows import formats_of_row, may_be_media

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from tui_dl.core.media import MediaFormats
    from tui_dl.core.ports import BatchView, EngineSnapshot, FailureGroup, TaskDetails
    from tui_dl.core.query import TaskQuery
    from tui_dl.core.task import DownloadProgress, DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.observing import Observer
    from tui_dl.engine.orders import Orders
    from tui_dl.engine.playlists import Playlists


class Answers:
    """The part of an engine that is asked."""

    context: EngineContext
    playlists: Playlists
    """Heads of playlists, and what is meant of them."""
    _observer: Observer
    _orders: Orders

    def statistics(self) -> dict[str, Any]:
        """Return totals since the start: counts of ends, bytes, rates, failures by reason code."""
        return self._observer.statistics()

    def snapshot(self) -> EngineSnapshot:
        """Return the present state."""
        return self._observer.snapshot(self._orders.works.views)

    def progress(self, task_id: int) -> DownloadProgress | None:
        """Return how one task stands that runs or waits for its turn again; None for any other. Cheap."""
        return self._observer.progress(task_id)

    async def view(self, query: TaskQuery, *, limit: int = -1) -> array[int]:
        """Return the ids of matching rows in order, at most `limit` (-1: all)."""
        return await self.context.journal.ids(query, limit=limit)

    async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return rows as they are now, tasks in hand included."""
        return [self._observer.present(task) for task in await self.context.journal.rows(ids)]

    async def ids_named(self, prefix: str) -> list[int]:
        """Return at most two tasks whose gid begins with these hexadecimal digits."""
        return await self.context.journal.ids_named(prefix)

    async def failure_groups(self, query: TaskQuery) -> list[FailureGroup]:
        """Return the failed rows that match, by reason and host, the largest group first."""
        return await self.context.journal.failure_groups(query)

    async def details(self, task_id: int) -> TaskDetails | None:
        """Return the particulars of one task."""
        return await self._observer.details(task_id)

    async def batches(self) -> list[BatchView]:
        """Return all batches that have rows, the newest first."""
        return await self.context.journal.batches()

    async def batch_names(self) -> list[str]:
        """Return the names of the last batches, the newest first."""
        return await self.context.journal.batch_names()

    async def batch(self, batch_id: int) -> BatchView | None:
        """Return one batch, None if its rows are gone."""
        return await self.context.journal.batch(batch_id)

    async def media_formats(self, task_id: int) -> MediaFormats:
        """Return the forms that a video can be had in; raises `TuiDlError` where the row is no media."""
        rows = await self.rows([task_id])
        if not rows:
            raise UsageError("this row is gone")
        if not may_be_media(rows[0]):
            raise UsageError("a plain file has one form only")
        return await formats_of_row(self.context, rows[0])
