"""What an extractor may say that is meant ill: refused, or made harmless."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.media.runs import files_in
from tui_dl.core.errors import Reason, SiteRefusedError
from tui_dl.core.media_rules import AS_FILE, AS_MEDIA, error_of_words, obvious_form
from tui_dl.core.status import Status
from tui_dl.media.found import MOST_TITLE_CHARS, entry_of, facts_of, formats_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.queue_stage import Queue
    from tests.media.site import Site

EVIL = "../\x1b]0;evil\x07\n\u202e.desktop"


def feed(title: str, url: str) -> str:
    """Return a feed of one episode."""
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title><item><title>{title}</title>'
        f'<enclosure url="{url}" type="video/mp4" length="1"/><link>{url}</link></item></channel></rss>'
    )


async def test_titles_choose_no_path_and_no_terminal(queue: Queue, site: Site, tmp_path: Path) -> None:
    """Whatever a playlist calls its entries, files stay in the folder, and rows say it in safe words."""
    url = site.write("evil.rss", feed("../../&#10;-rf\u202e.desktop", "{site}/v360.mp4"))
    await queue.add(url)
    await queue.idle()
    (entry,) = await queue.rows()
    assert entry.status is Status.COMPLETED
    for text in (entry.filename, entry.facts.title):
        assert text.isprintable()
    assert entry.filename[0] not in ".-"
    names = [name for name in files_in(tmp_path) if not name.startswith("journal")]
    assert all(name.startswith("downloads/") and name.count("/") == 1 for name in names)
    assert [name.endswith(".mp4") for name in names] == [True]


async def test_entries_lead_to_the_web_alone(queue: Queue, site: Site) -> None:
    """Files of this machine are read by nobody; such a row has its playlist's address."""
    for number, url in enumerate(("file:///etc/passwd", "javascript:1")):
        head = await queue.ended(await queue.add(site.write(f"local{number}.rss", feed("Local", url))))
        assert head.status is Status.FAILED
        assert {task.url for task in await queue.rows() if task.parent_id == head.id} <= {head.url}
    assert files_in(queue.dir) == {}


async def test_what_lies_in_the_folder_is_not_run(
    queue: Queue, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would take a file that was downloaded there for yt-dlp, in the process that reads pages."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yt_dlp.py").write_text("open('was_run', 'w')\n")
    task = await queue.ended(await queue.add(f"{site.url}/v360.mp4"))
    assert task.status is Status.COMPLETED
    assert not (tmp_path / "was_run").exists()


async def test_unsafe_extensions_are_refused(queue: Queue, site: Site) -> None:
    """A desktop file is no video, whatever its type says."""
    site.write("run.desktop", (site.root / "v360.mp4").read_bytes())
    row = await queue.ended(await queue.add(f"{site.url}/run.desktop"))
    assert not [name for name in files_in(queue.dir) if name.endswith(".desktop")]
    assert row.status in (Status.FAILED, Status.COMPLETED)


def test_facts_and_formats_are_made_safe() -> None:
    """Wrong types, huge texts, control characters, sizes beyond all reason."""
    info = {
        "title": EVIL + "x" * 10_000,
        "id": {"a": 1},
        "duration": float("inf"),
        "extractor_key": 7,
        "subtitles": {EVIL: [], "live_chat": []},
        "automatic_captions": None,
        "formats": [{"format_id": EVIL, "filesize": -1, "width": "wide", "tbr": True, "vcodec": "none"}, "no format"],
    }
    facts = facts_of(info)
    assert facts.title.isprintable()
    assert len(facts.title) <= MOST_TITLE_CHARS
    assert (facts.duration_s, facts.video_id, facts.extractor) == (None, "", "7")
    formats = formats_of(info)
    assert [one.has_video for one in formats.formats] == [False]
    (one,) = formats.formats
    assert (one.size_bytes, one.width, one.bitrate_kbps) == (None, None, None)
    assert one.id.isprintable()
    assert all(name.isprintable() for name in formats.subtitles)


def test_entries_of_one_name_are_told_apart() -> None:
    """The same video twice in a playlist is two rows; an address that is none is not taken."""
    taken: set[str] = set()
    entry = {"_type": "url", "url": "http://h.test/1", "id": "1", "ie_key": "X"}
    first, second = (entry_of(entry, index, {}, taken) for index in (1, 2))
    assert first.name != second.name
    assert json.loads(second.note)["index"] == 2
    assert entry_of({"_type": "url", "url": ["no"], "id": 1}, 3, {}, taken).url == ""


def test_what_sites_say_of_robots_parks_them() -> None:
    """The words of yt-dlp's extractors, and the statuses that they name."""
    for text in (
        "ERROR: [youtube] x: Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser",
        "[generic] Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again",
        "HTTP Error 429: Too Many Requests",
    ):
        assert isinstance(error_of_words(text), SiteRefusedError)
    assert error_of_words("ERROR: Private video. Sign in if you have access").reason is Reason.NO_MEDIA
    assert error_of_words("HTTP Error 503: Busy").is_retryable
    assert error_of_words("timed out", is_network=True).reason is Reason.STALLED


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://h.test/a.iso", AS_FILE),
        ("https://h.test/a.tar.gz?x=1", AS_FILE),
        ("ftp://h.test/watch", AS_FILE),
        ("https://h.test/live/a.m3u8#t=1", AS_MEDIA),
        ("https://h.test/feed.rss", AS_MEDIA),
        ("https://h.test/watch?v=a.iso", ""),
        ("https://h.test/", ""),
        ("https://h.test/v1.2", ""),
        ("https://h.test/page.html", ""),
    ],
)
def test_what_an_address_alone_tells(url: str, form: str) -> None:
    """Endings decide where they are those of files or of streams."""
    assert obvious_form(url) == form
