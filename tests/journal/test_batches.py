"""Batches: every add is one, counted by what became of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.journal.rows import added
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask
from tui_dl.journal.adding import BatchKind

if TYPE_CHECKING:
    from tui_dl.journal.journal import Journal


async def test_batches_are_listed_with_their_counts_the_newest_first(journal: Journal) -> None:
    """A batch says how many of its rows stand where, and how many bytes its completed files have."""
    first = await added(journal, [NewTask(f"http://a.example/{number}", "/d") for number in range(3)])
    await journal.add([NewTask("http://b.example/x", "/d")], batch="films", at=7.0, kind=BatchKind.GET)
    ends = [
        replace(first[0], status=Status.COMPLETED, downloaded_bytes=40, started_at=3.0, finished_at=9.0),
        replace(first[1], status=Status.FAILED, downloaded_bytes=5, started_at=2.0, finished_at=8.0),
    ]
    await journal.save_many(ends)
    films, other = await journal.batches()
    assert (films.name, films.is_get, films.at, films.counts, films.total) == (
        "films",
        True,
        7.0,
        {Status.PENDING: 1},
        1,
    )
    assert await journal.batch_names() == ["films", "screen"]
    assert other.counts == {Status.COMPLETED: 1, Status.FAILED: 1, Status.PENDING: 1}
    assert (other.total_bytes, other.started_at, other.finished_at) == (40, 2.0, 9.0)


async def test_one_batch_is_counted_with_what_was_told_just_now(journal: Journal) -> None:
    """A row that has just ended is counted, and a batch without rows is none."""
    (task,) = await added(journal, [NewTask("http://a.example/1", "/d")])
    journal.save_soon(replace(task, status=Status.COMPLETED))
    batch = await journal.batch(task.batch_id)
    assert batch is not None
    assert batch.counts == {Status.COMPLETED: 1}
    await journal.clear_finished()
    assert await journal.batch(task.batch_id) is None
    assert await journal.batches() == []
