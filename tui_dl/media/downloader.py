"""`AsyncFileDownloader`: the engine in the place of yt-dlp's own downloaders for plain files, HLS and DASH.

They keep the names of what they replace, since yt-dlp's fixups look at them, and write the same `.part` and `.ytdl`
files, so that either goes on where the other stopped.
"""

from __future__ import annotations

import gc
import math
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from yt_dlp.downloader import get_suitable_downloader
from yt_dlp.downloader.common import FileDownloader
from yt_dlp.downloader.dash import DashSegmentsFD
from yt_dlp.downloader.hls import HlsFD
from yt_dlp.downloader.http import HttpFD
from yt_dlp.networking import Request
from yt_dlp.utils import locked_file

from tui_dl.core.errors import ContentError, FileSystemError, Reason, TuiDlError
from tui_dl.media.cookie_jar import JarStore
from tui_dl.media.direct import DirectTransfer
from tui_dl.media.fragment_notes import FragmentNotes
from tui_dl.media.fragments import FragmentTransfer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.media.manager import AsyncDownloadManager

REPORT_S = 0.1
"""How often progress is printed."""
MOST_DELAY_S = 60.0
"""Longest pause between attempts where `--async-retry-delay` doubles it."""


class AsyncFileDownloader(FileDownloader):
    """What ours have in common; `ydl` is a `EngineYoutubeDL`."""

    def report_progress(self, s: dict[str, Any]) -> None:
        """Print how far it is, now and then: for each fragment it was a third of all work; its end is always told."""
        now = time.monotonic()
        if s["status"] == "downloading" and now - self._reported_at < REPORT_S:
            return
        self._reported_at = now
        super().report_progress(s)

    _reported_at = float("-inf")

    @property
    def manager(self) -> AsyncDownloadManager:
        """The way to the engine."""
        manager: AsyncDownloadManager = self.ydl.manager
        return manager

    @property
    def connections(self) -> int:
        """Most connections for this video."""
        return int(self.ydl.job.connections) or self.manager.connections

    @property
    def limit_bps(self) -> int:
        """Bytes per second of this video, 0 for no limit of its own."""
        return int(self.ydl.job.limit_bps) or self.manager.limit_bps

    def tick(self) -> None:
        """Raise `Cancelled` if the video is not wanted any more."""
        self.ydl.job.check()

    @property
    def cookies(self) -> JarStore:
        """The jar of all workers."""
        return JarStore(self.ydl.cookiejar)

    def address(self, url: str) -> str:
        """Return an address as yt-dlp would send it."""
        return str(Request(url).url)

    def retries(self, kind: str) -> float:
        """Return how often a file (`retries`) or a fragment (`fragment_retries`) is tried again."""
        own = self.manager.retry.most
        return float((self.params.get(kind) or 0) if own is None else own)

    def delay_s(self, kind: str, attempt: int) -> float:
        """Return the seconds before attempt 1, 2, ... of a file (`http`) or a fragment, as yt-dlp's options say."""
        own = self.manager.retry.delay_s
        if own is not None:
            return min(own * 2.0 ** min(attempt - 1, 60), MOST_DELAY_S)
        function = (self.params.get("retry_sleep_functions") or {}).get(kind)
        delay = function(n=attempt - 1) if callable(function) else function
        return float(delay or 0.0)

    def say_retry(self, error: TuiDlError, attempt: int, retries: float, fragment: int | None = None) -> None:
        """Say that something is tried again, in yt-dlp's words."""
        of_what = "" if fragment is None else f" fragment {fragment}"
        most = "inf" if math.isinf(retries) else int(retries)
        self.to_screen(f"[download] Got error: {error}. Retrying{of_what} ({attempt}/{most})...")

    def try_rename(self, old_filename: str, new_filename: str) -> None:
        """Give a file that is whole its name, both durably. Raises `FileSystemError`."""
        self.ydl.will_name(new_filename)
        self.ydl.make_durable(old_filename)
        super().try_rename(old_filename, new_filename)
        self.ydl.make_durable(os.path.dirname(new_filename) or ".")  # noqa: PTH120  # yt-dlp's names are text

    def open_locked(self, path: str, mode: str) -> Any:
        """Open a part file that nobody else works on. Raises `OSError`, `FileSystemError` where somebody does."""
        for is_last in (False, True):
            try:
                return locked_file(path, mode, block=False).open()
            except BlockingIOError:
                if is_last:
                    raise FileSystemError(Reason.PART_BUSY, f"another process works on {path}") from None
                # yt-dlp's own downloaders leave a file that they were stopped at to the garbage collector.
                gc.collect()
        raise AssertionError


class AsyncHttpFD(AsyncFileDownloader, HttpFD):
    """Plain files."""

    FD_NAME = HttpFD.FD_NAME

    def real_download(self, filename: str, info_dict: dict[str, Any]) -> bool:
        """Download one file; whether it is there."""
        return DirectTransfer(self, filename, info_dict).run()

    def natively(self, filename: str, info_dict: dict[str, Any], params: Mapping[str, Any]) -> bool:
        """Let yt-dlp's own downloader take the same part file."""
        native = HttpFD(self.ydl, params)
        native._progress_hooks = self._progress_hooks
        native._multiline = self._multiline
        return bool(native.real_download(filename, info_dict))


