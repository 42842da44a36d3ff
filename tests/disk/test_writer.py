"""The disk threads: whole writes, honest sums, order, cancellation, and syncs beside writes."""

from __future__ import annotations

import asyncio
import os
import threading
import zlib
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.extents import Extent
from tui_dl.disk.lane import Lane
from tui_dl.disk.writer import DiskPool, DiskWriter, sum_extents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

MIB = 1 << 20


@pytest.fixture
async def writer() -> AsyncIterator[DiskWriter]:
    """Give a writer of its own two threads."""
    writer = DiskWriter(0)
    yield writer
    assert await writer.aclose()


@pytest.fixture
def fd(folder: Path) -> Iterator[int]:
    """Give an open file."""
    fd = os.open(folder / "file", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


async def test_buffers_land_one_after_another(writer: DiskWriter, fd: int) -> None:
    """A list of buffers is one run of bytes from the offset on."""
    await writer.write(fd, [b"ab", b"", b"cde"], 3)
    assert os.pread(fd, 100, 0) == b"\0\0\0abcde"


async def test_extents_say_what_was_written(writer: DiskWriter, fd: int) -> None:
    """A write returns its range with the CRC-32 of the joined bytes."""
    assert await writer.write(fd, [b"ab", b"cde"], 3) == [Extent(3, 8, zlib.crc32(b"abcde"))]


async def test_more_buffers_than_one_call_takes(writer: DiskWriter, fd: int) -> None:
    """More than 1,024 buffers are written in several calls without a gap."""
    buffers = [bytes([index % 251]) * 3 for index in range(2500)]
    await writer.write(fd, buffers, 0)
    assert os.pread(fd, 10_000, 0) == b"".join(buffers)


def test_extents_are_cut_at_one_mebibyte() -> None:
    """Sums are cut at 1 MiB wherever the buffers end, and each is the sum of its own bytes."""
    body = os.urandom(2 * MIB + 5)
    buffers = [body[:700_001], body[700_001:]]
    spans = [(0, MIB), (MIB, 2 * MIB), (2 * MIB, 2 * MIB + 5)]
    assert sum_extents(buffers, 7) == [Extent(7 + low, 7 + high, zlib.crc32(body[low:high])) for low, high in spans]


async def test_short_writes_are_continued(writer: DiskWriter, fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that takes three bytes a call still gets all of them in order."""
    whole = os.pwritev

    def short(fd: int, buffers: Sequence[bytes], offset: int) -> int:
        return whole(fd, [b"".join(buffers)[:3]], offset)

    monkeypatch.setattr(os, "pwritev", short)
    await writer.write(fd, [b"abcd", b"efghij", b"k"], 0)
    assert os.pread(fd, 100, 0) == b"abcdefghijk"


async def test_a_write_of_nothing_is_an_error(writer: DiskWriter, fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that takes no byte and reports no error ends the write instead of spinning."""
    monkeypatch.setattr(os, "pwritev", lambda *_: 0)
    with pytest.raises(FileSystemError) as caught:
        await writer.write(fd, [b"abc"], 0)
    assert caught.value.reason is Reason.IO_ERROR


async def test_a_sync_does_not_delay_a_write(writer: DiskWriter, fd: int) -> None:
    """While a sync hangs, writes go on."""
    gate = threading.Event()
    sync = asyncio.create_task(writer.sync_call(gate.wait))
    await writer.write(fd, [b"abc"], 0)
    assert not sync.done()
    gate.set()
    await sync


async def test_close_waits_for_a_cancelled_write(writer: DiskWriter, fd: int) -> None:
    """A descriptor closed after its writer was cancelled is closed behind the write, not under it."""
    own = os.dup(fd)
    gate = threading.Event()
    block = asyncio.create_task(writer.call(gate.wait))
    write = asyncio.create_task(writer.write(own, [b"abc"], 0))
    await asyncio.sleep(0)
    write.cancel()
    close = asyncio.create_task(writer.close(own))
    await asyncio.sleep(0)
    await writer.sync_call(int)
    gate.set()
    await asyncio.gather(block, close)
    assert write.cancelled()
    assert os.pread(fd, 100, 0) == b"abc"


async def test_close_waits_for_a_sync(writer: DiskWriter, fd: int) -> None:
    """A descriptor in use by the syncing thread stays open until that is done."""
    own = os.dup(fd)
    gate = threading.Event()

    def use() -> int:
        gate.wait()
        return os.fstat(own).st_size

    sync = asyncio.create_task(writer.sync_call(use))
    close = asyncio.create_task(writer.close(own))
    await writer.call(int)
    gate.set()
    assert await sync == 0
    await close


async def test_what_was_cancelled_is_undone_before_what_comes_after(writer: DiskWriter) -> None:
    """A part file opened for a caller that is gone is not in the way of the next one who opens it."""
    gate, order = threading.Event(), list[str]()

    def note(word: str) -> None:
        order.append(word)

    blocked = asyncio.create_task(writer.call(gate.wait))
    opened = asyncio.create_task(writer.call(note, "opened", undo=lambda _result: note("undone")))
    await asyncio.sleep(0)
    opened.cancel()
    again = asyncio.create_task(writer.call(note, "opened again"))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(blocked, again)
    assert order == ["opened", "undone", "opened again"]


async def test_a_cancelled_job_is_undone(writer: DiskWriter) -> None:
    """What a job made for a caller that is gone is given to `undo`, in the thread."""
    gate = threading.Event()
    undone: list[tuple[bool, str]] = []

    def make() -> bool:
        return gate.wait()

    def undo(result: bool) -> None:
        undone.append((result, threading.current_thread().name))

    job = asyncio.create_task(writer.call(make, undo=undo))
    await asyncio.sleep(0)
    job.cancel()
    gate.set()
    await writer.drain()
    await writer.drain()
    assert undone == [(True, "disk-write-0")]


async def test_completions_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small jobs wake the loop far fewer times than once each."""
    lane = Lane("batch")
    loop = asyncio.get_running_loop()
    wakes = 0
    wake = loop.call_soon_threadsafe

    def counted(*arguments: object) -> object:
        nonlocal wakes
        wakes += 1
        return wake(*arguments)  # type: ignore[arg-type]  # passed through as they came

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    gate = threading.Event()
    await asyncio.gather(lane.run(_open_soon, gate, loop), *(lane.run(int) for _ in range(500)))
    assert wakes < 100
    await lane.aclose(2)


def _open_soon(gate: threading.Event, loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(gate.set)
    gate.wait()


async def test_aclose_leaves_a_hanging_thread_behind() -> None:
    """A thread that hangs in the kernel does not keep the program from ending."""
    lane = Lane("hanging")
    gate = threading.Event()
    job = asyncio.create_task(lane.run(gate.wait))
    await asyncio.sleep(0)
    assert not await lane.aclose(0.01)
    gate.set()
    assert await job


async def test_nothing_is_taken_after_aclose() -> None:
    """A job for an ended thread is refused instead of waiting for ever."""
    lane = Lane("ended")
    assert await lane.aclose(1)
    with pytest.raises(RuntimeError, match="ended is closed"):
        await lane.run(int)


async def test_file_systems_have_writers_of_their_own(pool: DiskPool) -> None:
    """One file system has one writer, another has another."""
    assert pool.writer_for(1) is pool.writer_for(1)
    assert pool.writer_for(1) is not pool.writer_for(2)


async def test_a_hanging_path_does_not_delay_others(pool: DiskPool, folder: Path) -> None:
    """While one unknown path hangs, another folder is opened."""
    gate = threading.Event()
    hanging = asyncio.create_task(pool.scout(gate.wait, what="look at a dead mount"))
    await asyncio.sleep(0)
    held, writer = await pool.open_folder(str(folder))
    assert held.path == str(folder)
    await writer.close(held.fd)
    gate.set()
    await hanging
