"""What stock yt-dlp began ours ends, and the other way round; what changed meanwhile is never mixed."""

from __future__ import annotations

import json
import os
import resource
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from yt_dlp.utils import DownloadCancelled

from tests.media.runs import files_in, params_of, run_native, run_ours
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.media.downloader import AsyncFileDownloader
from tui_dl.media.job import Cancelled
from tui_dl.media.lane_youtube_dl import LaneYoutubeDL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager

NAME = ("-o", "clip.%(ext)s")


def stops_after(part_of_it: float) -> Callable[[dict[str, Any]], None]:
    """Return a progress hook that ends a download when so much of it is there."""

    def hook(status: dict[str, Any]) -> None:
        total = status.get("fragment_count") or status.get("total_bytes") or 1
        done = status.get("fragment_index") if status.get("fragment_count") else status["downloaded_bytes"]
        if status["status"] == "downloading" and (done or 0) >= part_of_it * total:
            raise DownloadCancelled

    return hook


def stops_at_step(number: int) -> Callable[[dict[str, Any]], None]:
    """Return a progress hook that ends a download before its so-manieth fragment is written."""
    steps = count(1)

    def hook(status: dict[str, Any]) -> None:
        if status["status"] == "downloading" and next(steps) >= number:
            raise DownloadCancelled

    return hook


async def half(site: Site, run: Any, path: str, folder: Path) -> None:
    """Download half of a file, in small steps."""
    site.rate_bps = 400_000 if path.endswith(".mp4") else 0
    code = await run(
        [f"{site.url}/{path}"], (*NAME, "--http-chunk-size", "50K"), folder, progress_hooks=[stops_after(0.4)]
    )
    assert code == 101
    assert (folder / "clip.mp4.part").stat().st_size
    site.rate_bps = 0


