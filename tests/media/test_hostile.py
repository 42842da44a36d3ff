"""What a site says of itself never chooses where and what is written, nor what is sent to others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.media.runs import files_in, params_of, run_ours

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager


def extracted(site: Site, **words: Any) -> dict[str, Any]:
    """Return what an extractor of a hostile site may find."""
    url = f"{site.url}/v360.mp4"
    info = {"id": "x", "title": "t", "url": url, "ext": "mp4", "extractor": "evil", "extractor_key": "Evil"}
    return {**info, "webpage_url": url, **words}


async def process(manager: AsyncDownloadManager, info: dict[str, Any], folder: Path, *arguments: str) -> int:
    """Download what was extracted; return the code."""
    import asyncio  # noqa: PLC0415  # only here

    manager._loop = asyncio.get_running_loop()

    def work() -> int:
        with manager.planner(params_of(arguments, folder)) as planner:
            try:
                planner.process_ie_result(info, download=True)
                planner.lanes.drain()
            except Exception:  # noqa: BLE001  # refused in one way or another
                return 1
            return int(planner._download_retcode)

    return await asyncio.to_thread(work)


@pytest.mark.parametrize(
    "words",
    [
        {"title": "../../../etc/passwd"},
        {"title": "a\nb\rc\x1b]0;owned\x07"},
        {"title": "." * 300},
        {"title": "-rf"},
        {"title": "\u202eevil"},
        {"id": "../../up"},
        {"title": "a/b\\c", "id": "\x00"},
    ],
)
async def test_names_stay_in_the_folder(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, words: dict[str, Any]
) -> None:
    """Whatever title and id are, one file in one folder, or none."""
    folder = tmp_path / "deep" / "er"
    await process(manager, extracted(site, **words), folder)
    found = files_in(tmp_path / "deep")
    assert all(os.path.dirname(name) == "er" for name in found)  # noqa: PTH120  # text
    assert all("\n" not in name and "\x1b" not in name for name in found)
    assert not (tmp_path / "up.mp4").exists()


@pytest.mark.parametrize("ext", ["desktop", "lnk", "exe", "sh", "mp4/../../x.sh", "url", "py"])
async def test_a_dangerous_extension_is_refused(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, ext: str
) -> None:
    """Nothing that a desktop would run is written."""
    await process(manager, extracted(site, ext=ext), tmp_path / "in")
    assert not [name for name in files_in(tmp_path) if not name.endswith((".mp4", ".part"))]


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nHost: evil"}, {"X\r\nY": "a"}, {"Referer": "a\nb"}])
async def test_headers_of_two_lines_are_not_sent(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, headers: dict[str, str]
) -> None:
    """The video fails, and the server was asked for nothing."""
    assert await process(manager, extracted(site, http_headers=headers), tmp_path) == 1
    assert not site.seen


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "ftp://127.0.0.1:1/x", "javascript:alert(1)"])
async def test_other_addresses_give_no_file(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, url: str
) -> None:
    """Local files least of all."""
    await process(manager, extracted(site, url=url), tmp_path, "-R", "0")
    assert files_in(tmp_path) == {}


async def test_local_fragments_give_no_file(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """A playlist may name what it likes."""
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    hls = site.write("evil.m3u8", playlist)
    await run_ours(manager, [hls], ("--fragment-retries", "0", "-R", "0", "--abort-on-unavailable-fragments"), tmp_path)
    assert not [name for name in files_in(tmp_path) if name.endswith(".mp4")]


async def test_secrets_stay_with_their_origin(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """A cookie and a key that were given for one host are not sent behind a redirect to another."""
    other = site.url.replace("127.0.0.1", "localhost")
    info = extracted(site, url=f"{site.url}/away/v360.mp4", http_headers={"Authorization": "Bearer s", "X-Key": "s"})
    site.redirects["/away/v360.mp4"] = f"{other}/v360.mp4"
    assert await process(manager, info, tmp_path) == 0
    last = dict(site.seen[-1][1])
    assert site.seen[0][1].get("authorization") == "Bearer s"
    assert {"authorization", "x-key", "cookie"} & set(last) == set()
    assert last["user-agent"].startswith("Mozilla/")
