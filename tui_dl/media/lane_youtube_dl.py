"""yt-dlp within a lane: downloads what the planner gave it, and tells when its number and name are settled."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import (
    DownloadCancelled,
    DownloadError,
    ExtractorError,
    ReExtractInfo,
    UnavailableVideoError,
    YoutubeDLError,
)

from tui_dl.media.archive import SharedArchive
from tui_dl.media.youtube_dl import EngineYoutubeDL

if TYPE_CHECKING:
    from tui_dl.media.job import Job
    from tui_dl.media.planning import PlanningYoutubeDL

OF_THE_PLANNER = ("_warnings", "_deprecation_warnings", "warn_when_outdated", "download_archive")
"""Parameters that were heard already."""
INHERITED = ("playlist", "playlist_", "n_entries", "__last_playlist_index", "original_url", "__x_forwarded_for_ip")
"""What a playlist gave an entry, which extracting it anew does not bring."""

UNFIXED = ".unfixed"
"""What the name of a marker ends with: the file beside it is whole, but yt-dlp's fixups have not seen it."""
MARK: Final = b"The file beside this one is whole, but yt-dlp has not fixed it up yet; the next run does.\n"
"""What is in a marker: another file of its name is somebody else's."""


class LaneYoutubeDL(EngineYoutubeDL):
    """One per lane, kept alive: making one for each video costs more than a small video."""

    def __init__(self, planner: PlanningYoutubeDL, number: int) -> None:
        params = {key: value for key, value in planner.params.items() if key not in OF_THE_PLANNER}
        self._planner = planner
        super().__init__(planner.manager, params, "no_verbose_header")
        self.params["download_archive"] = planner.params.get("download_archive")
        self.archive = planner.archive
        self.cookiejar = planner.cookiejar
        self._printed_messages = planner._printed_messages
        self._progress_hooks = [self._stop_if_cancelled, *planner._progress_hooks]
        self._post_hooks = planner._post_hooks
        for hook in planner._postprocessor_hooks:
            if hook not in self._postprocessor_hooks:
                self.add_postprocessor_hook(hook)
        self._number = number
        planner.manager.screen.attach(self, number)

    def work_on(self, job: Job) -> None:
        """Download one video; what it leaves is in the job. Raises what ends the whole run."""
        planner, self.job = self._planner, job
        self._num_downloads, self._num_videos = planner._num_downloads, planner._num_videos
        self._download_retcode = 0
        self.manager.children.enter(job)
        self.manager.screen.begin(self._number, str(job.info.get("title") or job.info.get("id") or ""))
        try:
            result = self._video(job.info)
            job.result.clear()
            job.result.update(result or {})
        except BaseException:
            if not job.decided.is_set() or job.is_cancelled:
                raise
            self._tell()
        finally:
            job.has_failed = bool(self._download_retcode)
            self.manager.children.leave()
            self.manager.screen.end(self._number)

    def _video(self, info: dict[str, Any]) -> Any:
        """Download it, extracted anew where yt-dlp wants that."""
        while True:
            try:
                return self.process_video_result(info, download=True)
            except ReExtractInfo as error:
                if not self.job.decided.is_set():
                    raise
                if error.expected:
                    self.to_screen(f"{error}; Re-extracting data")
                else:
                    self.to_stderr("\r")
                    self.report_warning(f"{error}; Re-extracting data")
                info = self._again(info)

    def _again(self, info: dict[str, Any]) -> dict[str, Any]:
        """Extract a video anew. Raises what yt-dlp raises."""
        url = info.get("original_url") or info["webpage_url"]
        new: Any = self.extract_info(url, download=False, ie_key=info.get("extractor_key"), process=False)
        if not new or new.get("_type", "video") != "video":
            raise ExtractorError("extracted anew, it is no single video any more", expected=True)
        kept = {key: value for key, value in info.items() if key.startswith(INHERITED)}
        self.add_extra_info(new, kept)
        return dict(new)

    def _tell(self) -> None:
        """Report an error as yt-dlp does where a video fails, and raise on what ends a run there."""
        error = sys.exc_info()[1]
        if isinstance(error, DownloadCancelled | DownloadError | ReExtractInfo):
            raise error
        if isinstance(error, UnavailableVideoError):
            self.report_error(error)
        elif isinstance(error, ExtractorError):
            self.report_error(str(error), error.format_traceback())
        elif isinstance(error, Exception) and self.params.get("ignoreerrors"):
            self.report_error(str(error), tb=traceback.format_exc())
        elif error is not None:
            raise error

    @property
    def is_beside_transfers(self) -> bool:
        """Whether videos are being transferred while this extracts: its own will be."""
        return self.manager.reads_elsewhere(is_transferring=True)

    # -- the decision --------------------------------------------------------------------------------------------------

    def process_info(self, info_dict: dict[str, Any]) -> Any:
        """Download one choice of formats (see `YoutubeDL.process_info`)."""
        if self.archive and not self.job.decided.is_set():
            self._archive_id = self._make_archive_id(info_dict)
        self._marker, self._is_merged = None, info_dict.get("requested_formats") is not None
        try:
            result = super().process_info(info_dict)
        except YoutubeDLError:
            self._forget_marker()
            raise
        # Whoever stops or kills it, or a disk that fails, leaves the marker to the next run.
        self._forget_marker()
        return result

    _archive_id: str | None = None

    # -- fixups --------------------------------------------------------------------------------------------------------

    _marker: Path | None = None
    """Lies beside a file from before it gets its name until yt-dlp's fixups and post-processors are through with it."""
    _is_merged = False
    """Whether the file is merged from several: yt-dlp keeps those until it is, and fixes what it merges."""

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Download one format; what a stopped run finished but did not fix up is taken for just come."""
        if subtitle or test or self._is_merged or name == "-":
            return super().dl(name, info, subtitle, test)
        self._marker = Path(f"{name}{UNFIXED}")
        was_unfixed = self._has_marker()
        success, is_real = super().dl(name, info, subtitle, test)
        return success, is_real or was_unfixed

    def will_name(self, path: str) -> None:
        """Mark a file that is whole but not fixed up yet."""
        if self._marker is not None and str(self._marker) == f"{path}{UNFIXED}":
            with suppress(OSError), self._marker.open("xb") as marker:
                marker.write(MARK)

    def _has_marker(self) -> bool:
        """Whether the marker is there, and ours."""
        try:
            # A power cut leaves an empty one.
            return self._marker is not None and self._marker.is_file() and self._marker.read_bytes() in (MARK, b"")
        except OSError:
            return False

    def _forget_marker(self) -> None:
        if self._marker is not None and self._has_marker():
            with suppress(OSError):
                self._marker.unlink()

    def _ensure_dir_exists(self, path: str) -> bool:
        """Make the folder of a file; the first time in a video its number and name are settled."""
        if not self.job.decided.is_set():
            self.manager.names.take(path, self.job)
            if isinstance(self.archive, SharedArchive):
                self.archive.begin(self._archive_id, self.job)
            self.job.number, self.job.videos = self._num_downloads, self._num_videos
            if not self.manager.is_one_by_one(self.params):
                self.job.decided.set()
        return bool(super()._ensure_dir_exists(path))

    def _stop_if_cancelled(self, _status: dict[str, Any]) -> None:
        self.job.check()

    def trouble(self, *args: Any, **words: Any) -> Any:
        """Report a problem, unless it comes from the video not being wanted any more."""
        self.job.check()
        return super().trouble(*args, **words)
