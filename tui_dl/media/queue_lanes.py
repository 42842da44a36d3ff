"""Lanes of the queue: threads with a long-lived `YoutubeDL` each, that download one row at a time."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import DownloadError, ReExtractInfo, YoutubeDLError

from tui_dl.core.errors import ContentError, Reason, TuiDlError
from tui_dl.core.media_rules import error_of_words, plain_words
from tui_dl.media.archive import SharedArchive
from tui_dl.media.job import Cancelled
from tui_dl.media.options import params_of
from tui_dl.media.portable import cookie_from
from tui_dl.media.queue_youtube_dl import QueueYoutubeDL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.core.ports_media import MediaWish
    from tui_dl.media.lane_job import LaneJob
    from tui_dl.media.manager import AsyncDownloadManager

LEAVE_S: Final = 0.2
"""How long a lane may take to notice that its row is not wanted; then it is left to end by itself."""
CONFIG_S: Final = 20.0
"""How long a configuration that was read is taken for what it is."""


@dataclass(frozen=True, slots=True)
class LaneWish:
    """What a row wants of yt-dlp; rows that want the same share a `YoutubeDL`."""

    arguments: tuple[str, ...]
    """Options, those of its choice last."""
    has_config: bool
    """Whether the person's own configuration holds."""
    dir: str
    """Absolute folder."""
    has_own_dir: bool
    """Whether that goes before `-P`."""
    is_overwriting: bool
    """Whether a file that is there is replaced."""

    @classmethod
    def of(cls, wish: MediaWish) -> LaneWish:
        """Return what a wish wants."""
        choice = wish.choice
        chosen: list[str] = []
        for option, value in (("-f", choice.format), ("-S", choice.sort)):
            chosen += [option, value] if value else []
        if wish.name:
            chosen += ["-o", wish.name.replace("%", "%%")]
        if choice.audio:
            chosen += ["-x", "--audio-format", choice.audio]
        if choice.subtitles:
            chosen += ["--write-subs", "--write-auto-subs", "--sub-langs", ",".join(choice.subtitles)]
        return cls((*wish.options, *chosen), wish.has_config, wish.dir, wish.has_own_dir, wish.is_overwriting)


class Shared:
    """What lanes share: parsed options, archives, cookie jars."""

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self.defaults = defaults
        """Parameters of this program, for what yt-dlp's options do not speak of."""
        self._lock = threading.Lock()
        self._params: dict[LaneWish, tuple[float, dict[str, Any]]] = {}
        self._archives: dict[str | None, SharedArchive] = {}
        self._jars: dict[tuple[tuple[str, ...], bool], Any] = {}

    def params(self, wish: LaneWish) -> dict[str, Any]:
        """Return yt-dlp's parameters of a wish. Raises `UsageError`."""
        now = time.monotonic()
        with self._lock:
            at, held = self._params.get(wish, (float("-inf"), {}))
        if now - at < CONFIG_S:
            return held
        params = params_of(wish.arguments, has_config=wish.has_config, defaults=self.defaults)
        paths = dict(params.get("paths") or {})
        if wish.has_own_dir or not paths.get("home"):
            paths["home"] = wish.dir
        params["paths"] = paths
        if wish.is_overwriting:
            params["overwrites"] = True
        with self._lock:
            self._params[wish] = (now, params)
        return params

    def archive(self, path: str | None) -> SharedArchive:
        """Return the archive of a file, None for none."""
        with self._lock:
            if path not in self._archives:
                self._archives[path] = SharedArchive(path)
            return self._archives[path]

    def jar(self, wish: LaneWish) -> Any:
        """Return the cookie jar of the same options, None where the first is still to be made."""
        return self._jars.get((wish.arguments, wish.has_config))

    def keep_jar(self, wish: LaneWish, jar: Any) -> None:
        """Keep the first jar of these options for all."""
        self._jars.setdefault((wish.arguments, wish.has_config), jar)


