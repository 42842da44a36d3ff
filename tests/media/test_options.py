"""yt-dlp's options hold for the engine's transfers as for its own; hooks see the same."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.media.clips import page_of
from tests.media.runs import files_in, run_native, run_ours
from tui_dl.core.settings import Settings
from tui_dl.media.engine_settings import settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager

NAME = ("-o", "clip.%(ext)s")


@pytest.mark.parametrize("path", ["v360.mp4", "hls/media.m3u8"])
async def test_a_rate_limit_holds(site: Site, manager: AsyncDownloadManager, tmp_path: Path, path: str) -> None:
    """Never faster; how much slower is the machine's business."""
    size = sum(one.stat().st_size for one in (site.root / "hls").glob("s*.ts")) if "hls" in path else 0
    size = size or (site.root / path).stat().st_size
    began_at = time.monotonic()
    assert await run_ours(manager, [f"{site.url}/{path}"], (*NAME, "-r", str(size // 2)), tmp_path) == 0
    assert time.monotonic() - began_at >= 1.5


async def test_chunks_are_no_longer_than_asked_for(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """Some servers slow down whoever asks for more at once."""
    assert await run_ours(manager, [f"{site.url}/v360.mp4"], (*NAME, "--http-chunk-size", "60K"), tmp_path) == 0
    ranges = [headers["range"].removeprefix("bytes=").split("-") for _, headers in site.seen if "range" in headers]
    assert len(ranges) > 3
    assert all(int(end) - int(start) < 60 * 1024 for start, end in ranges)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-filesize", "1K"),
        ("--no-part",),
        ("--mtime",),
        ("--no-continue",),
        ("--no-overwrites",),
        ("--write-thumbnail", "--write-description"),
        ("-P", "temp:there"),
    ],
    ids=" ".join,
)
async def test_what_is_left_is_what_stock_yt_dlp_leaves(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Files, names and times, where a file is there already, too."""
    url = f"{site.url}/html5.html"
    for folder in (tmp_path / "native", tmp_path / "ours"):
        folder.mkdir()
        if "overwrites" in arguments[0]:
            (folder / "clip.mp4").write_bytes(b"there already")
    native = await run_native([url], (*NAME, *arguments), tmp_path / "native")
    assert await run_ours(manager, [url], (*NAME, *arguments), tmp_path / "ours") == native
    assert files_in(tmp_path / "ours") == files_in(tmp_path / "native")
    if "--mtime" in arguments:
        assert len({(folder / "clip.mp4").stat().st_mtime for folder in (tmp_path / "native", tmp_path / "ours")}) == 1


async def test_hooks_see_what_they_see_of_stock_yt_dlp(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """The same keys and ends of progress, the same post-processors, the same last word."""
    seen: dict[str, list[Any]] = {"native": [], "ours": []}
    for who, said in seen.items():

        def progress(status: dict[str, Any], said: list[Any] = said) -> None:
            if status["status"] == "finished":
                said.append((sorted(key for key in status if not key.startswith("_")), status["total_bytes"]))

        def processed(status: dict[str, Any], said: list[Any] = said) -> None:
            said.append((status["status"], status["postprocessor"]))

        def done(path: str, said: list[Any] = said) -> None:
            said.append(path.rpartition("/")[2])

        words = {"progress_hooks": [progress], "postprocessor_hooks": [processed], "post_hooks": [done]}
        for path in ("v360.mp4", "hls/media.m3u8"):
            arguments = ("-o", "%(id)s.%(ext)s", "--embed-metadata")
            if who == "native":
                await run_native([f"{site.url}/{path}"], arguments, tmp_path / who, **words)
            else:
                await run_ours(manager, [f"{site.url}/{path}"], arguments, tmp_path / who, **words)
    assert seen["ours"] == seen["native"] != []


async def test_headers_are_those_of_yt_dlp(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """Its user agent, a Referer that was asked for, and no coding."""
    url = site.write("refer.html", page_of("/refer/v360.mp4"))
    assert await run_ours(manager, [url], (*NAME, "--referer", "https://example.org/"), tmp_path) == 0
    headers = next(headers for path, headers in reversed(site.seen) if path == "/refer/v360.mp4")
    assert headers["user-agent"].startswith("Mozilla/5.0")
    assert headers["referer"]
    assert headers["accept-encoding"] == "identity"


def test_the_engine_goes_the_way_that_yt_dlp_goes() -> None:
    """Proxy, addresses, certificates, time-outs and rate come from its options; nothing of ours is told to sites."""
    base = Settings(user="me:secret", bearer="t", cookies="c.txt", proxy="http://ours:1", referer="r", connections=4)
    plain = settings_for(base, {})
    assert (plain.user, plain.bearer, plain.cookies, plain.referer) == ("", "", "", "")
    assert (plain.proxy, plain.connections, plain.use_environment_proxy) == ("http://ours:1", 4, True)
    given = settings_for(
        base,
        {
            "proxy": "socks5://127.0.0.1:1",
            "nocheckcertificate": True,
            "source_address": "0.0.0.0",
            "socket_timeout": 7,
            "ratelimit": 1000.5,
        },
    )
    assert (given.proxy, given.insecure, given.ip_version) == ("socks5://127.0.0.1:1", True, "ipv4")
    assert (given.timeout, given.connect_timeout, given.limit_rate) == (7.0, 7.0, 1000)
    direct = settings_for(base, {"proxy": "", "source_address": "::"}, timeout_s=3.0)
    assert (direct.proxy, direct.use_environment_proxy, direct.ip_version) == ("", False, "ipv6")
    assert direct.timeout == 3.0
