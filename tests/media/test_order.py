"""What yt-dlp counts and compares from video to video is decided in its order, however many are on their way."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from tests.media.clips import page_of, rss
from tests.media.runs import files_in, run_native, run_ours
from tui_dl.media.job import Job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager

NUMBERED = ("-o", "%(autonumber)s %(playlist_index)s %(title)s.%(ext)s")
BY_TITLE = ("-o", "%(title)s.%(ext)s")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*NUMBERED, "--autonumber-start", "7"), 0),
        ((*NUMBERED, "--max-downloads", "2"), 101),
        ((*NUMBERED, "--max-downloads", "5"), 101),
        ((*NUMBERED, "-I", "4,2,1,-1:2:-2"), 0),
        ((*NUMBERED, "--match-filters", "title!=Episode 3", "--break-on-reject"), 101),
        ((*NUMBERED, "-f", "b,w"), 0),
        ((*BY_TITLE, "--break-on-existing", "--download-archive", "{archive}"), 101),
        ((*BY_TITLE, "--download-archive", "{archive}"), 0),
        (("-o", "one name.%(ext)s"), 0),
        ((*BY_TITLE, "--write-info-json", "--no-clean-info-json"), 0),
    ],
    ids=lambda value: " ".join(value[2:] or value) if isinstance(value, tuple) else str(value),
)
async def test_what_is_downloaded_is_what_stock_yt_dlp_downloads(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    """The same videos under the same names and numbers, with the same code."""
    url = site.write("five.rss", rss(5))
    names = []
    for run, folder in ((run_native, tmp_path / "native"), (None, tmp_path / "ours")):
        folder.mkdir()
        archive = folder / "archive.txt"
        archive.write_text("generic v360-3\ngeneric v360\n" if "--break-on-existing" in arguments else "")
        filled = [one.format(archive=archive) if "{archive}" in one else one for one in arguments]
        given = await run([url], filled, folder) if run else await run_ours(manager, [url], filled, folder)
        assert given == code
        found = files_in(folder)
        names.append({name: digest for name, digest in found.items() if not name.endswith(".json")})
        names[-1]["json"] = str(sorted(name for name in found if name.endswith(".json")))
    assert names[0] == names[1]


async def test_videos_are_downloaded_at_once(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """As many as were asked for, and no more."""
    urls = [f"{site.url}/gate/v360.mp4?n={number}" for number in range(6)]
    running = asyncio.ensure_future(run_ours(manager, urls, ("-o", "%(autonumber)s.%(ext)s"), tmp_path))

    def bodies() -> int:
        return len({path for path, headers in site.seen if "range" in headers})

    async with asyncio.timeout(30):
        while bodies() < 3:  # noqa: ASYNC110  # what is waited for tells no event
            await asyncio.sleep(0.01)
    lanes = [one for one in threading.enumerate() if one.name.startswith("tui-dl-lane")]
    assert (bodies(), len(lanes)) == (3, 3), "a fourth would need another lane, and each of these holds one"
    site.gate.set()
    assert await running == 0
    assert len(files_in(tmp_path)) == 6


class Turn:
    """A lock that knows how many came to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coming = threading.Semaphore(0)

    def __enter__(self) -> None:
        self._coming.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait_for(self, count: int) -> None:
        """Wait until so many more came; those that were no turn are missed after 20 s."""
        for _ in range(count):
            self._coming.acquire(timeout=20)


async def test_pauses_between_downloads_are_kept_over_all(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--sleep-interval` spaces the downloads of all lanes: each has its pause, and never two at once."""
    asked: list[float] = []
    sleeping: list[int] = []
    most: list[int] = []

    def wait(_job: Job, seconds: float) -> None:
        asked.append(seconds)
        sleeping.append(len(sleeping))
        most.append(len(sleeping))
        if len(asked) == 1:
            turn.wait_for(3)  # the first sleeps until the others want to
        sleeping.pop()

    turn = Turn()
    monkeypatch.setattr(manager.sleeps, "turn", turn)
    monkeypatch.setattr(Job, "wait", wait)
    urls = [f"{site.url}/v360.mp4?n={number}" for number in range(3)]
    arguments = ("-o", "%(autonumber)s.%(ext)s", "--sleep-interval", "7")
    assert await run_ours(manager, urls, arguments, tmp_path) == 0
    assert asked == [7.0, 7.0, 7.0]
    assert most == [1, 1, 1]


async def test_a_video_met_twice_is_downloaded_once(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """While the first is on its way the second waits to know whether it will be in the archive."""
    archive = tmp_path / "archive.txt"
    urls = [f"{site.url}/v360.mp4"] * 4
    arguments = ("-o", "%(autonumber)s.%(ext)s", "--download-archive", str(archive))
    assert await run_ours(manager, urls, arguments, tmp_path) == 0
    assert [name for name in files_in(tmp_path) if name.endswith(".mp4")] == ["00001.mp4"]
    assert archive.read_text() == "generic v360\n"


async def test_an_error_ends_the_run_where_that_is_wanted(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """`--abort-on-error` begins nothing more, and ends with yt-dlp's code."""
    urls = [f"{site.url}/gone.html", *(f"{site.url}/v360.mp4?n={number}" for number in range(5))]
    site.write("gone.html", page_of("/gone/v360.mp4"))
    native = await run_native(urls, ("--abort-on-error", *NUMBERED), tmp_path / "native")
    assert await run_ours(manager, urls, ("--abort-on-error", *NUMBERED), tmp_path / "ours") == native == 1
    assert len(files_in(tmp_path / "ours")) <= manager.concurrent_downloads
    assert files_in(tmp_path / "native") == {}
    assert await run_ours(manager, urls, NUMBERED, tmp_path / "on") == 1
    assert len(files_in(tmp_path / "on")) == 5
    assert await run_native(urls, NUMBERED, tmp_path / "native on") == 1
    assert files_in(tmp_path / "on") == files_in(tmp_path / "native on")
