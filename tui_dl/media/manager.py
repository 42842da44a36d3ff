"""`AsyncDownloadManager`: the bridge from yt-dlp's threads to the engine's loop, and what all lanes share."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from tui_dl.core.errors import TuiDlError
from tui_dl.media.children import Children, watch_children
from tui_dl.media.counts import TransferCounts
from tui_dl.media.extraction import Extraction
from tui_dl.media.names import TakenNames
from tui_dl.media.screen import Screen
from tui_dl.media.sleeps import Sleeps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from tui_dl.core.ports_media import MediaSource
    from tui_dl.media.youtube_dl import EngineYoutubeDL

VIDEOS_AT_ONCE: Final = 3
"""Videos at once where nobody names a figure: sites that offer media take more for a robot's work."""
CONNECTIONS: Final = 8
"""Most connections for one video where nobody names a figure."""
CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often the engine's transfers are tried again, where our own options say so; else yt-dlp's options do."""

    most: float | None = None
    """Further attempts (`--async-max-retries`)."""
    delay_s: float | None = None
    """Seconds before the first of them, doubled each time (`--async-retry-delay`)."""


class AsyncDownloadManager:
    """Downloads media with yt-dlp, several videos at once, every transfer by an engine.

    `source` is an `AsyncDownloadEngine`, or what it gives to media. Used as `async with`, its
    `await manager.download(urls, params)` is `YoutubeDL(params).download(urls)` beside other work on the loop, and
    returns its code. With `youtube_dl()` your own code may use a `YoutubeDL` of this manager in a thread, one video
    after another.
    """

    def __init__(
        self,
        source: Any = None,
        *,
        concurrent_downloads: int = VIDEOS_AT_ONCE,
        connections: int = CONNECTIONS,
        chunk_bytes: int = CHUNK_BYTES,
        retry: RetryPlan | None = None,
        extracts_elsewhere: bool | None = None,
        on_params: Callable[[AsyncDownloadManager, Mapping[str, Any]], None] | None = None,
    ) -> None:
        """`on_params` is called with yt-dlp's parameters before anything is done; it may `attach()` a source.

        `extracts_elsewhere`: whether pages are read in processes of their own; None: while anything is transferred, and
        where others work on the loop, as beside `download()`.
        """
        self.concurrent_downloads = concurrent_downloads
        """Videos at once."""
        self.connections = connections
        """Most connections for one video, grown only while they help."""
        self.chunk_bytes = chunk_bytes
        """Most bytes gathered before a write."""
        self.retry = retry or RetryPlan()
        """How often transfers are tried again."""
        self.counts = TransferCounts()
        """Who made how many transfers."""
        self.extraction = Extraction()
        """Processes that extract."""
        self.names = TakenNames()
        """Names that videos in hand go for."""
        self.children = Children()
        """Programs that yt-dlp started."""
        self.screen = Screen()
        """What is written."""
        self.sleeps = Sleeps()
        """Pauses between downloads."""
        self.limit_bps = 0
        """Bytes per second of each transfer, 0 where the engine's own limit holds for all together."""
        self._extracts_elsewhere = extracts_elsewhere
        self._has_program_beside = False
        self.is_on = True
        """Whether transfers are the engine's; off, yt-dlp makes all of them."""
        self._source: MediaSource | None = None if source is None else getattr(source, "media", source)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._await_engine: Callable[[], None] = lambda: None
        self._on_params = on_params

    # -- the engine's side ---------------------------------------------------------------------------------------------

    def attach(self, source: Any, loop: asyncio.AbstractEventLoop) -> None:
        """Take an engine (or its source) that runs on a loop."""
        self._source, self._loop = getattr(source, "media", source), loop

    def attach_when(self, await_engine: Callable[[], None]) -> None:
        """Have the first who wants the engine wait for it: the function calls `attach()`, or raises."""
        self._await_engine = await_engine

    def reads_elsewhere(self, *, is_transferring: bool) -> bool:
        """Whether an extractor in a thread would be in the way of transfers, or of others on the loop."""
        if self._extracts_elsewhere is not None:
            return self._extracts_elsewhere
        has_others = self._source is not None and self._source.is_transferring
        return is_transferring or self._has_program_beside or has_others

    def why_not(self) -> str:
        """Return why there is no engine, empty where there is one; waits for it."""
        try:
            self._await_engine()
        except TuiDlError as error:
            return f"the engine cannot start: {error}"
        return ""

    @property
    def source(self) -> MediaSource:
        """What the engine gives to media."""
        self._await_engine()
        assert self._source is not None
        return self._source

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's loop."""
        self._await_engine()
        assert self._loop is not None
        return self._loop

    # -- yt-dlp's side -------------------------------------------------------------------------------------------------

    async def download(self, urls: str | Sequence[str], params: Mapping[str, Any] | None = None) -> int:
        """Download addresses as `YoutubeDL(params).download(urls)` does; raises what that raises.

        Cancelled, it ends what is at work and keeps what has arrived.
        """
        self._loop = asyncio.get_running_loop()
        self._has_program_beside = True
        given = dict(params or {})
        done: asyncio.Future[int] = self._loop.create_future()
        holder: list[Any] = []
        thread = threading.Thread(
            target=self._run, args=(urls, given, done, holder), name="tui-dl-planner", daemon=True
        )
        thread.start()
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            for planner in holder:
                await asyncio.to_thread(planner.stop)
            await asyncio.gather(done, return_exceptions=True)
            raise

    def _run(self, urls: Any, params: dict[str, Any], done: asyncio.Future[int], holder: list[Any]) -> None:
        """Work in the planner's thread."""
        answer: Callable[[], None]
        try:
            with self.planner(params) as planner:
                holder.append(planner)
                code = int(planner.download(urls))
            answer = partial(_resolve, done, code)
        except BaseException as error:  # noqa: BLE001  # whoever awaits it gets it
            answer = partial(_reject, done, error if isinstance(error, Exception) else RuntimeError(repr(error)))
        self.loop.call_soon_threadsafe(answer)

    def planner(self, params: dict[str, Any] | None = None, auto_init: Any = True) -> Any:
        """Return a `YoutubeDL` that gives its videos to lanes; use it as a context, in one thread."""
        from tui_dl.media.planning import PlanningYoutubeDL  # noqa: PLC0415  # they know each other

        return PlanningYoutubeDL(self, params, auto_init)

    def youtube_dl(self, params: dict[str, Any] | None = None, auto_init: Any = True) -> EngineYoutubeDL:
        """Return a `YoutubeDL` for your own code in a thread: as stock, but for who makes the transfers."""
        from tui_dl.media.youtube_dl import EngineYoutubeDL  # noqa: PLC0415  # they know each other

        return EngineYoutubeDL(self, self.begin(dict(params or {})), auto_init)

    def begin(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take over what concerns all lanes; return the parameters as yt-dlp is to see them."""
        watch_children()
        if self._on_params is not None:
            self._on_params(self, params)
        else:
            self.limit_bps = int(params.get("ratelimit") or 0)
        return self.sleeps.take_over(params)

    @staticmethod
    def is_one_by_one(params: Mapping[str, Any]) -> bool:
        """Whether a video may be several files, each with a number: the next one begins after the last of them."""
        sections = params.get("download_ranges")
        # The command line always gives one; it is empty where no section was asked for.
        has_sections = sections is not None and bool(
            getattr(sections, "chapters", True) or getattr(sections, "ranges", True)
        )
        return "," in str(params.get("format") or "") or has_sections

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """End processes and programs; never on the loop."""
        self.extraction.close()
        self.children.kill_all()
        self.children.close()


def _resolve(done: asyncio.Future[int], code: int) -> None:
    if not done.done():
        done.set_result(code)


def _reject(done: asyncio.Future[int], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
