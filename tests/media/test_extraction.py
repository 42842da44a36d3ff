"""Extraction in processes: the same results, errors and cookies, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import yt_dlp
from yt_dlp.utils import ExtractorError, GeoRestrictedError

from tests.media.clips import page_of, rss
from tests.media.runs import files_in, params_of, run_native, run_ours
from tui_dl.media.extraction import Extraction, WorkerEnded
from tui_dl.media.portable import NotPortableError, cookie_from, cookies_of, portable, portable_params
from tui_dl.media.remote import RemoteExtractor, error_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager


@pytest.fixture
def extraction() -> Iterator[Extraction]:
    """Return processes that are ended with the test."""
    made = Extraction()
    yield made
    made.close()


def extract(manager: AsyncDownloadManager, extraction: Extraction, url: str, folder: Path, **words: Any) -> Any:
    """Extract an address in a process; return what was found with all entries, and the object that was told."""
    ydl = manager.youtube_dl(params_of((), folder, **words))
    found = RemoteExtractor(ydl, ydl.get_info_extractor("Generic"), extraction).extract(url)
    if "entries" in found:
        found["entries"] = list(found["entries"])
    return found, ydl


async def test_a_process_finds_what_a_thread_finds(
    site: Site, manager: AsyncDownloadManager, extraction: Extraction, tmp_path: Path
) -> None:
    """A page, a stream and a playlist of a hundred, which comes page by page."""
    site.write("hundred.rss", rss(100))
    with yt_dlp.YoutubeDL(params_of((), tmp_path)) as stock:
        for path in ("html5.html", "hls/master.m3u8", "hundred.rss", "three.html"):
            url = f"{site.url}/{path}"
            there, _ = await asyncio.to_thread(extract, manager, extraction, url, tmp_path)
            here = await asyncio.to_thread(stock.get_info_extractor("Generic").extract, url)
            if "entries" in here:
                here["entries"] = list(here["entries"])
            assert json.loads(json.dumps(portable(there))) == json.loads(json.dumps(portable(here)))
    assert extraction.count == 4


async def test_what_lies_in_the_folder_is_not_run(
    site: Site, manager: AsyncDownloadManager, extraction: Extraction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would take a file that was downloaded there for yt-dlp."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yt_dlp.py").write_text("open('was_run', 'w')\n")
    found, _ = await asyncio.to_thread(extract, manager, extraction, f"{site.url}/html5.html", tmp_path)
    assert found
    assert not (tmp_path / "was_run").exists()


async def test_cookies_go_both_ways_and_errors_come_back(
    site: Site, manager: AsyncDownloadManager, extraction: Extraction, tmp_path: Path
) -> None:
    """What the process is given with a page is sent with the next one, too; a process that is killed is replaced."""
    _, ydl = await asyncio.to_thread(extract, manager, extraction, f"{site.url}/cookie/html5.html", tmp_path)
    assert ydl.cookiejar.get_cookie_header(site.url) == "key=let-me-in"
    remote = RemoteExtractor(ydl, ydl.get_info_extractor("Generic"), extraction)
    assert (await asyncio.to_thread(remote.extract, f"{site.url}/need/html5.html"))["formats"]
    url = site.write("empty.html", "<html></html>")
    with pytest.raises(ExtractorError) as there:
        await asyncio.to_thread(remote.extract, url)
    with yt_dlp.YoutubeDL(params_of((), tmp_path)) as stock, pytest.raises(ExtractorError) as here:
        await asyncio.to_thread(stock.get_info_extractor("Generic").extract, url)
    assert str(there.value) == str(here.value)
    assert extraction.count == 3
    extraction._all[0].kill()
    assert (await asyncio.to_thread(remote.extract, f"{site.url}/html5.html"))["formats"]
    assert extraction.count == 3


async def test_a_page_that_never_comes_is_left_at_once(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """Cancelled, nothing waits for the server's patience or ours."""
    manager._extracts_elsewhere = None
    site.delay_s = 60
    running = asyncio.ensure_future(manager.download([f"{site.url}/html5.html"], params_of((), tmp_path)))
    async with asyncio.timeout(30):
        while not site.asked:  # noqa: ASYNC110  # what is waited for tells no event
            await asyncio.sleep(0.02)
    began_at = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began_at < 15


def test_an_error_keeps_its_kind() -> None:
    """Where yt-dlp says more for it."""
    told = {"class": "GeoRestrictedError", "text": "not here", "countries": ["DE"], "cause": "OSError(1)"}
    error = error_from({**told, "video_id": "x", "ie": "y", "expected": True})
    assert isinstance(error, GeoRestrictedError)
    assert str(error) == "[y] x: not here (caused by OSError(1))"


async def test_videos_beside_a_transfer_are_extracted_elsewhere(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """The first here, since nothing is transferred yet; the files are those of stock yt-dlp."""
    manager._extracts_elsewhere = None
    site.delay_s = 0.2
    urls = [site.write(f"page{number}.html", page_of(f"/v360.mp4?n={number}")) for number in range(4)]
    arguments = ("-o", "%(autonumber)s %(id)s.%(ext)s")
    assert await run_ours(manager, urls, arguments, tmp_path / "ours") == 0
    assert manager.extraction.count >= 1
    site.delay_s = 0
    assert await run_native(urls, arguments, tmp_path / "native") == 0
    assert files_in(tmp_path / "ours") == files_in(tmp_path / "native")


async def test_a_process_ends_with_whoever_asked_it(
    site: Site, manager: AsyncDownloadManager, extraction: Extraction, tmp_path: Path
) -> None:
    """Also in the middle of a page, when its parent is killed: its input ends then."""
    await asyncio.to_thread(extract, manager, extraction, f"{site.url}/html5.html", tmp_path)
    worker = extraction._all[0]
    request = {"url": f"{site.url}/gate/html5.html", "key": "Generic", "cookies": []}
    await asyncio.to_thread(worker.send, request)
    stdin = worker._process.stdin
    assert stdin is not None
    await asyncio.to_thread(stdin.close)
    assert await asyncio.to_thread(worker._process.wait, 10) == 0
    await asyncio.to_thread(extraction.close)
    with pytest.raises(WorkerEnded):
        await asyncio.to_thread(extraction.take, manager.youtube_dl(params_of((), tmp_path)))


def test_only_what_json_knows_is_portable() -> None:
    """And of the parameters, what an extractor needs."""
    assert portable({"a": [1, (2.5, None)], "b": {"c": True}}) == {"a": [1, [2.5, None]], "b": {"c": True}}
    for value in (lambda: None, {1: 2}, {"a": object()}, b"x", iter(())):
        with pytest.raises(NotPortableError):
            portable(value)
    kept = portable_params({"username": "u", "cookiefile": "c", "match_filter": print, "noplaylist": True, "x": print})
    assert kept == {"username": "u", "noplaylist": True}


def test_a_cookie_survives_the_way() -> None:
    """With all that decides to whom it is sent."""
    jar = yt_dlp.cookies.YoutubeDLCookieJar()
    fields = [0, "n", "v", None, False, ".example.org", True, True, "/p", True, True, 2_000_000_000, False, None, None]
    jar.set_cookie(cookie_from([*fields, False, {"HttpOnly": ""}]))
    values = cookies_of(jar)
    assert list(values) == [".example.org\t/p\tn"]
    assert cookies_of([cookie_from(one) for one in values.values()]) == values