class QueueLanes:
    """All lanes; used on the loop."""

    def __init__(self, manager: AsyncDownloadManager, defaults: Mapping[str, Any]) -> None:
        self._manager = manager
        self._shared = Shared(defaults)
        self._lanes: list[_Lane] = []

    async def run(self, job: LaneJob, wish: LaneWish, cookies: Sequence[list[Any]]) -> None:
        """Have a lane download a row. Raises `TuiDlError`; cancelled, it returns once the row is left alone."""
        lane = next((one for one in self._lanes if one.is_free), None)
        if lane is None:
            lane = _Lane(self._manager, self._shared, asyncio.get_running_loop())
            self._lanes.append(lane)
        done = lane.begin(job, wish, cookies)
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            job.cancel()
            self._manager.children.kill(job)
            await asyncio.wait([done], timeout=LEAVE_S)
            if not done.done():
                # What yt-dlp does just now cannot be ended; nobody waits for it.
                self._lanes.remove(lane)
                lane.end()
            raise

    async def aclose(self) -> None:
        """End the threads after what they do."""
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            lane.end()
        for lane in lanes:
            await asyncio.to_thread(lane.thread.join, LEAVE_S)


class _Lane:
    """One thread."""

    def __init__(self, manager: AsyncDownloadManager, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        self._manager, self._shared, self._loop = manager, shared, loop
        self._work: queue.SimpleQueue[tuple[LaneJob, LaneWish, Sequence[list[Any]], asyncio.Future[None]] | None]
        self._work = queue.SimpleQueue()
        self.is_free = True
        """Whether it could begin a row now."""
        self._wish: LaneWish | None = None
        self._params: dict[str, Any] = {}
        self._ydl: QueueYoutubeDL | None = None
        self.thread = threading.Thread(target=self._run, name="tui-dl-queue-lane", daemon=True)
        """Where it works; ends with the process at the latest."""
        self.thread.start()

    def begin(self, job: LaneJob, wish: LaneWish, cookies: Sequence[list[Any]]) -> asyncio.Future[None]:
        """Download a row; the future tells its end."""
        self.is_free = False
        done: asyncio.Future[None] = self._loop.create_future()
        # Whoever was cancelled does not ask any more what became of it.
        done.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._work.put((job, wish, cookies, done))
        return done

    def end(self) -> None:
        """End the thread after what it does now."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            job, wish, cookies, done = work
            error: TuiDlError | None = None
            try:
                ydl = self._youtube_dl(wish, job)
                for values in cookies:
                    ydl.cookiejar.set_cookie(cookie_from(values))
                job.outcome = ydl.work_on(job)
            except BaseException as raised:  # noqa: BLE001  # whatever it is, the row says it
                error = _error_of(raised, job)
            self._manager.names.release(job)
            if self._ydl is not None and isinstance(self._ydl.archive, SharedArchive):
                self._ydl.archive.end(job)
            job.done.set()
            job.decided.set()
            with suppress(RuntimeError):  # the loop is gone
                self._loop.call_soon_threadsafe(self._finish, done, error)
        if self._ydl is not None:
            self._ydl.close()

    def _finish(self, done: asyncio.Future[None], error: TuiDlError | None) -> None:
        self.is_free = True
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def _youtube_dl(self, wish: LaneWish, job: LaneJob) -> QueueYoutubeDL:
        params = self._shared.params(wish)
        if self._ydl is None or self._wish != wish or self._params is not params:
            if self._ydl is not None:
                self._ydl.close()
            archive = self._shared.archive(params.get("download_archive"))
            given = self._manager.begin(dict(params))
            # That is of each row by itself here.
            self._manager.limit_bps = 0
            jar, ways = self._shared.jar(wish), self._shared.defaults
            self._ydl = QueueYoutubeDL(self._manager, given, archive, jar, ways, job)
            self._shared.keep_jar(wish, self._ydl.cookiejar)
            self._wish, self._params = wish, params
        return self._ydl


def _error_of(raised: BaseException, job: LaneJob) -> TuiDlError:
    """Return our error for what ended a row."""
    if isinstance(raised, TuiDlError):
        return raised
    if isinstance(raised, Cancelled):
        return ContentError(Reason.INTERNAL, "it is not wanted any more")
    if isinstance(raised, ReExtractInfo) or job.needs_reading:
        return ContentError(Reason.NO_MEDIA, plain_words(str(raised)), is_retryable=True)
    if job.fault is not None:
        return job.fault
    words = str(getattr(raised, "msg", "") or raised)
    if isinstance(raised, DownloadError) and job.is_processing:
        return ContentError(Reason.PROCESSING_FAILED, plain_words(words))
    if isinstance(raised, YoutubeDLError | OSError):
        return error_of_words(words)
    return ContentError(Reason.INTERNAL, f"a fault within yt-dlp: {raised!r}")
