"""`--curl` and `tui-dl refresh`: what a browser copied, as part of an order or as a fresh link."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_order import order
from tests.cli.test_processes import ROOT
from tui_dl.cli import curl
from tui_dl.cli.curl import downloads_of
from tui_dl.cli.refresh import fresh_link, which_row
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.core.url_list import Line
from tui_dl.disk.locations import locations_under
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.core.task import DownloadTask

URL = "https://host.example/f.iso"
CURL = f"curl '{URL}' -H 'user-agent: Mozilla/5.0' -b 'sid=1'"
HEADERS = (("user-agent", "Mozilla/5.0"), ("Cookie", "sid=1"))


# -- orders ------------------------------------------------------------------------------------------------------------


def test_a_curl_command_is_an_address_with_its_headers(tmp_path: Path) -> None:
    """Its headers are of its own addresses; lists and typed ones do not get them."""
    made = order(tmp_path, curl=(CURL,))
    assert [(one.url, one.options.headers) for one in made.news] == [("http://h/a", ()), (URL, HEADERS)]
    assert made.listed_task(Line(1, "http://h/b")).options.headers == ()


def test_a_header_beside_it_wins(tmp_path: Path) -> None:
    """It holds for all addresses of the order."""
    made = order(tmp_path, urls=(), curl=(CURL,), headers=("Cookie: sid=2",))
    assert made.news[0].options.headers == (("user-agent", "Mozilla/5.0"), ("Cookie", "sid=2"))


def test_outputs_of_curl_begin_at_the_folder_of_the_order(tmp_path: Path) -> None:
    """And a name of the order's own wins."""
    made = order(tmp_path, urls=(), curl=(f"curl {URL} -o sub/x.iso",), dir="into")
    assert (made.news[0].dir, made.news[0].name) == (str(tmp_path / "into" / "sub"), "x.iso")
    assert order(tmp_path, urls=(), curl=(f"curl {URL} -o x.iso",), output="y.iso").news[0].name == "y.iso"


def test_one_name_is_for_one_address(tmp_path: Path) -> None:
    """Those of curl count too."""
    with pytest.raises(UsageError, match="exactly one address"):
        order(tmp_path, curl=(CURL,), output="y.iso")
    with pytest.raises(UsageError, match="exactly one address"):
        order(tmp_path, curl=(CURL,), checksum="md5=" + "0" * 32)


def test_a_proxy_and_no_certificates_hold_for_the_run(tmp_path: Path) -> None:
    """Where all addresses say so, and an option beside it decides otherwise."""
    made = order(tmp_path, urls=(), curl=(f"curl -k -x http://p.example:8 {URL} {URL}2",))
    assert (made.effective.settings.proxy, made.effective.settings.insecure) == ("http://p.example:8", True)
    made = order(tmp_path, urls=(), curl=(f"curl -x http://p.example:8 {URL}",), proxy="http://q.example:8")
    assert made.effective.settings.proxy == "http://q.example:8"
    assert order(tmp_path, curl=(f"curl -k {URL}",), insecure=True).effective.settings.insecure


@pytest.mark.parametrize(
    "given", [{"urls": ("http://h/a",)}, {"urls": (), "input_files": ("-",)}], ids=["typed", "list"]
)
@pytest.mark.parametrize(("switch", "says"), [("-k", "--insecure"), ("-x http://p.example:8", "--proxy")])
def test_they_do_not_hold_for_addresses_that_did_not_say_so(
    tmp_path: Path, given: dict[str, Any], switch: str, says: str
) -> None:
    """That would be less safety, or less privacy, than was asked for."""
    with pytest.raises(UsageError, match=says):
        order(tmp_path, **given, curl=(f"curl {switch} {URL}",))


def test_standard_input_is_read_once() -> None:
    """A list and a command cannot both have it."""
    assert [one.url for one in downloads_of({"curl": ("-",)}, lambda: f"{CURL} ;\n{CURL}2")] == [URL, URL]
    with pytest.raises(UsageError, match="once is enough"):
        downloads_of({"curl": ("-", "-")}, lambda: CURL)
    with pytest.raises(UsageError, match="both read standard input"):
        downloads_of({"curl": ("-",), "input_files": ("-",)}, lambda: CURL)


def test_a_command_that_is_refused_names_the_option() -> None:
    """So that the person knows which of many words is meant."""
    with pytest.raises(UsageError, match="--curl: curl's -X POST"):
        downloads_of({"curl": (f"curl -X POST {URL}",)})


