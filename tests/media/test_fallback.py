"""What the engine cannot do yt-dlp does, from the first byte on, and it is counted and said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.media.clips import page_of
from tests.media.runs import files_in, run_native, run_ours
from tui_dl.media.downloader import replacement_for
from tui_dl.media.fallback import reason_for_native, unsafe_header
from tui_dl.media.manager import RetryPlan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager

WEB = {"url": "http://127.0.0.1/a.mp4", "protocol": "http", "ext": "mp4"}
SAMPLE_AES = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="x"'
HLS = {"url": "http://127.0.0.1/a.m3u8", "protocol": "m3u8_native", "ext": "mp4"}
DASH = {"url": "http://127.0.0.1/a.mpd", "protocol": "http_dash_segments", "ext": "mp4"}


def is_native(info: dict[str, Any], params: dict[str, Any], name: str = "a.mp4") -> bool:
    """Whether a format is left to yt-dlp."""
    return bool(reason_for_native(name, info, params)) or replacement_for(dict(info), params) is None


@pytest.mark.parametrize("info", [WEB, HLS, {**DASH, "fragments": [{"url": "x"}]}])
def test_the_usual_is_the_engines(info: dict[str, Any]) -> None:
    """Plain files, HLS and DASH."""
    assert not is_native(info, {})


@pytest.mark.parametrize(
    ("info", "params"),
    [
        ({**HLS, "is_live": True}, {}),
        ({**DASH, "is_live": True}, {}),
        ({**DASH, "protocol": "http_dash_segments_generator", "fragments": lambda _ctx: iter(())}, {}),
        ({**DASH, "is_from_start": True}, {}),
        ({**DASH, "fragments": iter(())}, {}),
        ({**DASH, "fragments": "<generator>"}, {}),
        ({**HLS, "protocol": "m3u8"}, {}),
        ({**WEB, "section_start": 1, "section_end": 2}, {}),
        ({**WEB, "protocol": "ism"}, {}),
        ({**WEB, "protocol": "f4m"}, {}),
        ({**WEB, "protocol": "rtmp", "url": "rtmp://127.0.0.1/a"}, {}),
        ({**WEB, "protocol": "websocket_frag", "url": "wss://127.0.0.1/a"}, {}),
        ({**WEB, "protocol": "mhtml"}, {}),
        ({**WEB, "protocol": "ftp", "url": "ftp://127.0.0.1/a.mp4"}, {}),
        ({**WEB, "protocol": "niconico_live"}, {}),
        ({**WEB, "protocol": "fc2_live"}, {}),
        ({**WEB, "protocol": "youtube_live_chat"}, {}),
        ({**WEB, "url": "data:video/mp4;base64,AAAA", "protocol": "data"}, {}),
        ({**WEB, "url": "file:///etc/passwd", "protocol": "file"}, {}),
        ({**WEB, "impersonate": "chrome"}, {}),
        ({**WEB, "impersonate": True}, {}),
        ({**WEB, "request_data": b"x"}, {}),
        ({**WEB, "http_headers": {"Range": "bytes=5-"}}, {}),
        (WEB, {"client_certificate": "c.pem"}),
        (WEB, {"source_address": "192.0.2.1"}),
        (WEB, {"legacyserverconnect": True}),
        (WEB, {"impersonate": "chrome"}),
        (HLS, {"keep_fragments": True}),
        (WEB, {"external_downloader": {"default": "native"}}),
        (HLS, {"external_downloader": "ffmpeg"}),
        (WEB, {"debug_printtraffic": True}),
    ],
)
def test_the_rest_is_yt_dlps(info: dict[str, Any], params: dict[str, Any]) -> None:
    """Before anything is asked of a server."""
    assert is_native(info, params)
    assert is_native(WEB, {}, "-")
    assert not is_native(WEB, {"source_address": "0.0.0.0"})


async def test_a_stream_that_only_ffmpeg_knows_is_ffmpegs(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A live stream is told from others by its playlist alone, and the line says who downloads it."""
    text = (site.root / "hls" / "media.m3u8").read_text()
    url = site.write("hls/sample.m3u8", text.replace("#EXT-X-TARGET", f"{SAMPLE_AES}\n#EXT-X-TARGET"))
    await run_ours(manager, [url], (), tmp_path)
    assert manager.counts.engine == {}
    section = ("--download-sections", "*0-2", "-o", "cut.%(ext)s")
    loud = {"quiet": False, "no_warnings": False}
    assert await run_ours(manager, [f"{site.url}/hls/media.m3u8"], section, tmp_path, **loud) == 0
    assert (manager.counts.engine, manager.counts.native) == ({}, {"a section": 1})
    assert (tmp_path / "cut.mp4").stat().st_size
    assert "[tui-dl] media: by yt-dlp (a section)" in capsys.readouterr().err


async def test_what_a_server_denies_us_yt_dlp_tries_once(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """The same part file, with yt-dlp's own client."""
    site.write("deny.html", page_of("/deny/v360.mp4"))
    assert await run_ours(manager, [f"{site.url}/deny.html"], (), tmp_path) == 0
    assert list(manager.counts.engine.items()) == [("file", 1)]
    assert sum(manager.counts.native.values()) == 1
    assert list(files_in(tmp_path)) == ["Page (1) [deny-1].mp4"]


@pytest.mark.parametrize("skips", [True, False])
async def test_a_missing_fragment_is_passed_over_as_yt_dlp_does(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, skips: bool
) -> None:
    """Or ends the stream, where that was asked for; the file is that of stock yt-dlp."""
    text = (site.root / "hls" / "media.m3u8").read_text()
    url = site.write("hls/gap.m3u8", text.replace("s003.ts", "missing.ts"))
    choice = "--skip-unavailable-fragments" if skips else "--abort-on-unavailable-fragments"
    arguments = ("--fragment-retries", "1", choice)
    native = await run_native([url], arguments, tmp_path / "native")
    assert await run_ours(manager, [url], arguments, tmp_path / "ours") == native == (0 if skips else 1)
    assert files_in(tmp_path / "ours").get("gap [gap].mp4") == files_in(tmp_path / "native").get("gap [gap].mp4")
    assert manager.counts.native == {}


async def test_our_own_retries_are_instead_of_yt_dlps(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """`--async-max-retries` counts for the engine's transfers; then yt-dlp has its one try."""
    manager.retry = RetryPlan(most=1, delay_s=0.0)
    site.write("drops.html", page_of("/drop/v720.mp4"))
    site.write("gone.html", page_of("/gone/v360.mp4"))
    assert await run_ours(manager, [f"{site.url}/drops.html"], ("-R", "0"), tmp_path) == 0
    assert manager.counts.native == {}
    assert await run_ours(manager, [f"{site.url}/gone.html"], ("-R", "9"), tmp_path) == 1
    assert site.asked["/gone/v360.mp4"] <= 3


def test_a_header_of_two_lines_is_found() -> None:
    """And so is one that has no name."""
    assert unsafe_header({"Referer": "x", "A-b": "c"}) == ""
    for headers in ({"X": "a\r\nCookie: b"}, {"X\nY": "a"}, {"": "a"}, {"X Y": "a"}, {"X:": "a"}, {"X": "a\x00"}):
        assert unsafe_header(headers)
