"""Lists as the command line orders them: several, in parts, strict, patterns, names of batches."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import click
import pytest

from tests.cli.test_order import order
from tui_dl.cli import list_orders
from tui_dl.cli.list_orders import ASKED_ABOVE, agreed
from tui_dl.core.errors import UsageError
from tui_dl.core.task import NewTask, OnExists
from tui_dl.core.url_globs import UrlGlob, parse_glob
from tui_dl.core.url_list import BadLine

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.cli.order import Order


def written(folder: Path, name: str, text: str) -> str:
    """Write a list and return its path."""
    (folder / name).write_text(text)
    return str(folder / name)


async def ordered(tmp_path: Path, **given: Any) -> Order:
    """Return an order, made in a thread: the program makes it before its loop begins."""
    return await asyncio.to_thread(order, tmp_path, **given)


async def blocks_of(made: Order) -> list[tuple[str, int, str]]:
    """Return batch, line and address of everything that an order reads."""
    return [
        (block.batch, one.number, "!" if isinstance(one, BadLine) else one.url)
        async for block in made.lists.blocks()
        for one in block.lines
    ]


async def task_of(tmp_path: Path, text: str, **given: Any) -> NewTask:
    """Return the only task of a list."""
    made = await ordered(tmp_path, urls=(), input_files=(written(tmp_path, "list", text),), **given)
    (task,) = [one async for block in made.lists.blocks() for one in made.listed_tasks(block.lines, block.name)]
    assert isinstance(task, NewTask)
    return task


def pattern(text: str) -> UrlGlob:
    """Return a pattern that is one."""
    glob = parse_glob(text)
    assert glob is not None
    return glob


async def test_several_lists_are_read_in_turn(tmp_path: Path) -> None:
    """Each with its own numbers and, unless one was given, a batch of its own name; a list given twice is read once."""
    one, two = written(tmp_path, "a.txt", "http://h/a\nx\n"), written(tmp_path, "b.csv", "url\nhttp://h/b\n")
    made = await ordered(tmp_path, urls=(), input_files=(one, two, one))
    assert await blocks_of(made) == [("a.txt", 1, "http://h/a"), ("a.txt", 2, "!"), ("b.csv", 2, "http://h/b")]
    assert made.lists.batch_name == "a.txt and 1 more"
    named = await ordered(tmp_path, urls=(), input_files=(one, two), batch=" Mine ")
    assert {batch for batch, _, _ in await blocks_of(named)} == {"Mine"}
    assert named.lists.batch_name == "Mine"


def test_one_batch_has_its_lists_name(tmp_path: Path) -> None:
    """That of a pipe is said in words; without a list there is none."""
    assert order(tmp_path, urls=(), input_files=("-",)).lists.batch_name == "standard input"
    assert order(tmp_path).lists.batch_name == ""


async def test_a_pattern_is_a_list(tmp_path: Path) -> None:
    """Numbered by its own, in parts as any list, and what is there is left alone as for one."""
    made = await ordered(tmp_path, urls=("http://h/[1-5]", "http://h/x"), part="2/2")
    assert [one.url for one in made.news] == ["http://h/x"]
    assert await blocks_of(made) == [("http://h/[1-5]", 2, "http://h/2"), ("http://h/[1-5]", 4, "http://h/4")]
    assert made.listed_options.on_exists is OnExists.SKIP


def test_patterns_can_be_switched_off(tmp_path: Path) -> None:
    """Then an address is what it says; a backslash does the same for one bracket."""
    assert order(tmp_path, urls=("http://h/[1-5]",), has_globs=False).news[0].url == "http://h/[1-5]"
    assert order(tmp_path, urls=("http://h/\\[1-5\\]",)).news[0].url == "http://h/[1-5]"
    assert order(tmp_path, urls=("http://[::1]/a",)).news[0].url == "http://[::1]/a"


def test_blanks_inside_an_argument_are_encoded(tmp_path: Path) -> None:
    """The shell's quotes say that it is one; with patterns and without."""
    made = order(tmp_path, urls=("http://h/a file.zip",))
    assert made.news[0].url == "http://h/a%20file.zip"
    assert order(tmp_path, urls=("http://h/a [1].zip",), has_globs=False).news[0].url == "http://h/a%20[1].zip"
    assert order(tmp_path, urls=("http://h/a [1-2].zip",)).lists.globs[0].address(1) == "http://h/a%202.zip"
    with pytest.raises(UsageError, match="white space"):
        order(tmp_path, urls=("http://h/a http://h/b",))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"urls": ("http://h/[3-1]",)}, "runs backwards"),
        ({"urls": ("gopher://h/[1-3]",)}, "gopher"),
        ({"part": "1/2"}, "--part is of a list"),
        ({"input_files": ("-",), "part": "3/2"}, "counted from 1 to 2"),
        ({"input_files": ("-",), "part": "x"}, "--part: write it as"),
        ({"input_format": "csv"}, "takes --input"),
        ({"batch": " "}, "--batch is empty"),
        ({"input_files": ("/nowhere/at/all",)}, "no such file"),
        ({"urls": ("http://h/[1-3]",), "output": "x"}, "--output"),
        ({"urls": ("http://h/[1-3]",), "checksum": "md5=0"}, "--checksum"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, given: dict[str, Any], word: str) -> None:
    """With the reason, before anything is opened."""
    with pytest.raises(UsageError, match=word):
        order(tmp_path, **given)