def test_more_than_a_paste_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endless input ends with a message."""
    reading, writing = os.pipe()
    os.write(writing, b"x" * 100)
    os.close(writing)
    monkeypatch.setattr(curl, "MOST_BYTES", 10)
    with pytest.raises(UsageError, match="more than"):
        curl._all_of(reading)
    os.close(reading)


# -- fresh links -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "which"),
    [("17", 17), ("0000000000000011", 17), ("https://me:secret@h.example/f", "https://h.example/f")],
)
def test_a_download_is_named_by_id_gid_or_address(text: str, which: int | str) -> None:
    """User info stands in no row."""
    assert which_row(text) == which


def link(**given: Any) -> tuple[str, tuple[tuple[str, str], ...] | None]:
    """Return what the options of a fresh link mean."""
    return fresh_link({"new_url": None, "curl": None, "headers": (), **given})


def test_a_fresh_link_is_an_address_or_a_curl_command() -> None:
    """A bare address leaves the headers of the row; others replace them."""
    assert link(new_url=URL) == (URL, None)
    assert link(new_url=URL, headers=("A: b",)) == (URL, (("A", "b"),))
    assert link(curl=CURL, headers=("cookie: sid=2",)) == (URL, (("user-agent", "Mozilla/5.0"), ("cookie", "sid=2")))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "one of them"),
        ({"new_url": URL, "curl": CURL}, "one of them"),
        ({"new_url": "nonsense"}, "no http"),
        ({"curl": f"curl {URL} {URL}2"}, "not 2"),
        ({"curl": f"curl -x http://p.example {URL}"}, "--proxy there"),
    ],
)
def test_what_is_no_fresh_link_is_refused(given: dict[str, Any], says: str) -> None:
    """With what to give instead."""
    with pytest.raises(UsageError, match=says):
        link(**given)


def tui_dl(folder: Path, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TUI_DL_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "tui_dl", *args]
    return subprocess.run(
        command, cwd=folder, env=environment, input=typed, capture_output=True, text=True, timeout=30, check=False
    )


async def a_row(home: Path, url: str, **changes: Any) -> DownloadTask:
    """Leave a failed row in the queue of a home, as a process that has ended does."""
    async with await Journal.open(locations_under(home).journal_file) as journal:
        (outcome,) = await journal.add([NewTask(url, str(home))], batch="screen", at=1.0)
        task = replace(outcome.task, **{"status": Status.FAILED, "reason": Reason.FORBIDDEN, **changes})
        await journal.save(task, is_durable=True)
    return task


async def the_row(home: Path, task: DownloadTask) -> DownloadTask:
    """Return a row as it is now."""
    async with await Journal.open(locations_under(home).journal_file) as journal:
        (row,) = await journal.rows([task.id])
        return row


async def test_refresh_changes_the_row_of_nobody(tmp_path: Path) -> None:
    """By its old address, by a command from a pipe; secrets stay out of what is said, no session is forced."""
    task = await a_row(tmp_path / "home", URL)
    config_file = locations_under(tmp_path / "home").config_file
    config_file.parent.mkdir()
    config_file.write_text("background = false\n")
    command = "curl 'https://fresh.example/g?token=hunter2' \\\n -b 'sid=hunter2'\n"
    done = await asyncio.to_thread(tui_dl, tmp_path, "refresh", URL, "--curl", "-", typed=command)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Address changed; `tui-dl` goes on with it\n"
    row = await the_row(tmp_path / "home", task)
    assert (row.url, row.status, row.reason) == ("https://fresh.example/g?token=hunter2", Status.PENDING, None)
    assert row.options.headers == (("Cookie", "sid=hunter2"),)


async def test_refresh_leaves_the_row_of_a_living_process(tmp_path: Path) -> None:
    """It says whose it is and names the way out."""
    async with await Journal.open(locations_under(tmp_path / "home").journal_file) as journal:
        (outcome,) = await journal.add([NewTask(URL, str(tmp_path))], batch="screen", at=1.0)
        done = await asyncio.to_thread(tui_dl, tmp_path, "refresh", str(outcome.task.id), "https://fresh.example/g")
        assert [row.url for row in await journal.rows([outcome.task.id])] == [URL]
    assert done.returncode == 1
    assert f"is run by another tui-dl (process {os.getpid()} on" in done.stderr
    assert "refresh it there" in done.stderr


async def test_refresh_names_what_it_does_not_find(tmp_path: Path) -> None:
    """Wrong usage, and no journal is made for it."""
    done = await asyncio.to_thread(tui_dl, tmp_path, "refresh", URL, "https://fresh.example/g")
    assert (done.returncode, done.stderr) == (2, "tui-dl: the queue is empty; `tui-dl get` or `tui-dl` add downloads\n")
    assert not locations_under(tmp_path / "home").journal_file.exists()
    await a_row(tmp_path / "home", URL)
    done = await asyncio.to_thread(tui_dl, tmp_path, "refresh", f"{URL}?token=hunter2", "https://fresh.example/g")
    assert (done.returncode, done.stderr) == (2, f"tui-dl: no download in the queue has {URL}?token=***\n")


async def test_refresh_says_that_a_finished_one_stays(tmp_path: Path) -> None:
    """A file that is there is no matter of links."""
    await a_row(tmp_path / "home", URL, status=Status.COMPLETED, reason=None)
    done = await asyncio.to_thread(tui_dl, tmp_path, "refresh", URL, "https://fresh.example/g")
    assert done.returncode == 1
    assert "is completed" in done.stderr