class AsyncFragments(AsyncFileDownloader):
    """Fragments of HLS and DASH: the playlists are read, and the file is put together, by yt-dlp's own code."""

    def __init__(self, ydl: Any, params: Mapping[str, Any]) -> None:
        super().__init__(ydl, params)
        self._notes: FragmentNotes | None = None
        self._format_id = ""
        self._is_native = False
        """Whether yt-dlp's own code has taken over."""
        self.noted_index = 0
        """Fragment up to which all but those in gaps are held; 0 where there are no gaps."""

    @property
    def notes(self) -> FragmentNotes:
        """Notes of the stream that is being downloaded."""
        assert self._notes is not None
        return self._notes

    def sanitize_open(self, filename: str, open_mode: str) -> Any:
        """Open a file as yt-dlp does, the part file only where nobody else works on it, cut to what is noted of it."""
        if open_mode not in ("ab", "wb") or filename == "-":
            return super().sanitize_open(filename, open_mode)
        stream = self.open_locked(filename, open_mode)
        if self._notes is not None and self._notes.part_bytes is not None:
            if os.fstat(stream.fileno()).st_size < self._notes.part_bytes:
                stream.close()
                raise FileSystemError(Reason.PART_BUSY, f"another process worked on {filename}")
            stream.truncate(self._notes.part_bytes)
        return stream, filename

    def _prepare_and_start_frag_download(self, ctx: dict[str, Any], info_dict: dict[str, Any]) -> None:
        self._format_id = str(info_dict.get("format_id") or "")
        super()._prepare_and_start_frag_download(ctx, info_dict)

    def _notes_of(self, ctx: dict[str, Any]) -> FragmentNotes:
        notes = FragmentNotes(self.ytdl_filename(ctx["filename"]))
        notes.format_id = self._format_id
        return notes

    def _read_ytdl_file(self, ctx: dict[str, Any]) -> None:
        """Read how far an earlier run came; what its file lacks or has beyond that is not taken for held."""
        super()._read_ytdl_file(ctx)
        self._notes = self._notes_of(ctx)
        if not self._notes.fits(self.filesize_or_none(ctx["tmpfilename"])):
            ctx["ytdl_corrupt"] = True
        elif self._notes.gaps:
            # From the first gap on all are given to us; what is held of them is not fetched.
            self.noted_index = ctx["fragment_index"]
            ctx["fragment_index"] = min(self._notes.gaps) - 1

    def _write_ytdl_file(self, ctx: dict[str, Any]) -> None:
        """Write how far it is: what yt-dlp notes, and the length of the part file then."""
        if self._notes is None:
            self._notes = self._notes_of(ctx)
        if ctx["fragment_index"] == 0:
            self._notes.begin_anew()
            self.noted_index = 0
        self._notes.write(ctx)

    def _append_fragment(self, ctx: dict[str, Any], frag_content: bytes) -> None:
        """Append a fragment, then note it; yt-dlp notes also one that was not written whole."""
        ctx["dest_stream"].write(frag_content)
        ctx["dest_stream"].flush()
        super()._append_fragment(ctx, b"")

    def close_notes(self) -> None:
        """Leave the notes as they are."""
        if self._notes is not None:
            self._notes.close()

    def download_and_append_fragments(
        self, ctx: dict[str, Any], fragments: Any, info_dict: dict[str, Any], **words: Any
    ) -> Any:
        """Fetch the fragments through the engine's window and append them in order."""
        if ctx.get("live") or self.params.get("keep_fragments") or ctx.get("max_progress", 1) > 1:
            self.manager.counts.note_native("a live stream" if ctx.get("live") else "several streams at once")
            return super().download_and_append_fragments(ctx, fragments, info_dict, **words)
        return FragmentTransfer(self, ctx, info_dict, words).run(fragments)

    def natively(self, ctx: dict[str, Any], fragments: Any, info_dict: dict[str, Any], words: dict[str, Any]) -> Any:
        """Let yt-dlp's own code fetch these fragments. Raises `ContentError` where one lacks that is to be there."""
        self._is_native = True
        try:
            return super().download_and_append_fragments(ctx, fragments, info_dict, **words)
        except BaseException:
            # As long as it is open it is locked.
            with suppress(OSError):
                ctx["dest_stream"].close()
            raise

    def report_skip_fragment(self, frag_index: int, err: Any = None) -> None:
        """Say that a fragment is passed over, which yt-dlp's own code does not do where it is to be fetched later."""
        super().report_skip_fragment(frag_index, err)
        if self._is_native and self.ydl.job.missing is not None:
            self.ydl.job.missing = 1
            raise ContentError(Reason.INCOMPLETE, f"fragment {frag_index} is missing")


class AsyncHlsFD(AsyncFragments, HlsFD):
    """HLS."""

    FD_NAME = HlsFD.FD_NAME


class AsyncDashSegmentsFD(AsyncFragments, DashSegmentsFD):
    """DASH."""

    FD_NAME = DashSegmentsFD.FD_NAME


REPLACEMENTS = {HttpFD: AsyncHttpFD, HlsFD: AsyncHlsFD, DashSegmentsFD: AsyncDashSegmentsFD}
"""Ours by what it replaces."""


def replacement_for(info: dict[str, Any], params: Mapping[str, Any]) -> type[AsyncFileDownloader] | None:
    """Return our downloader for a format, None where yt-dlp would take another one than those that we replace."""
    if _wants_native(info, params):
        return None
    return REPLACEMENTS.get(get_suitable_downloader(info, params))


def _wants_native(info: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether `--downloader native` was given for any of it."""
    chosen = params.get("external_downloader")
    words = chosen.values() if isinstance(chosen, dict) else (chosen,)
    return any(isinstance(word, str) and word.lower() == "native" for word in words) and bool(info)
