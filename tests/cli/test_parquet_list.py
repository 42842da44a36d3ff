"""Lists in Parquet: rows by number, columns by name, pictures left where they are, damage said."""

from __future__ import annotations

import datetime as dt
import os
import threading
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # as above
import pytest

from tests.cli.test_lists import all_lines
from tui_dl.cli import parquet_list
from tui_dl.cli.lists import read_lines
from tui_dl.core.errors import UsageError
from tui_dl.core.list_kinds import ListFormat
from tui_dl.core.parts import Part
from tui_dl.core.url_list import BadLine, Line

if TYPE_CHECKING:
    from pathlib import Path


def written(file: Path, columns: dict[str, object], **options: object) -> Path:
    """Write a table and return where."""
    pq.write_table(pa.table(columns), file, **options)
    return file


def write_and_close(descriptor: int, content: bytes) -> None:
    """Write into a pipe from another thread."""
    os.write(descriptor, content)
    os.close(descriptor)


async def test_rows_are_lines(tmp_path: Path) -> None:
    """By suffix; a row without an address is a bad line; bytes are no words."""
    file = written(
        tmp_path / "a.parquet",
        {
            "URL": ["http://h/a", None, "nonsense", "http://h/b"],
            "filename": ["x.png", "y", "z", None],
            "score": [1.5, 2.0, 3.0, float("nan")],
            "day": [dt.date(2024, 1, 2)] * 4,
            "jpg": [b"\xff\xd8"] * 4,
        },
    )
    first, second, third, fourth = await all_lines(str(file))
    assert first == Line(1, "http://h/a", name="x.png", extra=(("score", 1.5), ("day", "2024-01-02")))
    assert isinstance(second, BadLine)
    assert (third.number, type(third)) == (3, BadLine)
    assert fourth == Line(4, "http://h/b", extra=(("score", None), ("day", "2024-01-02")))


async def test_row_groups_and_parts(tmp_path: Path) -> None:
    """Numbers run on over groups, each row is in one part."""
    urls = [f"http://h/{number}" for number in range(1, 5001)]
    file = written(tmp_path / "list", {"url": urls}, row_group_size=700)
    assert await all_lines(str(file)) == [Line(number, url) for number, url in enumerate(urls, 1)]
    assert [one.number for one in await all_lines(str(file), Part(2, 1000))] == [2, 1002, 2002, 3002, 4002]


async def test_a_pipe_is_kept_in_a_file_first(tmp_path: Path) -> None:
    """Its end has to be read before its beginning; told by its first bytes."""
    content = written(tmp_path / "list", {"url": ["http://h/a"]}).read_bytes()
    for kind in (ListFormat.AUTO, ListFormat.PARQUET):
        reading, writing = os.pipe()
        writer = threading.Thread(target=write_and_close, args=(writing, content))
        writer.start()
        found = [one async for block in read_lines("-", stdin_fd=reading, kind=kind) for one in block]
        assert found == [Line(1, "http://h/a")]
        writer.join()
        os.close(reading)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 100, b"http://h/a\n"])
async def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    """With the list's name, before anything is done."""
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.parquet: no Parquet that can be read"):
        await all_lines(str(tmp_path / "a.parquet"))


async def test_damage_inside_is_said(tmp_path: Path) -> None:
    """What came before it is taken."""
    urls = [f"http://h/{number:07}" for number in range(20_000)]
    file = written(tmp_path / "a.parquet", {"url": urls}, row_group_size=2000, compression="zstd", use_dictionary=False)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = b"\xff" * 2000
    file.write_bytes(content)
    found = await all_lines(str(file))
    assert isinstance(found[-1], BadLine)
    assert "damaged from here on" in found[-1].problem
    assert found[0] == Line(1, urls[0])


async def test_no_address_column(tmp_path: Path) -> None:
    """Its columns are named."""
    file = written(tmp_path / "a.parquet", {"id": [1]})
    with pytest.raises(UsageError, match="no column is called url; there are 'id'"):
        await all_lines(str(file))


async def test_without_pyarrow_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra."""
    file = written(tmp_path / "a.parquet", {"url": ["http://h/a"]})

    def missing(_name: str) -> object:
        raise ImportError

    monkeypatch.setattr(parquet_list, "import_module", missing)
    with pytest.raises(UsageError, match=r"pip install 'tui-dl\[parquet\]'"):
        await all_lines(str(file))
