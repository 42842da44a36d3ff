"""Requests of one medium: its counters and limits, patience with its hosts, bodies read under the limits."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import host_of
from tui_dl.core.errors import NetworkError, Reason, TuiDlError
from tui_dl.core.task import DownloadTask, TaskOptions
from tui_dl.engine.asking import Asker
from tui_dl.engine.encoded_body import Decoder
from tui_dl.engine.live import LiveTask
from tui_dl.engine.media_transport import MediaTransport
from tui_dl.engine.throttle import Admission
from tui_dl.engine.wishes import checked_task

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from tui_dl.core.ports_media import CookieStore
    from tui_dl.engine.asking import Exchange
    from tui_dl.engine.context import EngineContext

HOST_POLL_S: Final = 0.1
"""How soon a host that bears no more at once is asked again where it named no time."""
_NAME: Final = "media.html"
"""Whatever a site calls its media, a page is not refused: what is asked for, its extractor decided."""
_ids = count(-1, -1)


class MediaRequests:
    """Asks for the parts of one medium; close it when the medium is done."""

    def __init__(
        self,
        context: EngineContext,
        url: str,
        headers: Mapping[str, str],
        cookies: CookieStore | None,
        limit_bps: int = 0,
    ) -> None:
        options = TaskOptions(headers=tuple(headers.items()), limit_rate_bps=limit_bps or None)
        new = checked_task(url, "/", "", options)
        self.context = context
        self.url = new.url
        """Address as it goes to the server."""
        self.live = LiveTask(
            DownloadTask(next(_ids), new.url, "/", _NAME, host=host_of(new.url), options=new.options),
            wall_clock=context.wall_clock,
            traffic=context.traffic,
        )
        self.live.transport = MediaTransport(context.transport, dict(new.options.headers), cookies)

    def close(self) -> None:
        """Give up its place at the limits."""
        self.context.limits.forget(self.live.task.id)

    def asker(self, url: str = "") -> Asker:
        """Return who asks for one address of it."""
        return Asker(self.context, self.live, checked_task(url, "/", "", TaskOptions()).url if url else "")

    async def patiently(self, ask: Callable[[], Awaitable[Exchange]]) -> Exchange:
        """Ask, and wait for the host as long as it wants; that is no attempt."""
        while True:
            try:
                return await ask()
            except TuiDlError as error:
                if error.reason not in (Reason.HOST_ASKED, Reason.HOST_BUSY):
                    raise
                await asyncio.sleep(error.retry_after_s or HOST_POLL_S)

    async def read(self, exchange: Exchange, asker: Asker) -> AsyncGenerator[bytes, None]:
        """Yield a body as it arrives, decoded if it came in a coding. Raises `TuiDlError`."""
        shares = self.context.throttles_of(self.live.task, host_of(asker.final_url or asker.url))
        timeout_s = self.context.settings.timeout
        decoder = Decoder(exchange.judgement.encodings) if exchange.judgement.encodings else None
        while True:
            try:
                async with Admission(shares) as admission:
                    async with asyncio.timeout(timeout_s):
                        chunk = await exchange.answer.read(admission.most_bytes)
                    admission.used_bytes = len(chunk)
            except TimeoutError:
                raise NetworkError(Reason.STALLED, is_retryable=True) from None
            if not chunk:
                break
            self.live.receive(len(chunk))
            if decoder is None:
                yield chunk
            else:
                for piece in decoder.feed(chunk):
                    yield piece
        if decoder is not None:
            decoder.finish()
