"""What has its final name is whole after a power cut, and what was said to be done is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from yt_dlp import YoutubeDL

from tests.marathon.grounds import PowerlessDisk, needs_root
from tests.media.queue_stage import Queue
from tests.media.runs import files_in, run_native, run_ours
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager

MIB = 1 << 20
NAME = ("-o", "clip.%(ext)s")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PowerlessDisk]:
    """Return a disk whose power can be cut."""
    with PowerlessDisk(tmp_path, 64 * MIB) as made:
        yield made


@needs_root
@pytest.mark.parametrize(("path", "held"), [("v360.mp4", 0), ("v360.mp4", 1000), ("hls/media.m3u8", 0)])
async def test_what_just_got_its_name_is_whole(
    site: Site, manager: AsyncDownloadManager, disk: PowerlessDisk, tmp_path: Path, path: str, held: int
) -> None:
    """The bytes are on the disk before the name is: else the next run would take a cut off file for the video."""
    url, folder, arguments = f"{site.url}/{path}", disk.path / "videos", (*NAME, "--fixup", "never")
    await run_native([url], arguments, tmp_path / "whole")
    if held:
        folder.mkdir()
        # Some file systems write out by themselves what was begun anew, but not what was gone on with.
        (folder / "clip.mp4.part").write_bytes((site.root / path).read_bytes()[:held])

    def cut(status: dict[str, Any]) -> None:
        if status["status"] == "finished" and (folder / "clip.mp4").exists():
            disk.cut()

    await run_ours(manager, [url], arguments, folder, progress_hooks=[cut])
    disk.restore()
    whole = files_in(tmp_path / "whole")
    assert files_in(folder)["clip.mp4"] == whole["clip.mp4"]
    assert await run_ours(manager, [url], arguments, folder) == 0
    assert files_in(folder) == whole


@needs_root
@pytest.mark.parametrize("path", ["v360.mp4", "base.mpd"], ids=["one", "merged"])
async def test_what_is_completed_is_there(site: Site, disk: PowerlessDisk, tmp_path: Path, path: str) -> None:
    """Also what was merged, before the queue says so."""
    queue = Queue(tmp_path)
    queue.dir = disk.path / "videos"
    await queue.open()
    task = await queue.ended(await queue.add(f"{site.url}/{path}", "-f", "v+a/b"))
    assert task.status is Status.COMPLETED
    whole = files_in(queue.dir)
    disk.cut()
    await queue.close()
    disk.restore()
    assert files_in(queue.dir) == whole


@needs_root
async def test_what_was_merged_is_whole_before_its_parts_go(
    site: Site, manager: AsyncDownloadManager, disk: PowerlessDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else both could be gone."""
    url, folder, arguments = f"{site.url}/base.mpd", disk.path / "videos", (*NAME, "-f", "v+a")
    await run_native([url], arguments, tmp_path / "whole")
    monkeypatch.setattr(YoutubeDL, "_delete_downloaded_files", lambda *_args, **_words: disk.cut())
    await run_ours(manager, [url], arguments, folder)
    disk.restore()
    assert files_in(folder)["clip.mp4"] == files_in(tmp_path / "whole")["clip.mp4"]
