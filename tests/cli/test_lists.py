"""Lists are streamed: numbered lines in blocks, from files and pipes, and a pipe's line is taken when it comes."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.lists import READ_BYTES, in_daemon, read_lines
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import BadLine, Line

if TYPE_CHECKING:
    from pathlib import Path


async def all_lines(source: str) -> list[Line | BadLine]:
    """Return what all lines of a list say."""
    return [one async for block in read_lines(source) for one in block]


async def test_a_file_of_many_blocks_keeps_its_numbers(tmp_path: Path) -> None:
    """Numbers run on over blocks, none is lost where two blocks meet, the last line needs no end."""
    urls = [f"http://h/{number:06}" for number in range(3 * READ_BYTES // 10)]
    (tmp_path / "list").write_text("\n".join(urls))
    expected = [Line(number, url) for number, url in enumerate(urls, 1)]
    assert await all_lines(str(tmp_path / "list")) == expected


async def test_a_bad_line_bears_its_number(tmp_path: Path) -> None:
    """Comments and blank lines count as lines."""
    (tmp_path / "list").write_bytes(b"# x\n\nhttp://h/a\r\n\xff\xfe\nhttp://h/b")
    kinds = [(type(one), one.number) for one in await all_lines(str(tmp_path / "list"))]
    assert kinds == [(Line, 3), (BadLine, 4), (Line, 5)]


@pytest.mark.parametrize("name", ["none", "."])
async def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """A missing file and a folder."""
    with pytest.raises(UsageError, match=r"--input .*cannot be read"):
        await all_lines(str(tmp_path / name))


async def test_a_line_of_a_pipe_is_taken_when_it_comes() -> None:
    """A slow writer's first address does not wait for the second."""
    reading, writing = os.pipe()
    blocks = read_lines("-", stdin_fd=reading)
    try:
        await asyncio.to_thread(os.write, writing, b"http://h/a\nhttp")
        assert await asyncio.wait_for(anext(blocks), 5) == [Line(1, "http://h/a")]
        await asyncio.to_thread(os.write, writing, b"://h/b\n")
        assert await asyncio.wait_for(anext(blocks), 5) == [Line(2, "http://h/b")]
    finally:
        os.close(writing)
        assert await anext(blocks, []) == []
        os.close(reading)


async def test_a_blocking_call_does_not_hold_its_task() -> None:
    """Whoever waits can be cancelled at once; the thread ends whenever it ends."""
    release = threading.Event()
    work = asyncio.create_task(in_daemon(release.wait))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    release.set()
