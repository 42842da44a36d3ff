"""yt-dlp within a lane of the queue: one video, from its choice of formats to its last post-processor."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import ReExtractInfo

from tui_dl.media.archive import SharedArchive
from tui_dl.media.youtube_dl import LAUNCHED, EngineYoutubeDL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports_media import MediaOutcome
    from tui_dl.media.lane_job import LaneJob
    from tui_dl.media.manager import AsyncDownloadManager


_TURNING: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of what stands beside them."""
_WAYS: Final = {
    "proxy": "a proxy of yt-dlp's",
    "nocheckcertificate": "--no-check-certificates",
    "source_address": "an address of yt-dlp's",
}
"""Parameters that say how servers are reached, in words."""
UNKNOWN: Final = "unknown_video"
"""yt-dlp's own word for an extension that nobody knows."""


class QueueYoutubeDL(EngineYoutubeDL):
    """Kept by its lane as long as rows come that want the same of yt-dlp."""

    job: LaneJob

    def __init__(
        self,
        manager: AsyncDownloadManager,
        params: dict[str, Any],
        archive: Any,
        jar: Any,
        ways: Mapping[str, Any],
        job: LaneJob,
    ) -> None:
        """`ways` are the engine's own, under yt-dlp's names; `job` is the first one, whose log all of it goes to."""
        self._ways = {"nocheckcertificate": False, **ways}
        super().__init__(manager, {**params, "download_archive": None, "logger": self}, auto_init=False, job=job)
        self.params["download_archive"] = params.get("download_archive")
        self.archive = archive
        if jar is not None:
            self.cookiejar = jar
        self.add_progress_hook(self._hear)
        self.add_postprocessor_hook(self._hear_processor)
        self._has_extractors = False
        self._in_hand: dict[str, Any] = {}

    # -- what it says --------------------------------------------------------------------------------------------------

    def debug(self, text: str) -> None:
        """Take a line of its course."""
        if not text.startswith("[debug]"):
            self.job.say(text)

    def warning(self, text: str) -> None:
        """Take a warning."""
        self.job.say(text)

    error = warning

    def to_stdout(self, message: str, *_args: Any, **_words: Any) -> None:
        """Take what belongs on standard output: there is none."""
        self.job.say(message)

    def to_console_title(self, *_args: Any, **_words: Any) -> None:
        """Leave the title alone."""

    def say_native(self, info: dict[str, Any], why: str) -> None:
        """Count a transfer that yt-dlp makes, and say so."""
        self.manager.counts.note_native(why)
        self.job.say(f"[tui-dl] {info.get('id') or 'this format'}: by yt-dlp ({why})")
        self.job.progress.natively(is_so=True)

    def _hear(self, told: dict[str, Any]) -> None:
        self.job.check()
        self.job.progress.hear(told)

    def _hear_processor(self, told: dict[str, Any]) -> None:
        self.job.check()
        self.job.progress.hear_processor(told)

    # -- its work ------------------------------------------------------------------------------------------------------

    def work_on(self, job: LaneJob) -> MediaOutcome:
        """Download one video. Raises what yt-dlp raises, and `Cancelled`."""
        self.job = job
        job.limit_bps = job.limit_bps or int(self.params.get("ratelimit") or 0)
        self._num_downloads = self._num_videos = 0
        self._download_retcode = 0
        self._autonumber = 0
        self.manager.children.enter(job)
        try:
            result = self._video(job.info)
        finally:
            self.manager.children.leave()
        return job.outcome_of(result if isinstance(result, dict) else {})

    def _video(self, info: dict[str, Any] | None) -> Any:
        if info is None:
            # What was found cannot be handed from process to process.
            if not self._has_extractors:
                self._has_extractors = True
                self.add_default_info_extractors()
            return self.extract_info(self.job.url, download=True)
        try:
            return self.process_ie_result(info, download=True, extra_info=self.job.extra)
        except ReExtractInfo as error:
            self.job.needs_reading = str(error)
            raise

    def prepare_filename(self, *args: Any, **words: Any) -> Any:
        """Return the name of a file, as yt-dlp makes it; hidden, or turned round on a screen, it is not."""
        path = super().prepare_filename(*args, **words)
        if not isinstance(path, str) or path == "-":
            return path
        folder, name = os.path.split(_TURNING.sub("", path))
        return os.path.join(folder, f"_{name}" if name[:1] in (".", "-") else name)  # noqa: PTH118  # text

    def process_info(self, info_dict: dict[str, Any]) -> Any:
        """Download one choice of formats (see `YoutubeDL.process_info`)."""
        self._in_hand = info_dict
        for one in (info_dict, *(info_dict.get("requested_formats") or ())):
            if str(one.get("ext")).lower() in LAUNCHED:
                one["ext"] = UNKNOWN
        self.job.begin(info_dict, self.prepare_filename(info_dict, warn=False))
        return super().process_info(info_dict)

    def why_native(self) -> str:
        """Return which way to the servers yt-dlp's options name that is not the engine's."""
        different = (words for name, words in _WAYS.items() if self.params.get(name) != self._ways.get(name))
        return next(different, "")

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Download one format; what an earlier attempt finished is taken for just come."""
        self.job.progress.natively(is_so=False)
        success, is_real = super().dl(name, info, subtitle, test)
        return success, is_real or (self.job.was_begun and self.job.is_there_before)

    def _match_entry(self, info_dict: dict[str, Any], *args: Any, **words: Any) -> Any:
        why = super()._match_entry(info_dict, *args, **words)
        if why is not None:
            self.job.why_skipped = str(why)
        return why

    def in_download_archive(self, info_dict: dict[str, Any]) -> bool:
        """Whether a video was downloaded."""
        is_done = super().in_download_archive(info_dict) or self.job.is_archived_before(info_dict)
        self.job.is_archived |= is_done
        return is_done

    def report_file_already_downloaded(self, file_name: str) -> None:
        """Note that a file is there; one that an earlier attempt made is worked on as if it had just come."""
        if self.job.is_its_file(file_name):
            self.job.is_there_before = True
            if self.job.was_begun:
                self._in_hand["__real_download"] = True
        super().report_file_already_downloaded(file_name)

    def _ensure_dir_exists(self, path: str) -> bool:
        """Make the folder of a file; the first time in a video its name is settled."""
        if not self.job.decided.is_set():
            self.manager.names.take(os.path.abspath(path), self.job)  # noqa: PTH100  # text
            if isinstance(self.archive, SharedArchive):
                self.archive.begin(self._make_archive_id(self.job.info or {}), self.job)
            self.job.decided.set()
        return bool(super()._ensure_dir_exists(path))

    def trouble(self, *args: Any, **words: Any) -> Any:
        """Report a problem, unless it comes from the video not being wanted any more."""
        self.job.check()
        return super().trouble(*args, **words)
