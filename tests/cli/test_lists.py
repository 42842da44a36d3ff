"""Lists are streamed: numbered lines in blocks, from files and pipes, packed or not, in any coding."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import json
import lzma
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli.daemon_calls import in_daemon
from tui_dl.cli.lists import read_lines
from tui_dl.core import list_unpacking
from tui_dl.core.errors import UsageError
from tui_dl.core.list_kinds import ListFormat
from tui_dl.core.list_unpacking import BLOCK_BYTES
from tui_dl.core.parts import Part
from tui_dl.core.url_list import BadLine, Line

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "xz": lzma.compress, "zst": zstd.compress}


async def all_lines(source: str, part: Part | None = None, kind: ListFormat = ListFormat.AUTO) -> list[Line | BadLine]:
    """Return what all lines of a list say."""
    return [one async for block in read_lines(source, part=part, kind=kind) for one in block]


async def lines_of(folder: Path, content: bytes, name: str = "list") -> list[Line | BadLine]:
    """Return what the lines of a file with this content say."""
    (folder / name).write_bytes(content)
    return await all_lines(str(folder / name))


async def test_a_file_of_many_blocks_keeps_its_numbers(tmp_path: Path) -> None:
    """Numbers run on over blocks, none is lost where two blocks meet, the last line needs no end."""
    urls = [f"http://h/{number:06}" for number in range(3 * BLOCK_BYTES // 10)]
    expected = [Line(number, url) for number, url in enumerate(urls, 1)]
    assert await lines_of(tmp_path, "\n".join(urls).encode()) == expected


async def test_a_bad_line_bears_its_number(tmp_path: Path) -> None:
    """Comments and blank lines count as lines."""
    found = await lines_of(tmp_path, b"# x\n\nhttp://h/a\r\n\xff\xfe\nhttp://h/b")
    assert [(type(one), one.number) for one in found] == [(Line, 3), (BadLine, 4), (Line, 5)]


@pytest.mark.parametrize("name", ["none", "."])
async def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """A missing file and a folder."""
    with pytest.raises(UsageError, match=r"--input .*cannot be read"):
        await all_lines(str(tmp_path / name))


async def test_a_line_of_a_pipe_is_taken_when_it_comes() -> None:
    """A slow writer's first address does not wait for the second, but a moment for options below it."""
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


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("members", [1, 2])
async def test_packed_lists_are_unpacked(tmp_path: Path, suffix: str, members: int) -> None:
    """By their first bytes, whatever they are called; several members are one list, also beyond a block."""
    urls = [f"http://h/{number}" for number in range(20_000)]
    text = "\n".join(urls).encode()
    half = len(text) // members
    pieces = [text[place * half : (place + 1) * half] for place in range(members - 1)] + [text[(members - 1) * half :]]
    packed = b"".join(map(PACKERS[suffix], pieces))
    expected = [Line(number, url) for number, url in enumerate(urls, 1)]
    assert await lines_of(tmp_path, packed, f"list.txt.{suffix}") == expected
    assert await lines_of(tmp_path, packed, "list") == expected


