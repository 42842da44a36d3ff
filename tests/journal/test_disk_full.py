"""A disk that refuses to write: durable calls say so, grouped records wait, and all goes on when there is room."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.extents import Extent
from tui_dl.core.query import TaskQuery
from tui_dl.journal.journal import Journal
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


async def _set_room(journal: Journal, pages: int) -> None:
    """Bound the database's pages: SQLite then answers as for a disk without room."""
    await journal._ask(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone(), Need.READ)


async def test_a_durable_call_says_that_the_disk_is_full(journal: Journal) -> None:
    """It is retryable, the journal stays usable, and a notice says it until it is over."""
    (task,) = await added(journal, wishes(1))
    await _set_room(journal, 1)
    with pytest.raises(FileSystemError) as caught:
        await journal.add(wishes(2000, "more.example"), batch="b", at=1.0)
    assert caught.value.reason is Reason.DISK_FULL
    assert caught.value.is_retryable
    assert any("disk is full" in notice for notice in journal.notices)
    assert await journal.rows(await journal.ids(TaskQuery())) == [task]
    await _set_room(journal, 1 << 30)
    assert len(await added(journal, wishes(2000, "more.example"))) == 2000
    assert journal.notices == ()


async def test_grouped_records_wait_for_room(journal: Journal) -> None:
    """What nobody waits for is neither lost nor told twice."""
    (task,) = await added(journal, wishes(1))
    await _set_room(journal, 1)
    extents = [Extent(start * 2, start * 2 + 1, start) for start in range(5000)]
    journal.record_written(task.id, extents)
    journal.save_soon(replace(task, downloaded_bytes=9))
    with pytest.raises(FileSystemError):
        await journal.flush()
    assert (await journal.load_checkpoint(task.id)).extents == []
    journal.save_soon(replace(task, downloaded_bytes=10))
    with pytest.raises(FileSystemError):
        await journal.flush()
    await _set_room(journal, 1 << 30)
    await journal.flush()
    assert (await journal.load_checkpoint(task.id)).extents == extents
    row = await journal.get(task.id)
    assert row is not None
    assert row.downloaded_bytes == 10


async def test_waiting_records_are_written_without_another_call(journal: Journal) -> None:
    """The writer tries again by itself; the notice goes when it succeeds."""
    (task,) = await added(journal, wishes(1))
    await _set_room(journal, 1)
    journal.record_written(task.id, [Extent(start * 2, start * 2 + 1, start) for start in range(5000)])
    with pytest.raises(FileSystemError):
        await journal.flush()
    await _set_room(journal, 1 << 30)
    async with asyncio.timeout(10):
        while journal.notices:
            await journal.ids(TaskQuery())


async def test_one_bad_job_does_not_take_others_with_it(journal: Journal) -> None:
    """Calls that share a transaction fail alone."""
    results = await asyncio.gather(
        journal.add(wishes(1), batch="a", at=1.0),
        journal._ask(lambda connection: connection.execute("no SQL").fetchone(), Need.DURABLE),
        journal.add(wishes(1, "b.example"), batch="a", at=1.0),
        return_exceptions=True,
    )
    assert isinstance(results[1], FileSystemError)
    assert len(await journal.ids(TaskQuery())) == 2
    assert journal.notices == ()


FILLER = """
import asyncio, sys
from pathlib import Path
from tui_dl.core.errors import FileSystemError
from tui_dl.core.task import NewTask
from tui_dl.journal.journal import Journal

async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    held = 0
    try:
        for turn in range(10_000):
            new = [NewTask(f"http://h.example/{turn}/{number}", "/d") for number in range(100)]
            await journal.add(new, batch="s", at=1.0)
            held += 100
    except FileSystemError as error:
        print(error.reason, held)
    try:
        await journal.aclose()
    except FileSystemError as error:
        print(error.reason)

asyncio.run(main())
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a real file system of 2 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("needs root to mount a small file system")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.needs_root
def test_a_real_full_disk_keeps_what_was_acknowledged(small_disk: Path) -> None:
    """The process ends in order, and all that it was promised is read back."""
    path = small_disk / "journal.db"
    command = [sys.executable, "-c", FILLER, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    reason, held = done.stdout.split()[:2]
    assert reason == Reason.DISK_FULL
    assert not done.stderr
    roomy = shutil.copytree(small_disk, small_disk.parent / "copy")

    async def count() -> int:
        async with await Journal.open(roomy / "journal.db") as journal:
            assert journal.notices == ()
            return len(await journal.ids(TaskQuery()))

    assert asyncio.run(count()) == int(held)


def test_a_file_that_may_not_grow_is_an_error_of_ours(tmp_path: Path) -> None:
    """A write that fails otherwise than for room ends in a reason too, never in a traceback."""

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    command = [sys.executable, "-c", FILLER, str(tmp_path / "state" / "journal.db")]
    done = subprocess.run(  # no other thread runs here
        command, check=True, capture_output=True, text=True, timeout=60, preexec_fn=bound
    )
    assert done.stdout.split()[0] in {Reason.DISK_FULL, Reason.IO_ERROR}
    assert not done.stderr


@pytest.mark.needs_root
def test_a_read_only_folder_is_named(small_disk: Path) -> None:
    """The reason and the place are told, for an old journal as for a new one."""

    async def attempt(name: str) -> None:
        async with await Journal.open(small_disk / name):
            pass

    asyncio.run(attempt("journal.db"))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for name in ("journal.db", "new.db"):
        with pytest.raises(FileSystemError, match=str(small_disk)) as caught:
            asyncio.run(attempt(name))
        assert caught.value.reason is Reason.READ_ONLY


@pytest.mark.skipif(shutil.which("strace") is None, reason="counts system calls with strace")
def test_a_flush_syncs_what_was_written_without(tmp_path: Path) -> None:
    """Grouped records are not synced by themselves; a flush after them is one sync, though it changes no row."""
    trace = tmp_path / "trace"
    program = """
import asyncio, os, sys
from pathlib import Path
from tui_dl.core.extents import Extent
from tui_dl.journal.journal import Journal

async def main():
    async with await Journal.open(Path(sys.argv[1])) as journal:
        await journal.save_hosts({"h": {}}, 1.0, keep_s=10.0)  # the log's header is synced once
        await journal.flush()
        os.access("/mark-1", os.F_OK)
        await journal.save_hosts({"h": {}}, 1.0, keep_s=10.0)
        os.access("/mark-2", os.F_OK)
        await journal.flush()
        os.access("/mark-3", os.F_OK)

asyncio.run(main())
"""
    calls = "trace=fsync,fdatasync,access,faccessat,faccessat2"
    command = ["strace", "-f", "-e", calls, "-o", str(trace), sys.executable, "-c", program, str(tmp_path / "j.db")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode:
        pytest.skip(f"strace cannot trace here: {done.stderr[:200]}")
    parts = [part.count("sync(") for part in re.split(r"/mark-\d", trace.read_text())]
    assert parts[1] == 0
    assert parts[2] == 1
