"""What the details pane says of the hosts behind a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ui.fake_engine import MIB, make_task
from tests.ui.media_scene import entry, head, running_playlist
from tests.ui.test_columns import LOOK
from tui_dl.core.events import LogLine
from tui_dl.core.media import PRESETS
from tui_dl.core.ports import HostView, SegmentView, SourceView, TaskDetails
from tui_dl.core.ranges import ByteRange
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress, TaskOptions
from tui_dl.ui.details_text import Page, page_text

SEGMENTS = tuple(SegmentView(ByteRange(n * 10, n * 10 + 5), 1.0) for n in range(6))
CDN = HostView("cdn.example", 2, 8)


def overview(*hosts: HostView, segments: tuple[SegmentView, ...] = (), sources: tuple[SourceView, ...] = ()) -> str:
    """Return the page as text."""
    task = make_task(1, "f.bin", host="example.org")
    details = TaskDetails(task, hosts=hosts, segments=segments, sources=sources)
    return page_text(Page.OVERVIEW, details, None, LOOK, 120).plain


def test_connections_are_counted_against_what_the_serving_host_allows() -> None:
    """The host that a redirect led to, not the one that the address names."""
    assert "6 connections of 8 allowed by cdn.example" in overview(CDN, segments=SEGMENTS)


def test_connections_to_several_sources_have_a_line_each_elsewhere() -> None:
    """No single host allows them all."""
    sources = tuple(SourceView(host, 3, 0.0, "") for host in ("a", "b"))
    text = overview(CDN, segments=SEGMENTS, sources=sources)
    assert "6 connections" in text
    assert "allowed by" not in text


def test_a_host_that_asked_for_patience_says_for_how_long() -> None:
    """The words of the row are about the task; these are about the host."""
    waiting = replace(CDN, due_at=LOOK.now + 23)
    assert "cdn.example: waiting 23 s, 2 of 8" in overview(waiting)


@pytest.mark.parametrize("host", [CDN, replace(CDN, due_at=LOOK.now - 1)])
def test_a_host_that_wants_nothing_has_no_line(host: HostView) -> None:
    """Most hosts never refuse anything."""
    assert "cdn.example:" not in overview(host)


def test_what_was_learned_is_said() -> None:
    """So that nobody wonders why there are no more connections."""
    text = overview(replace(CDN, allowed=2, is_restricted=True))
    assert "cdn.example: 2 of 2 connections, as learned from its refusals" in text


def test_the_peak_is_never_below_the_speed() -> None:
    """The history behind it is sampled less often."""
    task = make_task(1, "f.bin")
    progress = DownloadProgress(task, 0, None, 2.15 * MIB)
    text = page_text(Page.OVERVIEW, TaskDetails(task, peak_bps=2.07 * MIB), progress, LOOK, 120).plain
    assert "peak 2.15 MiB/s" in text


def digest_line(status: Status, sha256: str = "", **options: str) -> str:
    """Return what the page says of a digest; empty for nothing."""
    task = replace(make_task(1, "f.bin", status), options=TaskOptions(**options), sha256=sha256)  # type: ignore[arg-type]  # texts alone
    lines = page_text(Page.OVERVIEW, TaskDetails(task), None, LOOK, 120).plain.splitlines()
    return next((line for line in lines if line.startswith("digest")), "")


def test_a_digest_that_a_file_must_have_is_shown_until_it_has_it() -> None:
    """A person can compare it with the one on the web page."""
    assert "md5 ab, to be checked" in digest_line(Status.DOWNLOADING, checksum="md5=ab")
    assert "sha1 of each 256 KiB" in digest_line(Status.PENDING, pieces="sha1:262144:AAAA")
    assert "sha256 cd" in digest_line(Status.COMPLETED, sha256="cd", checksum="sha256=cd")
    assert digest_line(Status.COMPLETED, checksum="md5=ab").endswith("md5 ab")
    assert digest_line(Status.DOWNLOADING) == ""


def test_a_skipped_metalink_says_what_became_of_it() -> None:
    """There is no reason code for that: nothing stood in the way."""
    task = replace(make_task(1, "f.meta4", Status.SKIPPED), reason_text="a Metalink: its 2 files are in the queue")
    assert "its 2 files" in page_text(Page.OVERVIEW, TaskDetails(task), None, LOOK, 120).plain


def media_page(details: TaskDetails, progress: DownloadProgress | None = None) -> str:
    """Return the page as text."""
    return page_text(Page.OVERVIEW, details, progress, LOOK, 120).plain


def test_media_say_what_they_are_and_what_comes() -> None:
    """Title, place and length, what was chosen and what it came to; who else is at work and why, by whose settings."""
    log = (LogLine(0.0, "configuration: /home/ada/.config/yt-dlp"), LogLine(1.0, "[tui-dl] abc: by yt-dlp (live)"))
    task = entry(1, Status.DOWNLOADING, _choice=PRESETS[2], _format_label="1280x720 mp4", _is_by_yt_dlp=True)
    lines = media_page(TaskDetails(task, log=log)).splitlines()
    for line in (
        "title    Keynote",
        "video    1 of its playlist · 12:34 · conference",
        "format   1280x720 mp4 · 720p",
        "engine   by yt-dlp (live)",
        "config   /home/ada/.config/yt-dlp",
    ):
        assert line in lines


def test_a_playlist_is_counted_in_the_pane() -> None:
    """How many there are, were chosen, and are done."""
    task = head(Status.DOWNLOADING, done_count=1, failed_count=1)
    assert "videos   3 · 2 chosen · 1 of 2 done, 1 failed" in media_page(TaskDetails(task))


def test_what_is_done_beside_the_transfer_is_said() -> None:
    """A merge has no speed."""
    engine = running_playlist()
    assert "stage    merging" in media_page(TaskDetails(engine.tasks[11]), engine.progress[11])


def test_files_have_no_lines_of_media() -> None:
    """Their pane is as ever."""
    assert "format" not in media_page(TaskDetails(make_task(1, "f.bin")))