@pytest.mark.parametrize("path", ["v360.mp4", "hls/media.m3u8", "dash/stream.mpd"])
@pytest.mark.parametrize("first", ["native", "ours"])
async def test_either_goes_on_where_the_other_stopped(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, first: str, path: str
) -> None:
    """The part file and its notes are the same, so that the end is the same and nothing is fetched twice."""

    async def ours(*words: Any, **more: Any) -> int:
        return await run_ours(manager, *words, **more)

    runs = (run_native, ours) if first == "native" else (ours, run_native)
    arguments = (*NAME, "-f", "bv")[: 2 if "dash" not in path else 4]
    await run_native([f"{site.url}/{path}"], arguments, tmp_path / "whole")
    folder = tmp_path / "halves"
    site.forget()
    if "dash" in path:
        code = await runs[0]([f"{site.url}/{path}"], arguments, folder, progress_hooks=[stops_after(0.4)])
        assert code == 101
    else:
        await half(site, runs[0], path, folder)
    assert await runs[1]([f"{site.url}/{path}"], arguments, folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")
    assert manager.counts.engine
    assert not manager.counts.native
    ranges = [headers.get("range", "") for asked, headers in site.seen if asked.endswith(".mp4")]
    assert path != "v360.mp4" or any(not one.startswith("bytes=0-") for one in ranges if one)
    if path.startswith("hls"):
        assert sum(site.asked[f"/hls/s{number:03}.ts"] for number in range(6)) <= 6 + 2 * manager.connections


async def test_a_file_that_changed_is_fetched_anew(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """The last bytes held are compared with the server's before anything is appended to them."""
    whole = (site.root / "v360.mp4").read_bytes()
    other = bytes(byte ^ 0xFF for byte in whole)
    (tmp_path / "clip.mp4.part").write_bytes(other[: len(other) // 2])
    assert await run_ours(manager, [f"{site.url}/v360.mp4"], NAME, tmp_path) == 0
    assert (tmp_path / "clip.mp4").read_bytes() == whole


@pytest.mark.parametrize("cuts", [[1000], [10**9, 0], [0, 1000, 10**9, 0]], ids=["compared", "begun", "often"])
async def test_versions_are_not_mixed_where_the_proof_is_cut_short(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, cuts: list[int]
) -> None:
    """What an answer names says nothing of what is held before the last bytes were compared, or written anew."""
    whole = (site.root / "v360.mp4").read_bytes()
    other = bytes(byte ^ 0xFF for byte in whole)
    (tmp_path / "clip.mp4.part").write_bytes(other[: len(other) // 2])
    site.cuts = [10**9, *cuts]  # the first is yt-dlp's look at what it is
    assert await run_ours(manager, [f"{site.url}/v360.mp4"], NAME, tmp_path) == 0
    assert (tmp_path / "clip.mp4").read_bytes() == whole
    assert not manager.counts.native


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "seen"])
async def test_a_file_that_changes_between_two_attempts_is_fetched_anew(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, *, is_told: bool
) -> None:
    """yt-dlp's own downloader, which proves nothing, would append the one version to the other."""
    first, second = bytes(600_000), bytes([1]) * 700_000
    url = site.write("changing.mp4", first)
    site.cuts = [10**9, 100_000]

    def change(_status: dict[str, Any]) -> None:
        if not site.cuts:
            site.write("changing.mp4", second)
            site.modified = "Tue, 03 Mar 2026 11:00:00 GMT" if is_told else site.modified

    assert await run_ours(manager, [url], NAME, tmp_path, progress_hooks=[change]) == 0
    assert (tmp_path / "clip.mp4").read_bytes() == second
    assert not manager.counts.native


@pytest.mark.parametrize("held", [0, 1, 1000], ids=["all", "but one byte", "but a little"])
async def test_a_part_file_that_is_nearly_whole_is_ended(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, held: int
) -> None:
    """Also one that lacks nothing but its name."""
    whole = (site.root / "v360.mp4").read_bytes()
    (tmp_path / "clip.mp4.part").write_bytes(whole[: len(whole) - held])
    assert await run_ours(manager, [f"{site.url}/v360.mp4"], NAME, tmp_path) == 0
    assert (tmp_path / "clip.mp4").read_bytes() == whole
    assert len(site.seen) <= 4


@pytest.mark.parametrize("held", [1.5, 1.1, 1.001], ids=["far", "well", "just"])
async def test_a_part_file_longer_than_the_file_is_fetched_anew(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, held: float
) -> None:
    """The server's file has become shorter: what is held beyond its end cannot be a version of it."""
    whole = (site.root / "v360.mp4").read_bytes()
    (tmp_path / "clip.mp4.part").write_bytes(bytes(int(len(whole) * held)))
    assert await run_ours(manager, [f"{site.url}/v360.mp4"], NAME, tmp_path) == 0
    assert (tmp_path / "clip.mp4").read_bytes() == whole


async def test_a_small_part_file_longer_than_the_file_is_fetched_anew(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """Also where all that is held is compared."""
    url = site.write("small.mp4", b"new version")
    (tmp_path / "clip.mp4.part").write_bytes(b"of an older version, which was longer")
    assert await run_ours(manager, [url], NAME, tmp_path) == 0
    assert (tmp_path / "clip.mp4").read_bytes() == b"new version"


@pytest.mark.parametrize("years", [10, -10])
async def test_a_clock_that_jumps_hides_no_progress(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    """How far it is and how fast is told on, and no row has a past to wait for."""
    told: list[dict[str, Any]] = []
    real = time.time

    def hear(status: dict[str, Any]) -> None:
        told.append(dict(status))
        monkeypatch.setattr(time, "time", lambda: real() + years * 365 * 86400)

    site.rate_bps = 400_000
    assert await run_ours(manager, [f"{site.url}/v360.mp4"], NAME, tmp_path, progress_hooks=[hear]) == 0
    middle = [one for one in told if one["status"] == "downloading"][3:-1]
    assert middle
    assert all(0 < one["speed"] < 1e7 and 0 <= one["eta"] < 60 and 0 <= one["elapsed"] < 60 for one in middle)


async def test_a_fragment_that_was_not_written_whole_is_not_noted(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """Where the disk is full amidst a fragment, the next run writes that fragment anew."""
    url = f"{site.url}/hls/media.m3u8"
    await run_ours(manager, [url], NAME, tmp_path / "whole")
    folder = tmp_path / "half"
    room = (tmp_path / "whole" / "clip.mp4").stat().st_size * 2 // 5
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        assert await run_ours(manager, [url], NAME, folder) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (folder / "clip.mp4.part").stat().st_size == room
    assert await run_ours(manager, [url], NAME, folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")


async def test_a_part_file_in_other_hands_is_left_alone(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """Two processes never write one file: the second says so and fails."""
    from yt_dlp.utils import locked_file  # noqa: PLC0415  # only here

    part = tmp_path / "clip.mp4.part"
    with locked_file(str(part), "wb", block=False):
        assert await run_ours(manager, [f"{site.url}/v360.mp4"], NAME, tmp_path) == 1
        assert part.stat().st_size == 0
    assert params_of(NAME, tmp_path)["overwrites"] is None


@pytest.mark.parametrize("path", ["v360.mp4", "hls/media.m3u8"])
async def test_nothing_is_appended_to_what_another_process_ended_meanwhile(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at before and opened after its end, the part file would be begun in its middle."""
    await half(site, partial(run_ours, manager), path, tmp_path)
    opens = AsyncFileDownloader.open_locked

    def late(self: AsyncFileDownloader, part: str, mode: str) -> Any:
        os.replace(part, tmp_path / "clip.mp4")  # noqa: PTH105  # yt-dlp's names are text
        return opens(self, part, mode)

    monkeypatch.setattr(AsyncFileDownloader, "open_locked", late)
    ended = (tmp_path / "clip.mp4.part").read_bytes()
    assert await run_ours(manager, [f"{site.url}/{path}"], NAME, tmp_path) == 1
    assert (tmp_path / "clip.mp4").read_bytes() == ended


async def test_what_was_appended_but_not_noted_is_cut(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """A process that is killed between the two notes less than it has; the same where the notes are lost."""
    url = f"{site.url}/hls/media.m3u8"
    await run_ours(manager, [url], NAME, tmp_path / "whole")
    folder = tmp_path / "half"
    assert await run_ours(manager, [url], NAME, folder, progress_hooks=[stops_after(0.4)]) == 101
    part, notes = folder / "clip.mp4.part", folder / "clip.mp4.ytdl"
    held = part.read_bytes()
    for octets, text in ((held + b"half a fragment", notes.read_text()), (held, "{"), (held[:-1], notes.read_text())):
        part.write_bytes(octets)
        notes.write_text(text)
        assert await run_ours(manager, [url], NAME, folder) == 0
        assert files_in(folder) == files_in(tmp_path / "whole")
        (folder / "clip.mp4").unlink()


async def test_half_of_another_format_is_not_gone_on_with(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """Whoever chooses another one half way has both under one name: fragments of the one do not follow the other's."""
    url = site.write(
        "choice.m3u8",
        "#EXTM3U\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180\nhls/media.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360\nfmp4/v.m3u8\n",
    )
    arguments = (*NAME, "--fixup", "never", "-f")
    await run_native([url], (*arguments, "900"), tmp_path / "whole")
    folder = tmp_path / "half"
    assert await run_ours(manager, [url], (*arguments, "500"), folder, progress_hooks=[stops_after(0.4)]) == 101
    assert (folder / "clip.mp4.part").stat().st_size
    assert await run_ours(manager, [url], (*arguments, "900"), folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")


@pytest.mark.parametrize("arguments", [("--no-continue",), ()], ids=["wished", "damaged"])
async def test_what_begins_anew_has_no_gaps_of_before(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A stream with gaps that is begun anew is fetched whole, not only where it had gaps."""
    url, folder = f"{site.url}/hls/media.m3u8", tmp_path / "half"
    await run_ours(manager, [url], NAME, tmp_path / "whole")
    assert await run_ours(manager, [url], NAME, folder, progress_hooks=[stops_after(0.4)]) == 101
    notes, part = folder / "clip.mp4.ytdl", folder / "clip.mp4.part"
    held = json.loads(notes.read_text())
    held["downloader"]["gaps"] = [[1, 0]]
    notes.write_text(json.dumps(held))
    if not arguments:
        os.truncate(part, part.stat().st_size - 1)
    assert await run_ours(manager, [url], (*NAME, *arguments), folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")


async def test_the_head_of_a_stream_is_written_once(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """yt-dlp gives it out again with each run, as the first fragment: noted as such, all would be written anew."""
    url, arguments, folder = f"{site.url}/fmp4/v.m3u8", (*NAME, "--fixup", "never"), tmp_path / "half"
    await run_native([url], arguments, tmp_path / "whole")
    site.forget()
    assert await run_ours(manager, [url], arguments, folder, progress_hooks=[stops_after(0.4)]) == 101
    for _ in range(2):
        assert await run_ours(manager, [url], arguments, folder, progress_hooks=[stops_at_step(2)]) == 101
    assert await run_ours(manager, [url], arguments, folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")
    assert site.asked["/fmp4/v_init.mp4"] == 1


@pytest.mark.parametrize("path", ["hls/media.m3u8", "aes/media.m3u8"])
async def test_what_was_stopped_before_its_fixup_is_fixed_by_the_next_run(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends between the naming of a file and yt-dlp's fixup leaves nothing that stays as it is."""
    url, folder = f"{site.url}/{path}", tmp_path / "stopped"
    await run_native([url], NAME, tmp_path / "whole")
    await run_native([url], (*NAME, "--fixup", "never"), tmp_path / "unfixed")

    def stop(*_args: Any) -> None:
        raise Cancelled

    with monkeypatch.context() as stopped:
        stopped.setattr(LaneYoutubeDL, "post_process", stop)
        await run_ours(manager, [url], NAME, folder)
    assert files_in(folder)["clip.mp4"] == files_in(tmp_path / "unfixed")["clip.mp4"]
    assert await run_ours(manager, [url], NAME, folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")
    assert files_in(folder) != files_in(tmp_path / "unfixed")


async def test_what_failed_after_its_naming_is_fixed_by_the_next_run(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is there, but the folder cannot be synced: the fixup was not come to."""
    url, folder = f"{site.url}/hls/media.m3u8", tmp_path / "failed"
    await run_native([url], NAME, tmp_path / "whole")
    durably = LaneYoutubeDL.make_durable

    def fail(ydl: LaneYoutubeDL, path: str) -> None:
        if os.path.isdir(path):  # noqa: PTH112  # yt-dlp's names are text
            raise FileSystemError(Reason.IO_ERROR, f"sync {path}")
        durably(ydl, path)

    with monkeypatch.context() as failing:
        failing.setattr(LaneYoutubeDL, "make_durable", fail)
        assert await run_ours(manager, [url], NAME, folder) == 1
    assert (folder / "clip.mp4").exists()
    assert await run_ours(manager, [url], NAME, folder) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")


async def test_a_file_of_the_markers_name_stays(site: Site, manager: AsyncDownloadManager, tmp_path: Path) -> None:
    """What lies there and is not ours is neither taken for a marker nor removed."""
    (tmp_path / "clip.mp4.unfixed").write_bytes(b"mine")
    assert await run_ours(manager, [f"{site.url}/hls/media.m3u8"], NAME, tmp_path) == 0
    assert (tmp_path / "clip.mp4.unfixed").read_bytes() == b"mine"
    assert (tmp_path / "clip.mp4").is_file()
