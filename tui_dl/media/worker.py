"""Media for an engine's queue: pages read in processes, videos downloaded in lanes; yt-dlp comes with the first."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections import OrderedDict
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import ContentError, FileSystemError, Reason
from tui_dl.core.media import MediaFacts
from tui_dl.core.ports_media import Found, FoundEntry, FoundPlaylist, FoundVideo, MediaOutcome
from tui_dl.media.library import Lack, install_command, is_installed, lacks_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence

    from tui_dl.core.media import MediaFormats
    from tui_dl.core.ports_media import MediaProgress, MediaSource, MediaWish
    from tui_dl.media.queue_lanes import QueueLanes
    from tui_dl.media.readers import Readers
    from tui_dl.media.video_progress import VideoProgress

LASTS_S: Final = 300.0
"""Links that an extractor found are taken to work for so long."""
MERGE_S: Final = 0.5
"""How often a merge is looked at."""
MOST_READ: Final = 64
"""Videos that are remembered as they were read."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A video as it was read."""

    info: dict[str, Any] | None
    """What the extractor found; None where it cannot be handed over."""
    cookies: list[list[Any]]
    """Cookies that came meanwhile."""
    at: float
    """Monotonic instant."""


class QueueMedia:
    """Fulfils `core.ports_media.MediaWorker`."""

    def __init__(
        self,
        *,
        connections: int = 8,
        chunk_bytes: int = 1 << 20,
        is_on: bool = True,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """`is_on`: whether transfers are the engine's; else they are left to yt-dlp's own downloaders.

        `defaults` are parameters of yt-dlp's for what its options do not speak of: the way to the servers.
        """
        self._defaults = dict(defaults or {})
        self._connections, self._chunk_bytes, self._is_on = connections, chunk_bytes, is_on
        self._source: MediaSource | None = None
        self._readers: Readers | None = None
        self._lanes: QueueLanes | None = None
        self._manager: Any = None
        self._reads: OrderedDict[int, _Read] = OrderedDict()
        self._told: OrderedDict[str, _Read] = OrderedDict()
        self._starting = asyncio.Lock()
        self.lacks: tuple[str, ...] = ()
        """What all media are the worse for here, once a page was read."""
        self._all_lacks: tuple[Lack, ...] | None = None

    def start(self, source: MediaSource) -> None:
        """Take the engine that makes the transfers."""
        self._source = source

    @property
    def missing(self) -> str:
        """Command that installs yt-dlp; empty where it is there."""
        return "" if is_installed() else install_command()

    @property
    def counts(self) -> Any:
        """Who made how many transfers; None before the first."""
        return None if self._manager is None else self._manager.counts

    # -- reading -------------------------------------------------------------------------------------------------------

    async def claims(self, url: str) -> bool:
        """Whether an extractor of its own takes an address."""
        async with aclosing(self._reading().ask({"claims": url}, _unheard)) as messages:
            async for message in messages:
                return bool(message.get("claims"))
        return False

    async def read(self, wish: MediaWish, note_line: Callable[[str], None]) -> AsyncGenerator[Found, None]:
        """Yield what is found at an address, entries as they come."""
        self._reads.pop(wish.key, None)
        for lack in await self._look_around():
            note_line(str(lack))
        async with aclosing(self._reading().ask(self._request(wish), note_line)) as messages:
            async for message in messages:
                if "playlist" in message:
                    yield FoundPlaylist(MediaFacts.of_json(message["playlist"]))
                elif "entries" in message:
                    yield [self._entry(one) for one in message["entries"]]
                else:
                    yield self._video(wish.key, message)

    def _entry(self, one: Mapping[str, Any]) -> FoundEntry:
        """Return an entry; a video that its page told whole is kept until its turn."""
        if (info := one.get("info")) is not None:
            self._told[one["note"]] = _Read(info, [], time.monotonic())
            while len(self._told) > MOST_READ:
                self._told.popitem(last=False)
        return FoundEntry(one["url"], one["name"], MediaFacts.of_json(one["facts"]), one["note"])

    def _video(self, key: int, message: Mapping[str, Any]) -> FoundVideo:
        if message.get("archived"):
            raise FileSystemError(Reason.ARCHIVED, "done before, as yt-dlp's archive says")
        self._keep(key, _Read(message.get("video"), list(message.get("cookies") or ()), time.monotonic()))
        return FoundVideo(MediaFacts.of_json(message.get("facts") or {}))

    def has_read(self, wish: MediaWish) -> bool:
        """Whether a video was read for this row lately, or told by its playlist."""
        if wish.note and (told := self._told.pop(wish.note, None)) is not None:
            self._keep(wish.key, told)
        read = self._reads.get(wish.key)
        return read is not None and time.monotonic() - read.at < LASTS_S

    def _keep(self, key: int, read: _Read) -> None:
        self._reads[key] = read
        while len(self._reads) > MOST_READ:
            self._reads.popitem(last=False)

    async def formats(self, wish: MediaWish) -> MediaFormats:
        """Return the forms of a video, of a playlist those of its first entry."""
        if not self.has_read(wish) or self._reads[wish.key].info is None:
            async with aclosing(
                self._reading().ask({**self._request(wish), "wants_first": True}, _unheard)
            ) as messages:
                async for message in messages:
                    if "video" in message or message.get("archived"):
                        self._video(wish.key, message)
        read = self._reads.get(wish.key)
        if read is None or read.info is None:
            raise ContentError(Reason.NO_MEDIA, "its forms cannot be told beforehand")
        async with aclosing(
            self._reading().ask({**self._request(wish), "formats_of": read.info}, _unheard)
        ) as messages:
            async for message in messages:
                from tui_dl.media.found import formats_of  # noqa: PLC0415  # beside what it is for

                notices = tuple(map(str, await self._look_around()))
                return replace(formats_of(message["formats"]), choice=wish.choice, notices=notices)
        raise ContentError(Reason.NO_MEDIA, "its forms cannot be told beforehand")

    async def _look_around(self) -> tuple[Lack, ...]:
        """Return what media lack here; looked for once."""
        if self._all_lacks is None:
            self._all_lacks = await asyncio.to_thread(lacks_of, datetime.now(UTC).date())
            self.lacks = tuple(str(one) for one in self._all_lacks if one.concerns_all)
        return self._all_lacks

    def _request(self, wish: MediaWish) -> dict[str, Any]:
        """Return what a process is asked for a wish."""
        note = json.loads(wish.note) if wish.note else {}
        options = {"options": list(wish.options), "has_config": wish.has_config, "defaults": self._defaults}
        return {"url": wish.url, "note": note, **options}

    def _reading(self) -> Readers:
        if self._readers is None:
            from tui_dl.media.readers import Readers  # noqa: PLC0415  # most queues have no media

            self._readers = Readers()
        return self._readers

    # -- downloading ---------------------------------------------------------------------------------------------------

    async def download(
        self,
        wish: MediaWish,
        report: Callable[[MediaProgress], None],
        note_line: Callable[[str], None],
        on_begin: Callable[[str], Coroutine[Any, Any, None]],
    ) -> MediaOutcome:
        """Download the video that was read last for the same row."""
        lanes = await self._downloading()
        from tui_dl.media.lane_job import LaneJob  # noqa: PLC0415  # yt-dlp is loaded by now
        from tui_dl.media.queue_lanes import LaneWish  # noqa: PLC0415  # as above
        from tui_dl.media.video_progress import VideoProgress  # noqa: PLC0415  # as above

        loop = asyncio.get_running_loop()
        read = self._reads.get(wish.key)
        job = LaneJob(
            wish.url,
            None if read is None or read.info is None else dict(read.info),
            {},
            VideoProgress(_on_loop(loop, report)),
            _on_loop(loop, note_line),
        )
        job.was_begun = wish.was_begun
        job.tell_begin = lambda path: asyncio.run_coroutine_threadsafe(on_begin(path), loop)
        job.limit_bps, job.connections = wish.limit_bps, wish.connections
        watching = asyncio.ensure_future(_watch(job.progress))
        try:
            await lanes.run(job, LaneWish.of(wish), () if read is None else read.cookies)
        except asyncio.CancelledError:
            raise
        except ContentError as error:
            self._reads.pop(wish.key, None)
            if error.reason is Reason.INCOMPLETE and job.missing:
                return MediaOutcome(missing=job.missing)
            raise
        except BaseException:
            # Its links may be why.
            self._reads.pop(wish.key, None)
            raise
        finally:
            watching.cancel()
        self._reads.pop(wish.key, None)
        return job.outcome or MediaOutcome()

    async def _downloading(self) -> QueueLanes:
        async with self._starting:
            if self._lanes is None:
                self._manager = await asyncio.to_thread(self._load)
                assert self._source is not None
                self._manager.attach(self._source, asyncio.get_running_loop())
                from tui_dl.media.queue_lanes import QueueLanes  # noqa: PLC0415  # loaded by now

                self._lanes = QueueLanes(self._manager, self._defaults)
            return self._lanes

    def _load(self) -> Any:
        """Load yt-dlp, which takes a while: never on the loop."""
        import tui_dl.media.queue_lanes  # noqa: PLC0415  # as above
        import tui_dl.media.video_progress  # noqa: F401, PLC0415  # as above
        from tui_dl.media.manager import AsyncDownloadManager  # noqa: PLC0415  # as above

        manager = AsyncDownloadManager(
            connections=self._connections, chunk_bytes=self._chunk_bytes, extracts_elsewhere=False
        )
        manager.is_on = self._is_on
        return manager

    async def delete_parts(self, key: int, part_path: str, format_ids: str) -> int:
        """Delete what an unfinished download of a row left."""
        self._reads.pop(key, None)
        return await asyncio.to_thread(_delete_parts, part_path, format_ids.split()) if part_path else 0

    async def aclose(self) -> None:
        """End all processes and threads."""
        if self._readers is not None:
            await self._readers.aclose()
        if self._lanes is not None:
            await self._lanes.aclose()
        if self._manager is not None:
            await asyncio.to_thread(self._manager.close)


async def _watch(progress: VideoProgress) -> None:
    """Have a merge tell how far it is: it tells nothing by itself."""
    while True:
        await asyncio.sleep(MERGE_S)
        if progress.is_merging:
            await asyncio.to_thread(progress.tell)


def _on_loop(loop: asyncio.AbstractEventLoop, function: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a function for any thread that calls another one on the loop."""

    def call(value: Any) -> None:
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(function, value)

    return call


def _delete_parts(part_path: str, format_ids: Sequence[str]) -> int:
    """Delete a part file with what belongs to the same video: its other parts, notes and fragments, half made files.

    Only the names of its own formats are taken: "NAME.final.mp4" is another video.
    """
    folder, name = os.path.split(part_path)
    own = name.removesuffix(".part")
    form = rf"\.f({'|'.join(map(re.escape, format_ids))})\.\w+"
    found = re.fullmatch(f"(.+){form}", own) if format_ids else None
    stem = re.escape(os.path.splitext(own)[0] if found is None else found[1])  # noqa: PTH122  # yt-dlp's names are text
    notes = r"\.(part(-Frag\d+(\.part)?)?|ytdl|part\.mended)"
    names = [rf"{re.escape(own)}{notes}", rf"{stem}\.temp\.\w+", *([rf"{stem}{form}({notes})?"] if format_ids else [])]
    pattern = re.compile("|".join(names))
    number = 0
    with suppress(FileNotFoundError):
        for one in os.listdir(folder):  # noqa: PTH208  # names alone
            if pattern.fullmatch(one):
                os.unlink(os.path.join(folder, one))  # noqa: PTH108, PTH118  # as above
                number += 1
    return number


def _unheard(_line: str) -> None:
    """Say nothing: nobody looks at this."""
