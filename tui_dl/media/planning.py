"""The planner: yt-dlp's own way through addresses and playlists, in their order, while lanes download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yt_dlp.utils import DownloadCancelled, variadic

from tui_dl.media.archive import SharedArchive
from tui_dl.media.lanes import Lanes
from tui_dl.media.looking_ahead import AHEAD, LookingAhead
from tui_dl.media.youtube_dl import EngineYoutubeDL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui_dl.media.job import Job
    from tui_dl.media.manager import AsyncDownloadManager


class PlanningYoutubeDL(EngineYoutubeDL):
    """Extracts and decides in order, and gives each video to a lane as soon as its number and name are settled.

    So what yt-dlp counts and compares in order (`autonumber`, `--max-downloads`, `--break-on-existing`, `-I`) is
    decided by its own code, in its own order.
    """

    def __init__(
        self, manager: AsyncDownloadManager, params: dict[str, Any] | None = None, auto_init: Any = True
    ) -> None:
        given = manager.begin(dict(params or {}))
        self.lanes = Lanes(self, manager.concurrent_downloads)
        self._ahead = LookingAhead(self, manager.extraction)
        self._addresses: list[str] = []
        super().__init__(manager, given, auto_init)
        manager.screen.attach(self, "planner")
        path = given.get("download_archive")
        if path is None or isinstance(path, str):
            self.archive = SharedArchive(path)

    # -- what is given to lanes ----------------------------------------------------------------------------------------

    def process_video_result(self, info_dict: dict[str, Any], download: bool = True) -> Any:
        """Give a video to a lane; return what is known of it, which is filled when it is done."""
        if not download or self.params.get("simulate") or not self.manager.is_on:
            return super().process_video_result(info_dict, download)
        return self.lanes.submit(info_dict)

    @property
    def is_beside_transfers(self) -> bool:
        """Whether anything is being transferred while this extracts."""
        return self.manager.reads_elsewhere(is_transferring=self.lanes.is_busy)

    def forget(self, job: Job) -> None:
        """Note that a video is done, for those that wait to know whether it is in the archive."""
        if isinstance(self.archive, SharedArchive):
            self.archive.end(job)

    def process_ie_result(
        self, ie_result: dict[str, Any], download: bool = True, extra_info: Mapping[str, Any] | None = None
    ) -> Any:
        """Go on with what was extracted (see `YoutubeDL.process_ie_result`), and ask for what comes next."""
        if not download or self.params.get("simulate") or not self.manager.is_on:
            return super().process_ie_result(ie_result, download, extra_info)
        if ie_result.get("_type") == "playlist":
            self._ahead.enter(ie_result)
            try:
                return super().process_ie_result(ie_result, download, extra_info)
            finally:
                self._ahead.leave()
        if self._playlist_level and extra_info:
            self._ahead.entry(extra_info.get("playlist_autonumber"))
        return super().process_ie_result(ie_result, download, extra_info)

    # -- where yt-dlp wants results ------------------------------------------------------------------------------------

    def download(self, url_list: Any) -> Any:
        """Download all addresses; return yt-dlp's exit code."""
        self._addresses = list(variadic(url_list))
        if len(self._addresses) > 1 and self.manager.is_on and self.manager.reads_elsewhere(is_transferring=True):
            self.manager.extraction.prepare(self)
        return self._to_the_end(lambda: super(PlanningYoutubeDL, self).download(url_list))

    def download_with_info_file(self, info_filename: str) -> Any:
        """Download what `--load-info-json` names; return yt-dlp's exit code."""
        return self._to_the_end(lambda: super(PlanningYoutubeDL, self).download_with_info_file(info_filename))

    def _to_the_end(self, work: Callable[[], Any]) -> Any:
        try:
            work()
            self._drain()
        except KeyboardInterrupt:
            self.lanes.cancel()
            raise
        except BaseException:
            self.lanes.drain(is_ending=True)
            raise
        return self._download_retcode

    def _drain(self) -> None:
        """Wait for what the last address left in hand, and tell what ends the run there as yt-dlp does."""
        try:
            self.lanes.drain()
        except DownloadCancelled as error:
            self.to_screen(f"[info] {error}")
            raise

    def extract_info(self, url: str, download: bool = True, *args: Any, **words: Any) -> Any:
        """Extract (see `YoutubeDL.extract_info`); where its result is printed or counted by itself, wait for it."""
        if not self._playlist_level and self._addresses and self._addresses[0] == url:
            del self._addresses[0]
            self._ahead.addresses(self._addresses[:AHEAD])
        result = super().extract_info(url, download, *args, **words)
        if not self._playlist_level and (self.params.get("dump_single_json") or self.params.get("break_per_url")):
            self.lanes.drain()
        return result

    def run_all_pps(self, key: str, info: dict[str, Any], **words: Any) -> Any:
        """Run post-processors; those of a playlist when all of its videos are there."""
        if key == "playlist":
            self.lanes.drain()
        return super().run_all_pps(key, info, **words)

    def _write_info_json(self, label: str, *args: Any, **words: Any) -> Any:
        """Write what is known of a video or playlist; that of a finished playlist when its videos are there."""
        if label == "updated playlist":
            self.lanes.drain()
        return super()._write_info_json(label, *args, **words)

    def stop(self) -> None:
        """End what is at work, from another thread: the planner comes to its end by itself then."""
        self.job.cancel()
        self.lanes.cancel()
        self.manager.extraction.close()

    def close(self) -> None:
        """End lanes and processes, then close as yt-dlp does."""
        self.lanes.close()
        counts = self.manager.counts
        self.write_debug(f"tui-dl made {counts.engine or 'no'} transfers, yt-dlp {counts.native or 'none'}")
        self.manager.extraction.close()
        super().close()
