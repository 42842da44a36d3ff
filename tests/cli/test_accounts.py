"""A manifest has a record for each line, in order, a list of failures those that failed; both ask the journal."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import pytest

from tui_dl.cli.accounts import Accounts
from tui_dl.cli.line_log import BLOCK_LINES, MOST_IN_MEMORY_BYTES
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.events import Event, EventKind
from tui_dl.core.manifest import COLUMNS
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.core.url_list import BadLine
from tui_dl.disk.replaced_file import ReplacedFile
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui_dl.core.task import DownloadTask

SHA = "ab" * 32
BAD = BadLine(4, "nonsense", "no http:// in front", "list.txt")


class Account:
    """A batch of lines with what became of them, in a journal of its own."""

    def __init__(self, folder: Path, journal: Journal, name: str = "m.csv", failed: str = "failed.txt") -> None:
        """Begin one; blocks."""
        self.manifest, self.failed_list = folder / name, folder / failed
        self.journal = journal
        self.accounts = Accounts(
            folder, manifest=ReplacedFile(self.manifest), failed_list=ReplacedFile(self.failed_list)
        )

    @classmethod
    async def begin(cls, folder: Path, journal: Journal, name: str = "m.csv", failed: str = "failed.txt") -> Self:
        """Begin one."""
        return await asyncio.to_thread(cls, folder, journal, name, failed)

    async def add(self, *block: NewTask | BadLine) -> list[DownloadTask]:
        """Add lines and note them; return the rows of the good ones."""
        outcomes = await self.journal.add([one for one in block if isinstance(one, NewTask)], batch="b", at=1.0)
        await self.accounts.note(block, [one.task.id for one in outcomes], "list.txt")
        return [one.task for one in outcomes]

    async def end(self, task: DownloadTask, kind: EventKind, **changes: Any) -> None:
        """Let a task end."""
        status = {EventKind.COMPLETED: Status.COMPLETED, EventKind.FAILED: Status.FAILED}.get(kind, Status.SKIPPED)
        ended = replace(task, status=status, started_at=1.0, **changes)
        self.journal.save_soon(ended)
        self.accounts.hear(Event(kind, ended, 2.0))

    async def write(self) -> None:
        """Write both."""
        await self.accounts.write_failed_list(self.journal)
        await self.accounts.write_manifest(self.journal, lambda _through, _of: None)
        await asyncio.to_thread(self.accounts.discard)


def wish(number: int, extra: dict[str, Any] | None = None) -> NewTask:
    """Return the wish of a line."""
    return NewTask(f"http://h/{number}", "/d", line=number, extra=json.dumps(extra) if extra else "")


async def _mixed(account: Account) -> None:
    """One of each: done, gone, failed, bad, asked for twice, skipped."""
    done, gone, failed, _, skipped = await account.add(
        wish(1, {"label": "cat", "path": "x"}), wish(2), wish(3), BAD, wish(1), wish(6)
    )
    await account.end(
        done,
        EventKind.COMPLETED,
        path="/d/1",
        total_bytes=7,
        sha256=SHA,
        content_type="image/png",
        http_status=200,
        final_url="http://cdn/1?sig=secret",
    )
    await account.end(gone, EventKind.FAILED, reason=Reason.NOT_FOUND, reason_text="not found (404)", http_status=404)
    await account.end(failed, EventKind.FAILED, reason=Reason.STALLED, retry_count=3)
    await account.end(skipped, EventKind.SKIPPED, reason=Reason.TARGET_EXISTS, reason_text="it is there")


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


async def test_each_line_has_its_record_in_order(tmp_path: Path) -> None:
    """Also those that were bad, skipped or asked for twice; the list's own columns go with them."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        await _mixed(account)
        await account.write()
    rows = csv_rows(account.manifest)
    assert list(rows[0]) == [*COLUMNS, "label", "list_path"]
    assert [(row["line"], row["status"], row["reason"]) for row in rows] == [
        ("1", "completed", ""),
        ("2", "gone", "not-found"),
        ("3", "failed", "stalled"),
        ("4", "failed", "bad-url"),
        ("1", "skipped", "duplicate"),
        ("6", "skipped", "target-exists"),
    ]
    assert rows[0] | {"list_path": "x"} == {
        **dict.fromkeys(COLUMNS, ""),
        "list": "list.txt",
        "line": "1",
        "url": "http://h/1",
        "final_url": "http://cdn/1?sig=***",
        "path": "/d/1",
        "status": "completed",
        "bytes": "7",
        "sha256": SHA,
        "content_type": "image/png",
        "http_status": "200",
        "attempts": "1",
        "label": "cat",
        "list_path": "x",
    }
    assert (rows[2]["attempts"], rows[2]["text"]) == ("3", "no byte arrived for too long")
    assert (rows[3]["url"], rows[3]["text"]) == ("nonsense", "no http:// in front")


