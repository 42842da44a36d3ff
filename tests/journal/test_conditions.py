"""A filter as it was typed finds the rows that it means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.core.errors import Reason
from tui_dl.core.query import TaskQuery
from tui_dl.core.query_text import parse_query
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, NewTask
from tui_dl.journal.adding import BatchKind

if TYPE_CHECKING:
    from tui_dl.journal.journal import Journal

MIB = 1 << 20


async def _queue(journal: Journal) -> None:
    """Four rows of two adds that differ in everything that can be asked for."""
    first = [
        NewTask("http://cdn.a.test/x/debian.iso", "/srv/isos"),
        NewTask("http://a.test/Photo%20one.JPG?token=7", "/srv/pictures"),
    ]
    second = [NewTask("http://b.test:8080/é/Ünder*world.iso", "/srv/isos"), NewTask("http://b.test/last.bin", "/tmp/x")]
    tasks = [one.task for one in await journal.add(first, batch="monday list", at=1.0)]
    tasks += [one.task for one in await journal.add(second, batch="Tuesday", at=2.0, kind=BatchKind.GET)]
    changes: tuple[dict[str, Any], ...] = (
        {"total_bytes": 3 * MIB, "filename": "debian.iso"},
        {"status": Status.FAILED, "reason": Reason.NOT_FOUND, "http_status": 404, "filename": "Photo one.JPG"},
        {"filename": "Ünderworld.iso", "total_bytes": 10 * MIB},
        {"status": Status.COMPLETED, "total_bytes": 0, "filename": "last.bin"},
    )
    await journal.save_many([replace(task, **change) for task, change in zip(tasks, changes, strict=True)])


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", ["debian.iso", "Photo one.JPG", "Ünderworld.iso"]),
        ("debian cdn", ["debian.iso"]),
        ("debian photo", []),
        ('"photo one"', ["Photo one.JPG"]),
        ("token=7", ["Photo one.JPG"]),
        ("url:TOKEN", ["Photo one.JPG"]),
        ("host:a.test", ["debian.iso", "Photo one.JPG"]),
        ("host:=a.test", ["Photo one.JPG"]),
        ("host:*.a.test", ["debian.iso"]),
        ("host:cdn,b.test", ["debian.iso", "Ünderworld.iso"]),
        ("host:cdn host:b.test", ["debian.iso", "Ünderworld.iso"]),
        ("-host:a.test", ["Ünderworld.iso"]),
        ("name:*.iso", ["debian.iso", "Ünderworld.iso"]),
        ("name:*.iso -name:debian*", ["Ünderworld.iso"]),
        ("name:ünder*.ISO", ["Ünderworld.iso"]),
        ("name:?nderworld.iso", ["Ünderworld.iso"]),
        ("name:iso", ["debian.iso", "Ünderworld.iso"]),
        ("name:%iso", []),
        ("name:=debian.ISO", []),
        ("status:failed", ["Photo one.JPG"]),
        ("-status:failed", ["debian.iso", "Ünderworld.iso"]),
        ("status:queued -host:b", ["debian.iso"]),
        ("batch:monday", ["debian.iso", "Photo one.JPG"]),
        ('batch:"monday list" batch:tues', ["debian.iso", "Photo one.JPG", "Ünderworld.iso", "last.bin"]),
        ("batch:=Tuesday", ["Ünderworld.iso", "last.bin"]),
        ("-batch:monday", ["Ünderworld.iso"]),
        ("size:>3M", ["Ünderworld.iso"]),
        ("size:>=3M size:<10M", ["debian.iso"]),
        ("-size:>3M", ["debian.iso", "Photo one.JPG"]),
        ("size:1M..", ["debian.iso", "Ünderworld.iso"]),
        ("reason:404", ["Photo one.JPG"]),
        ("reason:not-found", ["Photo one.JPG"]),
        ("reason:500", []),
        ("-reason:404", ["debian.iso", "Ünderworld.iso"]),
        ("dir:isos", ["debian.iso", "Ünderworld.iso"]),
        ("host:test -name:*.jpg -name:ü*", ["debian.iso"]),
    ],
)
async def test_a_typed_filter_finds_its_rows(journal: Journal, typed: str, names: list[str]) -> None:
    """Each term alone and terms together, in queue order."""
    await _queue(journal)
    rows = await journal.rows(await journal.ids(parse_query(typed)))
    assert [task.filename for task in rows] == names


async def test_history_is_found_where_it_is_asked_for(journal: Journal) -> None:
    """Finished rows of a `get` are hidden in the default view alone."""
    await _queue(journal)
    assert len(await journal.ids(TaskQuery())) == 3
    assert len(await journal.ids(TaskQuery(has_history=True))) == 4


async def test_hundreds_of_terms_are_one_question(journal: Journal) -> None:
    """A list of hosts from the triage screen does not outgrow what SQLite takes."""
    await _queue(journal)
    typed = " ".join(f"host:=h{number}.test" for number in range(800)) + " host:=a.test"
    rows: list[DownloadTask] = await journal.rows(await journal.ids(parse_query(typed)))
    assert [task.filename for task in rows] == ["Photo one.JPG"]
