"""Names, the archive and the programs that yt-dlp starts, shared by lanes and safe between processes."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.media.runs import files_in, params_of, run_ours
from tui_dl.media.archive import SharedArchive
from tui_dl.media.children import Children, watch_children
from tui_dl.media.job import Cancelled, Job
from tui_dl.media.names import TakenNames

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.site import Site
    from tui_dl.media.manager import AsyncDownloadManager


def test_a_name_is_one_videos_at_a_time() -> None:
    """Whatever the extension, since subtitles and parts share the rest; it is free when that one is done."""
    names, first, second = TakenNames(), Job({}), Job({})
    names.take("/d/a.mp4", first)
    names.take("/d/a.webm", first)
    names.take("/d/b.mp4", second)
    taken = threading.Event()

    def take() -> None:
        names.take("/d/a.mkv", second)
        taken.set()

    thread = threading.Thread(target=take)
    thread.start()
    assert not taken.wait(0.3)
    names.release(first)
    first.done.set()
    assert taken.wait(5)
    thread.join()
    third = Job({})
    third.cancel()
    with pytest.raises(Cancelled):
        names.take("/d/a.mp4", third)


def test_the_archive_sees_what_others_write(tmp_path: Path) -> None:
    """It is yt-dlp's file, and no line comes twice."""
    path = tmp_path / "archive.txt"
    one, other = SharedArchive(str(path)), SharedArchive(str(path))
    assert bool(one)
    assert not SharedArchive(None)
    one.add("site a")
    assert "site a" in other
    other.add("site b")
    one.add("site b")
    assert path.read_text() == "site a\nsite b\n"


def test_many_processes_write_one_archive(tmp_path: Path) -> None:
    """Each line whole, and each id once."""
    path = tmp_path / "archive.txt"
    code = (
        "import sys; from tui_dl.media.archive import SharedArchive\n"
        "archive = SharedArchive(sys.argv[1])\n"
        "for number in range(60): archive.add(f'site {number}')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert sorted(path.read_text().splitlines()) == sorted(f"site {number}" for number in range(60))


def test_programs_end_with_the_video_and_with_us() -> None:
    """Those of a cancelled video at once, all when this process is killed."""
    from yt_dlp.utils import Popen  # noqa: PLC0415  # what is watched

    watch_children()
    children, job = Children(), Job({})
    children.enter(job)
    program = Popen(["sleep", "60"])
    children.kill_all()
    assert program.wait() == -9
    job.cancel()
    with pytest.raises(Cancelled):
        Popen(["sleep", "60"])
    children.leave()
    children.close()
    code = (
        "import os; from tui_dl.media.children import Children, watch_children; from tui_dl.media.job import Job\n"
        "from yt_dlp.utils import Popen; watch_children(); Children().enter(Job({}))\n"
        "print(Popen(['sleep', '60'], stdout=-3, stderr=-3).pid, flush=True); os.kill(os.getpid(), 9)"
    )
    # Its output is not the program's, too: else one that goes on would be waited for, to its end.
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert killed.returncode == -9
    assert has_ended(int(killed.stdout))


def lanes_at_work() -> list[threading.Thread]:
    """Return the threads that download or plan."""
    return [one for one in threading.enumerate() if one.name.startswith(("tui-dl-lane", "tui-dl-planner"))]


def has_ended(pid: int) -> bool:
    """Wait until a process that is nobody's child of ours has ended; False where it goes on."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 20)[0])
    finally:
        os.close(descriptor)


async def test_a_cancelled_download_leaves_nothing_at_work(
    site: Site, manager: AsyncDownloadManager, tmp_path: Path
) -> None:
    """What has arrived stays, and the same again ends it. The fixture proves that no connection is left."""
    urls = [f"{site.url}/gate/v360.mp4?n={number}" for number in range(3)]
    arguments = ("-o", "%(autonumber)s.%(ext)s")
    running = asyncio.ensure_future(manager.download(urls, params_of(arguments, tmp_path)))
    async with asyncio.timeout(30):
        while len(files_in(tmp_path)) < 3:  # noqa: ASYNC110  # what is waited for tells no event
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert set(files_in(tmp_path)) == {f"0000{number}.mp4.part" for number in (1, 2, 3)}
    async with asyncio.timeout(30):
        while lanes_at_work():  # noqa: ASYNC110  # what is waited for tells no event
            await asyncio.sleep(0.02)
    site.gate.set()
    assert await run_ours(manager, urls, arguments, tmp_path) == 0
    whole = files_in(site.root)["v360.mp4"]
    assert files_in(tmp_path) == {f"0000{number}.mp4": whole for number in (1, 2, 3)}