async def test_every_form_says_the_same(tmp_path: Path) -> None:
    """CSV, JSON Lines and Parquet differ in form alone."""
    forms: dict[str, list[dict[str, Any]]] = {}
    for name in ("m.csv", "m.jsonl", "m.parquet"):
        async with await Journal.open(None) as journal:
            account = await Account.begin(tmp_path, journal, name)
            await _mixed(account)
            await account.write()
        if name == "m.jsonl":
            forms[name] = [json.loads(line) for line in account.manifest.read_text().splitlines()]
        else:
            forms[name] = csv_rows(account.manifest) if name == "m.csv" else parquet_rows(account.manifest)
    known = {
        name: [{key: str(value) for key, value in row.items() if value not in ("", None)} for row in rows]
        for name, rows in forms.items()
    }
    assert known["m.csv"] == known["m.jsonl"] == known["m.parquet"]
    assert isinstance(forms["m.parquet"][0]["bytes"], int)


async def test_failures_are_listed_as_addresses(tmp_path: Path) -> None:
    """What `get -i` takes again; a line that held no address is a comment there."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        await _mixed(account)
        await account.write()
    assert account.failed_list.read_text().splitlines() == [
        "http://h/2",
        "http://h/3",
        "# list.txt:4: no http:// in front",
    ]


async def test_failures_are_listed_as_a_table(tmp_path: Path) -> None:
    """With where they stood, why, and how often they were tried."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal, failed="failed.csv")
        await _mixed(account)
        await account.write()
    rows = csv_rows(account.failed_list)
    assert [tuple(row.values()) for row in rows] == [
        ("2", "http://h/2", "not-found", "not found (404)", "404", "1", "list.txt", "", ""),
        ("3", "http://h/3", "stalled", "no byte arrived for too long", "", "3", "list.txt", "", ""),
        ("4", "nonsense", "bad-url", "no http:// in front", "", "", "list.txt", "", ""),
    ]


@pytest.mark.parametrize("name", ["failed.txt", "failed.csv"])
async def test_a_failure_that_was_asked_for_twice_is_listed_once(tmp_path: Path, name: str) -> None:
    """It is one download."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal, failed=name)
        task, _ = await account.add(wish(1), wish(1))
        await account.end(task, EventKind.FAILED, reason=Reason.STALLED)
        await account.write()
    assert account.failed_list.read_text().count("http://h/1") == 1


async def test_lines_of_several_lists_are_told_apart(tmp_path: Path) -> None:
    """Each has its own line 1; what was typed has no list."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        for number, name in enumerate(("a.txt", "b.txt", ""), 1):
            (outcome,) = await journal.add([NewTask(f"http://h/{number}", "/d", line=1)], batch="b", at=1.0)
            await account.accounts.note([NewTask(f"http://h/{number}", "/d", line=1)], [outcome.task.id], name)
        await account.write()
    assert [(row["list"], row["line"]) for row in csv_rows(account.manifest)] == [
        ("a.txt", "1"),
        ("b.txt", "1"),
        ("", "1"),
    ]