def test_a_list_among_the_addresses_is_told_from_one(tmp_path: Path) -> None:
    """`-i *.txt` leaves all lists but the first behind it; a file of that name is no host."""
    first, second = (written(tmp_path, name, "http://h/a\n") for name in ("a.txt", "b.txt"))
    with pytest.raises(UsageError, match=r"b\.txt is a file and no address.* -i "):
        order(tmp_path, urls=(second,), input_files=(first,))
    with pytest.raises(UsageError, match="no http"):
        order(tmp_path, urls=("x" * 5000,))


async def test_strict_reads_a_file_before_anything_is_begun(tmp_path: Path) -> None:
    """The bad line is named; a list without one passes; without the option nothing is read beforehand."""
    bad = written(tmp_path, "bad", "http://h/a\nnonsense\n")
    with pytest.raises(UsageError, match=r"bad:2: .*--strict takes no bad line"):
        await (await ordered(tmp_path, urls=(), input_files=(bad,), is_strict=True)).lists.check()
    good = written(tmp_path, "good", "http://h/a\n")
    await (await ordered(tmp_path, urls=(), input_files=(good,), is_strict=True)).lists.check()
    await (await ordered(tmp_path, urls=(), input_files=(bad,))).lists.check()


async def test_strict_ends_a_stream_at_its_bad_line(tmp_path: Path) -> None:
    """A pipe cannot be read twice."""
    bad = written(tmp_path, "bad", "http://h/a\nnonsense\n")
    with pytest.raises(UsageError, match="--strict"):
        await blocks_of(await ordered(tmp_path, urls=(), input_files=(bad,), is_strict=True))


async def test_what_a_line_says_goes_before_what_was_typed(tmp_path: Path) -> None:
    """Headers by name, digest, folder from the order's on, name made safe; options of aria2 for this one alone."""
    text = (
        "http://me:pw@h/a\n dir=sub\n out=x?.bin\n header=X-A: listed\n checksum=md5=" + "0" * 32 + "\n"
        " allow-overwrite=true\n split=3\n"
    )
    task = await task_of(tmp_path, text, headers=("X-A: typed", "X-B: typed"), dir="down", skip_existing=True)
    assert (task.url, task.dir, task.name) == ("http://h/a", str(tmp_path / "down" / "sub"), "x_.bin")
    assert dict(task.options.headers) == {"X-B": "typed", "X-A": "listed", "Authorization": "Basic bWU6cHc="}
    assert (task.options.checksum, task.options.connections) == ("md5=" + "0" * 32, 3)
    assert (task.options.on_exists, task.line) == (OnExists.OVERWRITE, 1)


async def test_an_absolute_folder_and_a_home_stay_what_they_are(tmp_path: Path) -> None:
    """Only a relative one is below the order's."""
    assert (await task_of(tmp_path, "http://h/a\n dir=/else/where\n")).dir == "/else/where"
    assert (await task_of(tmp_path, "http://h/a\n dir=~/x\n")).dir == str(tmp_path / "x")


async def test_unknown_columns_go_on_as_json(tmp_path: Path) -> None:
    """For the manifest, whatever letters they hold."""
    task = await task_of(tmp_path, '{"url": "http://h/a", "caption": "é\\ud800", "n": [1]}\n')
    assert task.extra == '{"caption": "\\u00e9\\ud800", "n": [1]}'


def test_a_large_pattern_is_asked_about(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal, with its count, first and last; no ends it."""
    monkeypatch.setattr(list_orders, "_is_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert agreed((pattern("http://h/[1-9999]"),), is_agreed=False) == []
    shown = capsys.readouterr().err
    assert "9,999 addresses: http://h/1 ... http://h/9999" in shown
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(click.Abort):
        agreed((pattern("http://h/[1-9999]"),), is_agreed=False)


@pytest.mark.parametrize(
    ("last", "is_agreed", "is_terminal"), [(ASKED_ABOVE, False, True), (9999, True, True), (9999, False, False)]
)
def test_a_pattern_is_said_where_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, last: int, is_agreed: bool, is_terminal: bool
) -> None:
    """A small one, one that was agreed to, and where nobody can answer."""
    monkeypatch.setattr(list_orders, "_is_terminal", lambda: is_terminal)
    (line,) = agreed((pattern(f"http://h/[1-{last}]"),), is_agreed=is_agreed)
    assert line == f"{last:,} addresses: http://h/1 ... http://h/{last}"
