"""One bar for one video: its picture, its sound, and what is made of them."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.ports_media import MediaProgress
from tui_dl.media.found import form_label, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STAGES: Final = {
    "Merger": "merging",
    "ExtractAudio": "extracting audio",
    "Metadata": "writing metadata",
    "EmbedThumbnail": "embedding the thumbnail",
    "EmbedSubtitle": "embedding subtitles",
    "VideoConvertor": "converting",
    "VideoRemuxer": "remuxing",
    "ThumbnailsConvertor": "converting the thumbnail",
    "SubtitlesConvertor": "converting subtitles",
    "SplitChapters": "splitting chapters",
    "ModifyChapters": "cutting chapters",
    "SponsorBlock": "asking SponsorBlock",
    "Exec": "running a command",
    "Concat": "joining",
}
"""What post-processors do, in words."""
_SILENT: Final = frozenset({"MoveFiles", "MetadataParser", "MetadataFromField"})
"""Those that take no time."""


class VideoProgress:
    """Hears yt-dlp's hooks in a lane's thread, and reports on the loop what a row shows."""

    def __init__(self, report: Callable[[MediaProgress], None]) -> None:
        self._report = report
        self._expected: dict[str, float] = {}
        self._arrived: dict[str, int] = {}
        self._totals: dict[str, float] = {}
        self._label = self._filename = self._part = ""
        self._is_by_yt_dlp = False
        self.is_processing = False
        """Whether all of it is here, and is being worked on."""
        self._stage = ""
        self._merged: str = ""

    def begin(self, info: Mapping[str, Any], filename: str) -> None:
        """Take the forms that were chosen."""
        for one in info.get("requested_formats") or [info]:
            size = number_of(one.get("filesize")) or number_of(one.get("filesize_approx"))
            self._expected[str(one.get("format_id"))] = size or 0.0
        self._label, self._filename = form_label(info), text_of(os.path.basename(filename))  # noqa: PTH119  # text
        self._merged = filename
        self.tell()

    def natively(self, *, is_so: bool) -> None:
        """Note who makes the transfer that begins now."""
        self._is_by_yt_dlp = is_so
        self.tell()

    def hear(self, told: Mapping[str, Any]) -> None:
        """Take what a download says of itself."""
        info = told.get("info_dict") or {}
        key = str(info.get("format_id"))
        if key not in self._expected:
            return  # subtitles and the like
        arrived = number_of(told.get("downloaded_bytes"))
        total = number_of(told.get("total_bytes")) or number_of(told.get("total_bytes_estimate"))
        if arrived is not None:
            self._arrived[key] = int(arrived)
        if told.get("status") == "finished":
            self._totals[key] = float(arrived or total or self._arrived.get(key, 0))
            self._arrived[key] = int(self._totals[key])
            self._part = ""
        else:
            if total:
                self._totals[key] = total
            self._part = str(told.get("tmpfilename") or "")
        self.tell()

    def hear_processor(self, told: Mapping[str, Any]) -> None:
        """Take what a post-processor says of itself."""
        name = str(told.get("postprocessor") or "")
        if name in _SILENT:
            return
        if told.get("status") == "started":
            self._stage = STAGES.get(name) or ("mending the container" if name.startswith("Fixup") else "processing")
            self.is_processing |= not self._expected or bool(self._arrived)
        elif told.get("status") == "finished":
            self._stage = ""
        self.tell()

    @property
    def is_merging(self) -> bool:
        """Whether its parts are being put into one file."""
        return self._stage == STAGES["Merger"]

    def tell(self) -> None:
        """Report where it stands."""
        sizes = [self._totals.get(key) or size for key, size in self._expected.items()]
        arrived = sum(self._arrived.values())
        total = int(sum(sizes)) if sizes and all(sizes) else None
        stage = self._stage or ("by yt-dlp" if self._is_by_yt_dlp and not self.is_processing else "")
        self._report(
            MediaProgress(
                downloaded_bytes=arrived,
                total_bytes=None if total is None else max(total, arrived),
                stage=stage,
                fraction=self._fraction(arrived),
                is_processing=self.is_processing,
                is_by_yt_dlp=self._is_by_yt_dlp,
                label=self._label,
                format_ids=" ".join(map(text_of, self._expected)),
                filename=self._filename,
                part_path=self._part,
            )
        )

    def _fraction(self, arrived: int) -> float | None:
        """Return how far a merge is: what is written grows to what was read."""
        if self._stage != STAGES["Merger"] or not arrived:
            return None
        stem, suffix = os.path.splitext(self._merged)  # noqa: PTH122  # text
        written = 0
        with suppress(OSError):
            written = os.stat(f"{stem}.temp{suffix}").st_size  # noqa: PTH116  # yt-dlp's names are text
        return min(1.0, written / arrived)