async def test_what_succeeded_after_all_is_no_failure(tmp_path: Path) -> None:
    """A person tried it again on the screen."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        (task,) = await account.add(wish(1))
        await account.end(task, EventKind.FAILED, reason=Reason.STALLED)
        await account.end(task, EventKind.COMPLETED, path="/d/1", total_bytes=1)
        await account.write()
    assert account.failed_list.read_text() == ""


async def test_the_files_of_a_document_follow_its_line(tmp_path: Path) -> None:
    """A Metalink is one line; each file that it names has a record of its own, and fails with it."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        document, _ = await account.add(wish(1), wish(2))
        child = NewTask("http://h/file", "/d", parent_id=document.id)
        (outcome,) = await journal.add([child], batch="", at=1.0)
        await account.end(outcome.task, EventKind.FAILED, reason=Reason.GONE, reason_text="gone")
        await account.end(document, EventKind.SKIPPED, reason_text="a Metalink")
        await account.write()
    rows = csv_rows(account.manifest)
    assert [(row["line"], row["url"]) for row in rows] == [
        ("1", "http://h/1"),
        ("1", "http://h/file"),
        ("2", "http://h/2"),
    ]
    assert account.failed_list.read_text() == "http://h/file\n"


async def test_a_row_that_was_taken_out_is_told_as_removed(tmp_path: Path) -> None:
    """Its line is not lost."""
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        (task,) = await account.add(wish(1))
        await journal.remove((task.id,))
        await account.write()
    assert [(row["url"], row["status"]) for row in csv_rows(account.manifest)] == [("http://h/1", "removed")]


async def test_a_long_list_keeps_its_order_and_little_memory(tmp_path: Path) -> None:
    """It goes to a file that nobody sees, in blocks, and comes back whole."""
    count = 8 * BLOCK_LINES + 1
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        for start in range(0, count, BLOCK_LINES):
            await account.add(
                *(wish(number, {"n": number}) for number in range(start, min(start + BLOCK_LINES, count)))
            )
        told: list[tuple[int, int]] = []
        before = await asyncio.to_thread(_names, tmp_path)
        await account.accounts.write_manifest(journal, lambda through, of: told.append((through, of)))
        await asyncio.to_thread(account.accounts.discard)
    assert count * 40 > MOST_IN_MEMORY_BYTES
    assert [int(row["n"]) for row in csv_rows(account.manifest)] == list(range(count))
    assert told[-1] == (count, count)
    assert before == [".failed.txt.tui-dl-new", ".m.csv.tui-dl-new"]
    assert await asyncio.to_thread(_names, tmp_path) == ["m.csv"]


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
async def test_foreign_names_are_written(tmp_path: Path, name: str) -> None:
    """Bytes that are no UTF-8, quotes and line ends in what a list says break nothing."""
    strange = {"q": 'a "quoted", one\nand two', "bytes": "\udcff", "list": ["x", 1]}
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal, name)
        await account.add(wish(1, strange))
        await account.write()
    if name == "m.csv":
        with account.manifest.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            (row,) = csv.DictReader(file)
    elif name == "m.jsonl":
        row = json.loads(account.manifest.read_text(encoding="utf-8"))
    else:
        (row,) = parquet_rows(account.manifest)
    assert row["q"] == strange["q"]
    assert row["list_bytes"] in ("\udcff", "?")


async def test_a_disk_that_refuses_leaves_the_old_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so as any other failure of a disk."""
    (tmp_path / "m.csv").write_text("old")
    async with await Journal.open(None) as journal:
        account = await Account.begin(tmp_path, journal)
        await account.add(wish(1))

        def full(_self: ReplacedFile) -> None:
            raise FileSystemError(Reason.DISK_FULL, "cannot write: No space left on device")

        monkeypatch.setattr(ReplacedFile, "commit", full)
        with pytest.raises(FileSystemError):
            await account.accounts.write_manifest(journal, lambda _through, _of: None)
        await asyncio.to_thread(account.accounts.discard)
    assert await asyncio.to_thread(_names, tmp_path) == ["m.csv"]
    assert (tmp_path / "m.csv").read_text() == "old"


def _names(folder: Path) -> Sequence[str]:
    return sorted(one.name for one in folder.iterdir())
