"""A queue with a playlist that waits for a choice or is under way, and what a site offers of a video."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.ui.fake_engine import MIB, FakeEngine, make_task
from tui_dl.core.errors import Reason
from tui_dl.core.media import PRESETS, Kind, MediaChoice, MediaFacts, MediaFormat, MediaFormats
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask

HEAD: Final = 10
TITLES: Final = ("Keynote", "Engines that do not block", "Closing")
FORMATS: Final = MediaFormats(
    "Engines that do not block",
    (
        MediaFormat("140", "m4a", audio_codec="mp4a.40.2", has_video=False, size_bytes=12 * MIB, bitrate_kbps=129.4),
        MediaFormat("136", "mp4", 1280, 720, 25, "avc1.4d401f", has_audio=False, size_bytes=90 * MIB, bitrate_kbps=940),
        MediaFormat("22", "mp4", 1280, 720, 25, "avc1.64001F", "mp4a.40.2", note="720p"),
        MediaFormat(
            *("137", "mp4", 1920, 1080, 25, "avc1.640028"),
            has_audio=False,
            size_bytes=210 * MIB,
            is_size_estimated=True,
            bitrate_kbps=2210,
            protocol="dash",
        ),
    ),
    subtitles=("en",),
    automatic_subtitles=("de", "en"),
    site="media.example.org",
)


def entry(number: int, status: Status = Status.WAITING, **changes: object) -> DownloadTask:
    """Make an entry of the playlist; facts are given by name with an underscore in front."""
    facts = {name[1:]: changes.pop(name) for name in list(changes) if name.startswith("_")}
    held = MediaFacts(TITLES[(number - 1) % len(TITLES)], "conference", index=number, duration_s=754.0)
    return make_task(
        HEAD + number,
        f"{number}.mp4",
        status,
        kind=Kind.ENTRY,
        parent_id=HEAD,
        facts=replace(held, **facts),  # type: ignore[arg-type]  # names of fields
        **changes,
    )


def head(status: Status = Status.WAITING, **facts: object) -> DownloadTask:
    """Make the playlist itself."""
    reason = Reason.CHOICE if status is Status.WAITING else None
    held = MediaFacts("Conference 2026", "conference", entry_count=3, chosen_count=2)
    return make_task(
        HEAD,
        "conference",
        status,
        kind=Kind.PLAYLIST,
        reason=reason,
        total_bytes=None,
        host="media.example.org",
        facts=replace(held, **facts),  # type: ignore[arg-type]  # names of fields
    )


def waiting_playlist() -> FakeEngine:
    """Make a playlist that waits for a choice, its last entry left out, between two files."""
    entries = [
        entry(1, reason=Reason.CHOICE, _choice=PRESETS[2]),
        entry(2, reason=Reason.CHOICE, _choice=MediaChoice(subtitles=("en",))),
        entry(3, Status.SKIPPED, reason=Reason.NOT_CHOSEN, _is_chosen=False),
    ]
    engine = FakeEngine([make_task(1, "before.iso"), head(), *entries, make_task(20, "after.iso")])
    engine.formats = FORMATS
    return engine


def running_playlist() -> FakeEngine:
    """Make one under way: a video is merged, one comes by yt-dlp, one lacks fragments."""
    entries = [
        entry(1, Status.PROCESSING, total_bytes=812 * MIB),
        entry(2, Status.DOWNLOADING, total_bytes=640 * MIB, _is_by_yt_dlp=True),
        entry(3, Status.FAILED, reason=Reason.INCOMPLETE, _missing=2),
    ]
    counts = {"chosen_count": 3, "done_count": 0, "failed_count": 1}
    engine = FakeEngine([make_task(1, "before.iso"), head(Status.DOWNLOADING, **counts), *entries])
    engine.formats = FORMATS
    engine.run(HEAD + 2, 300 * MIB, 8.8 * MIB, 5)
    tasks = engine.tasks
    engine.progress[HEAD] = DownloadProgress(tasks[HEAD], 0, None, 11.9 * MIB, 724.0, 0, fraction=0.31)
    engine.progress[HEAD + 1] = DownloadProgress(tasks[HEAD + 1], 812 * MIB, 812 * MIB, stage="merging")
    return engine
