"""`YoutubeDL` with the engine below it: nothing of yt-dlp is patched, its own method `dl()` chooses the downloader."""

from __future__ import annotations

import os
import random
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from yt_dlp import YoutubeDL

from tui_dl.disk.durable import sync_path
from tui_dl.disk.os_errors import map_os_error
from tui_dl.media.archive import SharedArchive
from tui_dl.media.cookie_jar import locked
from tui_dl.media.downloader import replacement_for
from tui_dl.media.fallback import reason_for_native, unsafe_header
from tui_dl.media.job import Job
from tui_dl.media.remote import RemoteExtractor

if TYPE_CHECKING:
    from tui_dl.media.manager import AsyncDownloadManager

WAIT_S = 0.1
LAUNCHED = frozenset(
    {"desktop", "url", "webloc", "lnk", "exe", "bat", "cmd", "com", "scr", "ps1", "sh", "msi", "jar", "pif", "vbs"}
)
"""Extensions of what a click would run: no video has one, whatever its site says."""


class EngineYoutubeDL(YoutubeDL):
    """A `YoutubeDL` whose transfers the engine makes, as far as it can; all else is left to yt-dlp, and told."""

    def __init__(
        self,
        manager: AsyncDownloadManager,
        params: dict[str, Any] | None = None,
        auto_init: Any = True,
        job: Job | None = None,
    ) -> None:
        """`job` is what hears what yt-dlp says while this is made."""
        self.manager = manager
        """The way to the engine."""
        self.job = job or Job({})
        """What is worked on."""
        super().__init__(params, auto_init)

    @cached_property
    def cookiejar(self) -> Any:
        """The jar, with its lock put to use."""
        return locked(super().cookiejar)

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Download one format (see `YoutubeDL.dl`) by the engine, or by yt-dlp where the engine cannot."""
        self.job.check()
        if (ext := str(info.get("ext")).lower()) in LAUNCHED:
            # Older versions of yt-dlp let some of them pass, as those of links that they write themselves.
            self.report_error(f"the site calls it a .{ext} file, which a click would run; it is not written", tb=False)
            return False, False
        if not info.get("url") or test or not self.manager.is_on:
            return super().dl(name, info, subtitle, test)
        new_info = self._copy_infodict(info)
        if new_info.get("http_headers") is None:
            new_info["http_headers"] = self._calc_headers(new_info)
        if bad := unsafe_header(new_info["http_headers"]):
            self.report_error(f"the site gives the header {bad}, which is none; nothing is sent with it", tb=False)
            return False, False
        replacement = replacement_for(info, self.params)
        why = reason_for_native(name, info, self.params) or ("" if replacement else "its kind of stream")
        why = why or self.why_native() or self.manager.why_not()
        self._sleep(name, is_subtitle=subtitle)
        if replacement is None or why:
            self.say_native(info, why)
            return super().dl(name, info, subtitle, test)
        downloader = replacement(self, self.params)
        for hook in self._progress_hooks:
            downloader.add_progress_hook(hook)
        self.write_debug(f'Invoking {downloader.FD_NAME} downloader on "{info["url"][:200]}", by tui-dl')
        return downloader.download(name, new_info, subtitle)

    def will_name(self, path: str) -> None:
        """Hear that a file that is whole gets its name next."""

    def make_durable(self, path: str) -> None:
        """Have a file, or the names in a folder, on the disk. Raises `FileSystemError`."""
        try:
            sync_path(path)
        except OSError as error:
            raise map_os_error(error, f"sync {path}") from error

    def _make_made_durable(self, path: str) -> None:
        """Have a file on the disk with its name; passes over what is none."""
        if os.path.isfile(path):  # noqa: PTH113  # yt-dlp's names are text
            self.make_durable(path)
            self.make_durable(os.path.dirname(path) or ".")  # noqa: PTH120  # as above

    def _delete_downloaded_files(self, *files_to_delete: str, info: Any = MappingProxyType({}), msg: Any = None) -> Any:
        """Delete what something was made of, once that is on the disk. Raises `FileSystemError`."""
        self._make_made_durable(str(info.get("filepath") or ""))
        return super()._delete_downloaded_files(*files_to_delete, info=info, msg=msg)

    def post_process(self, filename: str, info: dict[str, Any], files_to_move: Any = None) -> Any:
        """Make of what came what is wanted, durably: next an archive hears of it. Raises `FileSystemError`."""
        made = super().post_process(filename, info, files_to_move)
        self._make_made_durable(str(made.get("filepath") or filename))
        return made

    def why_native(self) -> str:
        """Return what of the parameters this engine does not do as they say; empty for nothing."""
        return ""

    def say_native(self, info: dict[str, Any], why: str) -> None:
        """Count a transfer that yt-dlp makes, and say so."""
        self.manager.counts.note_native(why)
        if not (self.params.get("quiet") or self.params.get("no_warnings")):
            self.to_stderr(f"[tui-dl] {info.get('id') or 'this format'}: by yt-dlp ({why})")

    # -- sleeping ------------------------------------------------------------------------------------------------------

    def _sleep(self, name: str, *, is_subtitle: bool) -> None:
        """Keep the pause before a download that `--sleep-interval` and its kin ask for, one worker after another."""
        least, most = self.manager.sleeps.interval(is_subtitle=is_subtitle)
        if not most or (name != "-" and Path(name).is_file()):
            return
        with self.manager.sleeps.turn:
            seconds = random.uniform(least, most)  # noqa: S311  # no secret
            self.to_screen(f"[download] Sleeping {seconds:.2f} seconds ...")
            self.job.wait(seconds)

    # -- extraction ----------------------------------------------------------------------------------------------------

    @property
    def is_beside_transfers(self) -> bool:
        """Whether videos are being transferred while this extracts."""
        return False

    def get_info_extractor(self, ie_key: str) -> Any:
        """Return an extractor; one that works in a process of its own where videos are being transferred."""
        extractor = super().get_info_extractor(ie_key)
        if self.is_beside_transfers and self.manager.extraction.can_take(self.params):
            return RemoteExtractor(self, extractor, self.manager.extraction)
        return extractor

    # -- the archive ---------------------------------------------------------------------------------------------------

    def in_download_archive(self, info_dict: dict[str, Any]) -> bool:
        """Whether a video was downloaded; one that is on its way is waited for."""
        if isinstance(self.archive, SharedArchive) and self.archive and (mine := self._make_archive_id(info_dict)):
            while (other := self.archive.busy_with(mine, self.job)) is not None:
                self.job.check()
                other.done.wait(WAIT_S)
        return bool(super().in_download_archive(info_dict))

    def record_download_archive(self, info_dict: dict[str, Any]) -> None:
        """Record a video in the archive that all workers share."""
        if not isinstance(self.archive, SharedArchive):
            super().record_download_archive(info_dict)
        elif self.archive and (mine := self._make_archive_id(info_dict)):
            self.write_debug(f"Adding to archive: {mine}")
            self.archive.add(mine)