@pytest.mark.parametrize("suffix", PACKERS)
async def test_a_packed_list_that_is_cut_says_so(tmp_path: Path, suffix: str) -> None:
    """What came before is taken, and that there is no more counts as a bad line."""
    text = "".join(f"http://h/{number:08x}{number * 7919 % 65536:04x}\n" for number in range(40_000)).encode()
    packed = PACKERS[suffix](text)
    found = await lines_of(tmp_path, packed[: len(packed) // 2])
    assert len(found) > 1000
    assert isinstance(found[-1], BadLine)
    assert "too early" in found[-1].problem
    whole = [Line(number, url) for number, url in enumerate(text.decode().split(), 1)]
    assert found[:-1] == whole[: len(found) - 1]
    assert found[-1].number == len(found)


@pytest.mark.parametrize("suffix", PACKERS)
async def test_a_packed_list_that_is_damaged_says_so(tmp_path: Path, suffix: str) -> None:
    """As far as it could be unpacked, and no further."""
    packed = bytearray(PACKERS[suffix](os.urandom(2000).hex().encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 8] = b"\0" * 8
    packed[-12:] = b"\1" * 12
    (last,) = (await lines_of(tmp_path, bytes(packed)))[-1:]
    assert isinstance(last, BadLine)
    assert "packed list" in last.problem


async def test_zstd_without_its_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to get it, before anything is done."""

    def missing(_name: str) -> object:
        raise ImportError

    monkeypatch.setattr(list_unpacking, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install 'tui-dl\[zstd\]'"):
        await lines_of(tmp_path, zstd.compress(b"http://h/a\n"))


async def test_zeros_behind_a_packed_list_are_no_damage(tmp_path: Path) -> None:
    """Tapes and padding."""
    assert await lines_of(tmp_path, gzip.compress(b"http://h/a\n") + b"\0" * 512) == [Line(1, "http://h/a")]


async def test_every_kind_of_bad_line_is_counted_exactly(tmp_path: Path) -> None:
    """Between good ones with CRLF, behind a byte order mark, over many blocks, with a line of ten megabytes."""
    bad = [
        *(b"nonsense", b"ftpx://h/", b"http://h:99999/", b"http://", b"http://h/\0\x1b[2J", b"\xff\xfe garbage"),
        *("\ufeffhttp://h/".encode(), b"http://h/a b", b" out=../x", b"http://h/" + b"x" * (10 << 20)),
    ]
    rows: list[bytes] = [b"\xef\xbb\xbfhttp://h/0\r"]
    expected: list[tuple[int, bool]] = [(1, True)]
    for number in range(900):
        rows += [b"# comment", b"\r", bad[number % 9], b"http://h/%d\r" % (number % 100)]
        expected += [(len(rows) - 1, False), (len(rows), True)]
    rows += [bad[9], b"http://h/last"]
    expected += [(len(rows) - 1, False), (len(rows), True)]
    found = await lines_of(tmp_path, b"\n".join(rows))
    # an option that cannot be kept is the report of the address above it
    options = [number for number, is_good in expected if not is_good and rows[number - 1] == bad[8]]
    lost = {number - 3 for number in options}
    assert [(one.number, isinstance(one, Line)) for one in found] == [one for one in expected if one[0] not in lost]


async def test_many_short_lines_leave_the_loop_its_turns(tmp_path: Path) -> None:
    """A block of nothing but bad lines is taken in pieces."""
    (tmp_path / "list").write_bytes(b"x\n" * 20_000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert len(await all_lines(str(tmp_path / "list"))) == 20_000
    counting.cancel()
    assert turns >= 20


async def test_a_bomb_is_unpacked_as_it_is_taken(tmp_path: Path) -> None:
    """A gigabyte of blanks in a small file: the first lines come at once, and nobody unpacks the rest."""
    bomb = gzip.compress(b"http://h/a\n" * 10_000) + gzip.compress(b"\n" * (64 << 20), 1)
    (tmp_path / "bomb.gz").write_bytes(bomb)
    blocks = read_lines(str(tmp_path / "bomb.gz"))
    first = await anext(blocks)
    assert 0 < len(first) < 10_000
    await blocks.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_what_is_packed_otherwise_is_garbage_and_no_crash(tmp_path: Path) -> None:
    """bzip2 is none of ours: its lines are bad, each with its number."""
    found = await lines_of(tmp_path, bz2.compress(os.urandom(5000)))
    assert found
    assert all(isinstance(one, BadLine) for one in found)


@pytest.mark.parametrize(
    "coded",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: gzip.compress(text.encode("utf-16")),
    ],
    ids=["utf-8 mark", "utf-16", "utf-16-be mark", "utf-16-le bare", "utf-16-be bare", "utf-32", "packed utf-16"],
)
async def test_what_windows_writes_is_read(tmp_path: Path, coded: Callable[[str], bytes]) -> None:
    """With a mark or without; the mark is no part of the first address."""
    found = await lines_of(tmp_path, coded("http://h/a\r\nhttp://h/ü\r\n"))
    assert found == [Line(1, "http://h/a"), Line(2, "http://h/%C3%BC")]


async def test_half_a_character_at_the_end_is_reported(tmp_path: Path) -> None:
    """What is not text is said, what came before is taken."""
    first, last = await lines_of(tmp_path, "http://h/a\n".encode("utf-16") + b"x")
    assert first == Line(1, "http://h/a")
    assert isinstance(last, BadLine)


async def test_a_mark_may_come_byte_by_byte() -> None:
    """A pipe may bring as little as it likes."""
    reading, writing = os.pipe()
    blocks = read_lines("-", stdin_fd=reading)

    def write() -> None:
        for octet in b"\xef\xbb\xbfhttp://h/a\n":
            os.write(writing, bytes([octet]))
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    assert [one async for block in blocks for one in block] == [Line(1, "http://h/a")]
    writer.join()
    os.close(reading)


async def test_parts_share_a_list(tmp_path: Path) -> None:
    """Every line is in exactly one part."""
    urls = [f"http://h/{number}" for number in range(1, 5001)]
    (tmp_path / "list").write_text("\n".join(urls))
    parts = [await all_lines(str(tmp_path / "list"), Part(number, 16)) for number in range(1, 17)]
    assert sorted(one.number for part in parts for one in part) == list(range(1, 5001))
    assert [one.number for one in parts[2]][:3] == [3, 19, 35]


async def test_a_list_whose_columns_say_nothing_is_refused_by_name(tmp_path: Path) -> None:
    """With the list's name and what is wrong."""
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    with pytest.raises(UsageError, match=r"--input .*a\.csv: the first line names no column url"):
        await all_lines(str(tmp_path / "a.csv"))


async def test_json_lines_are_read_by_suffix_and_by_word(tmp_path: Path) -> None:
    """What was said goes before what the name tells."""
    row = json.dumps({"url": "http://h/a"}).encode()
    assert await lines_of(tmp_path, row, "a.jsonl") == [Line(1, "http://h/a")]
    assert [type(one) for one in await all_lines(str(tmp_path / "a.jsonl"), kind=ListFormat.PLAIN)] == [BadLine]


async def test_a_blocking_call_does_not_hold_its_task() -> None:
    """Whoever waits can be cancelled at once; the thread ends whenever it ends."""
    release = threading.Event()
    work = asyncio.create_task(in_daemon(release.wait))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    release.set()


async def test_what_a_blocking_call_raises_is_raised() -> None:
    """Nobody waits for ever for a thread that failed."""
    with pytest.raises(ZeroDivisionError):
        await in_daemon(lambda: 1 // 0)
