"""`tui-dl ls` reads the journal beside whoever works with it, and writes what tables, pipes and programs take."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tui_dl.cli import listing
from tui_dl.cli.exits import DONE, WRONG_USAGE
from tui_dl.cli.main import run
from tui_dl.core.display_text import cell_count
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, NewTask
from tui_dl.disk.locations import locations_under
from tui_dl.journal.adding import BatchKind
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_700_000_000.0
GONE = "not found (404)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the program a home of its own."""
    monkeypatch.setenv("TUI_DL_HOME", str(tmp_path))
    return tmp_path


async def _fill(home: Path) -> None:
    wishes = [
        NewTask(f"http://{host}.example/{number}?token=secret", "/d", line=number, extra='{"label": "cat"}')
        for number in range(1, 4)
        for host in ("a", "b")
    ]
    async with await Journal.open(locations_under(home).journal_file) as journal:
        mine = [one.task for one in await journal.add(wishes, batch="nightly", at=AT, kind=BatchKind.GET)]
        await journal.add([NewTask("http://c.example/x", "/d")], batch="screen", at=AT)
        await journal.save_many([_ended(task) for task in mine])


def _ended(task: DownloadTask) -> DownloadTask:
    if task.line == 1:
        return replace(task, status=Status.COMPLETED, path=f"/d/{task.filename}", total_bytes=10, downloaded_bytes=10)
    reason, text = (Reason.NOT_FOUND, GONE) if task.host.startswith("a") else (Reason.STALLED, "\x1b[31mno byte")
    return replace(task, status=Status.FAILED, reason=reason, reason_text=text)


@pytest.fixture
def queue(home: Path) -> Path:
    """Fill the journal with a finished run of `get` and a task of the screen."""
    asyncio.run(_fill(home))
    return home


def listed(capfd: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Run the command and return its lines."""
    assert run(["ls", *words]) == DONE
    return capfd.readouterr().out.splitlines()


@pytest.mark.usefixtures("queue")
def test_the_queue_is_listed_and_history_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    """What runs of `get` finished fills no screen; a filter, a batch or --all looks there."""
    assert [line.split("\t")[5] for line in listed(capfd)] == ["x"]
    assert len(listed(capfd, "--all")) == 7
    assert len(listed(capfd, "--batch", "nightly")) == 6
    assert len(listed(capfd, "--batch", "night")) == 0
    assert len(listed(capfd, "host:b.", "status:failed")) == 2
    assert len(listed(capfd, "--failed", "-n", "3")) == 3


@pytest.mark.usefixtures("queue")
def test_a_pipe_gets_fields_between_tabs(capfd: pytest.CaptureFixture[str]) -> None:
    """Names and reasons are harmless, secrets in addresses masked."""
    (line,) = listed(capfd, "status:done", "host:=a.example")
    assert line == "1\tcompleted\t10\t10\t\t/d/1\thttp://a.example/1?token=***"


@pytest.mark.usefixtures("queue")
def test_failures_are_grouped_by_reason_and_host(capfd: pytest.CaptureFixture[str]) -> None:
    """The largest group first, with the words of one of them."""
    assert listed(capfd, "--group") == [
        f"2\tnot-found\ta.example\t{GONE}",
        "2\tstalled\tb.example\t�[31mno byte",
    ]
    (group,) = [json.loads(line) for line in listed(capfd, "--failed", "--group", "--json", "host:=a.example")]
    assert (group["count"], group["reason"], group["host"]) == (2, "not-found", "a.example")
    assert group["hint"]


@pytest.mark.usefixtures("queue")
def test_addresses_go_into_another_run(capfd: pytest.CaptureFixture[str]) -> None:
    """Whole, one a line: `tui-dl ls --failed reason:404 --urls | tui-dl get -i -`."""
    urls = listed(capfd, "--failed", "--urls", "reason:not-found")
    assert urls == ["http://a.example/2?token=secret", "http://a.example/3?token=secret"]


@pytest.mark.usefixtures("queue")
def test_programs_get_objects_and_tables(capfd: pytest.CaptureFixture[str]) -> None:
    """The fields of `get --json` and the columns of a manifest, the list's own with them."""
    objects = [json.loads(line) for line in listed(capfd, "--failed", "--json", "--sort", "added", "-r")]
    assert {one["label"] for one in objects} == {"cat"}
    assert {(one["status"], one["line"]) for one in objects} == {("failed", 2), ("failed", 3)}
    rows = list(csv.DictReader(listed(capfd, "--batch", "nightly", "--csv")))
    assert [row["status"] for row in rows].count("gone") == 2
    assert [row["bytes"] for row in rows if row["status"] == "completed"] == ["10", "10"]


@pytest.mark.usefixtures("queue")
def test_adds_are_listed_with_their_numbers(capfd: pytest.CaptureFixture[str]) -> None:
    """Id, time, rows, done, failed, open, bytes, name."""
    screen, nightly = (line.split("\t") for line in listed(capfd, "--batches"))
    assert (screen[2:6], screen[7]) == (["1", "0", "0", "1"], "screen")
    assert (nightly[2:7], nightly[7]) == (["6", "2", "4", "0", "20"], "nightly")
    assert json.loads(listed(capfd, "--batches", "--json")[1])["counts"] == {"completed": 2, "failed": 4}


async def test_what_a_dead_process_ran_is_queued(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody runs it, whatever it was doing when the process died; what lives is told as it is."""
    async with await Journal.open(locations_under(home).journal_file) as journal:
        (outcome,) = await journal.add([NewTask("http://a.example/1", "/d")], batch="b", at=AT)
        await journal.save(replace(outcome.task, status=Status.DOWNLOADING), is_durable=True)
        alive = await asyncio.to_thread(run, ["ls"])
    dead = await asyncio.to_thread(run, ["ls"])
    statuses = [line.split("\t")[1] for line in capfd.readouterr().out.splitlines()]
    assert (alive, dead, statuses) == (DONE, DONE, ["downloading", "pending"])


def test_no_journal_is_an_empty_list(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And none is made by looking."""
    assert listed(capfd) == listed(capfd, "--group") == listed(capfd, "--batches") == []
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("size:huge",),
        ("--json", "--urls"),
        ("--group", "--urls"),
        ("--group", "--csv"),
        ("--batches", "--group"),
        ("--batches", "host:a"),
        ("--batch", ""),
        ("--watch",),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_is_refused(words: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    """With exit 2 and the reason, and nothing on standard output."""
    assert run(["ls", *words]) == WRONG_USAGE
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tui-dl")


def test_a_terminal_gets_a_table_of_its_width() -> None:
    """Columns stand below each other, and no line is wider."""
    task = replace(_ended(_row(2)), filename="名" * 40, total_bytes=4096, downloaded_bytes=1024)
    lines = list(listing.row_lines([[task]], 100))
    assert all(cell_count(line) <= 100 for line in lines)
    assert lines[0].split() == ["ID", "STATUS", "SIZE", "DONE", "NAME", "HOST", "WHY"]
    assert lines[1].startswith("7        failed      4.00 KiB  25 %  名名")
    assert lines[1].rpartition("  ")[2] == GONE


def _row(line: int) -> DownloadTask:
    return DownloadTask(id=7, url="http://a.example/1", dir="/d", filename="1", host="a.example", line=line)
