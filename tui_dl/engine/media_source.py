"""What an engine gives to media: files in order and windows of fragments, under its limits and its politeness."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from tui_dl.engine.media_body import MediaBody
from tui_dl.engine.media_requests import MediaRequests
from tui_dl.engine.media_window import FragmentWindow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable

    from tui_dl.core.ports_media import BodyWish, FragmentOutcome, FragmentWish, OrderedBody, WindowManner
    from tui_dl.engine.engine import AsyncDownloadEngine


class EngineMediaSource:
    """See `core.ports_media.MediaSource`; lives as long as its engine."""

    def __init__(self, engine: AsyncDownloadEngine) -> None:
        self._engine = engine

    @property
    def is_transferring(self) -> bool:
        """Whether anything is being transferred now, media or not; may be asked in any thread."""
        return any(budget.open_connections for budget in list(self._engine.context.budgets.values()))

    @asynccontextmanager
    async def body(self, wish: BodyWish) -> AsyncIterator[OrderedBody]:
        """Open one file in order; raises `TuiDlError` if it cannot be had."""
        requests = MediaRequests(self._engine.context, wish.url, wish.headers, wish.cookies, wish.limit_bps)
        body = MediaBody(requests, wish)
        try:
            await body.open()
            yield body
        finally:
            await body.aclose()
            requests.close()

    async def fragments(
        self, wishes: Iterable[FragmentWish], manner: WindowManner
    ) -> AsyncGenerator[FragmentOutcome, None]:
        """Yield the outcome of each fragment in order, several fetched at once."""
        async with aclosing(FragmentWindow(self._engine.context, wishes, manner).outcomes()) as outcomes:
            async for outcome in outcomes:
                yield outcome
