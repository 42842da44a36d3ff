"""Whole runs of `get` over lists: the program as a person starts it, against a real server."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_metalinks import run
from tests.faults import Resource, tempers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults import FaultServer


def got(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by their paths in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def summary(output: bytes) -> dict[str, Any]:
    """Return the counts of the last line."""
    last = json.loads(output.splitlines()[-1])
    return {key: last[key] for key in ("total", "success", "skipped", "failed")}


async def test_lists_of_different_formats_in_one_run(tmp_path: Path, fault_server: FaultServer) -> None:
    """An aria2 list and a packed table: names, folders, digests, headers, mirrors, columns, bad lines, duplicates."""
    urls = {name: fault_server.add(f"/{name}", Resource(body=name.encode() * 10)) for name in "abcd"}
    digest = hashlib.sha256(b"a" * 10).hexdigest()
    (tmp_path / "one.txt").write_text(
        f"{urls['a']}\t{fault_server.url('/missing')}\n"
        f"  out=x.bin\n  dir=sub\n  checksum=sha-256={digest}\n  header=X-Mine: 1\n"
        f"# comment\nnonsense\n{urls['b']}\n{urls['b']}\n"
    )
    rows = f"url,filename,label\n{urls['c']},c.bin,one\n{urls['d']},,two\n"
    (tmp_path / "two.csv.gz").write_bytes(gzip.compress(rows.encode()))
    code, output, said = await run(
        *(tmp_path, "get", "-i", "one.txt", "-i", "two.csv.gz", "-d", "out", "--json", "--manifest", "m.jsonl")
    )
    assert code == 1, said
    assert "one.txt:7: no http:// or https:// in front" in said
    assert got(tmp_path / "out") == {"sub/x.bin": b"a" * 10, "b": b"b" * 10, "c.bin": b"c" * 10, "d": b"d" * 10}
    assert summary(output) == {"total": 6, "success": 4, "skipped": 1, "failed": 1}
    assert {one.path: one.headers.get("x-mine") for one in fault_server.requests}["/a"] == "1"
    manifest = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert [(one["line"], one.get("label")) for one in manifest] == [
        *((1, None), (7, None), (8, None), (9, None)),
        *((2, "one"), (3, "two")),
    ]


async def test_of_lines_that_repeat_an_address_the_first_decides(tmp_path: Path, fault_server: FaultServer) -> None:
    """Its headers and its digest hold, whatever later lines and lists say; those are skipped."""
    hold, url = fault_server.add("/hold", Resource(body=b"h")), fault_server.add("/a", Resource(body=b"a"))
    digest = hashlib.sha256(b"a").hexdigest()
    (tmp_path / "one.txt").write_text(
        f"{hold}\n{url}\n  header=X-Mine: first\n  checksum=sha-256={digest}\n{url}\n  header=X-Mine: second\n"
    )
    (tmp_path / "two.txt").write_text(f"{url}\n  header=X-Mine: third\n")
    args = ("get", "-i", "one.txt", "-i", "two.txt", "-d", "out", "-j", "1", "--json", "--manifest", "m.csv")
    code, output, said = await run(tmp_path, *args)
    assert code == 0, said
    assert summary(output) == {"total": 4, "success": 2, "skipped": 2, "failed": 0}
    assert [one.headers.get("x-mine") for one in fault_server.requests if one.path == "/a"] == ["first"]
    rows = [line.split(",") for line in (tmp_path / "m.csv").read_text().splitlines()[1:]]
    assert [(row[0], row[1], row[7]) for row in rows] == [
        *(("one.txt", "1", ""), ("one.txt", "2", ""), ("one.txt", "5", "duplicate")),
        ("two.txt", "1", "duplicate"),
    ]


@pytest.mark.parametrize("failed", ["failed.txt", "failed.csv"])
async def test_a_list_of_failures_puts_files_where_their_lines_said(
    tmp_path: Path, fault_server: FaultServer, failed: str
) -> None:
    """Tried again from it they are the same rows: with the names, folders and digests of the list they come from."""
    named, plain = fault_server.url("/named"), fault_server.url("/plain")
    digest = hashlib.sha256(b"n").hexdigest()
    (tmp_path / "list.txt").write_text(f"{named}\n  out=x.bin\n  dir=sub\n  checksum=sha-256={digest}\n{plain}\n")
    code, _, said = await run(tmp_path, "get", "-i", "list.txt", "-d", "out", "--failed-list", failed)
    assert code == 1, said
    fault_server.add("/named", Resource(body=b"n"))
    fault_server.add("/plain", Resource(body=b"p"))
    code, output, said = await run(tmp_path, "get", "-i", failed, "-d", "out", "--failed-list", failed, "--json")
    assert code == 0, said
    assert got(tmp_path / "out") == {"sub/x.bin": b"n", "plain": b"p"}
    assert {json.loads(line)["id"] for line in output.splitlines()[:-1]} == {1, 2}
    assert len((tmp_path / failed).read_text().splitlines()) == (failed == "failed.csv")


@pytest.mark.parametrize(("more", "is_stopped"), [("", False), ("/more", True)])
async def test_whether_anything_is_left_is_said_beyond_the_bound(
    tmp_path: Path, fault_server: FaultServer, more: str, *, is_stopped: bool
) -> None:
    """Who had too many failures hears whether the same command has anything to go on with."""
    fault_server.add("/more", Resource(size_bytes=100_000, seed=1))
    fault_server.script("/more", tempers.stall_after(5_000))
    open_line = f"{fault_server.url(more)}\n" if more else ""
    (tmp_path / "list").write_text(f"{open_line}{fault_server.url('/gone')}\n")
    code, _, said = await run(tmp_path, "get", "-i", "list", "-d", "out", "--max-failed", "0%")
    assert code == 1
    assert "More failed than --max-failed 0% allows." in said
    assert ("the same command goes on" in said) == is_stopped


async def test_a_pattern_in_parts_fetches_each_address_once(tmp_path: Path, fault_server: FaultServer) -> None:
    """As the jobs of an array do, each with a part."""
    for number in range(1, 8):
        fault_server.add(f"/f{number}.txt", Resource(body=b"%d" % number))
    pattern = fault_server.url("/f[1-7].txt")
    for part in ("1/2", "2/2"):
        code, _, said = await run(tmp_path, "get", pattern, "--part", part, "-d", "out")
        assert code == 0, said
    assert got(tmp_path / "out") == {f"f{number}.txt": b"%d" % number for number in range(1, 8)}
    assert sorted(one.path for one in fault_server.requests) == [f"/f{number}.txt" for number in range(1, 8)]


async def test_strict_fetches_nothing(tmp_path: Path, fault_server: FaultServer) -> None:
    """The bad line at the end is found before the first request."""
    url = fault_server.add("/a", Resource(body=b"a"))
    (tmp_path / "list").write_text(f"{url}\nnonsense\n")
    code, _, said = await run(tmp_path, "get", "-i", "list", "--strict", "-d", "out")
    assert (code, fault_server.requests) == (2, [])
    assert "list:2: no http:// or https:// in front: nonsense (--strict takes no bad line)" in said
