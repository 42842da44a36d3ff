"""Failures are grouped by reason and host, the largest group first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.journal.rows import added, wishes
from tui_dl.core.errors import Reason
from tui_dl.core.ports import FailureGroup
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask


def _failed(task: DownloadTask, reason: Reason | None, text: str = "") -> DownloadTask:
    return replace(task, status=Status.FAILED, reason=reason, reason_text=text)


async def _with_failures(journal: Journal) -> None:
    tasks = await added(journal, [*wishes(5, "a.example"), *wishes(3, "b.example")])
    failed = [_failed(task, Reason.NOT_FOUND, "answer 404") for task in tasks[:3]]
    failed += [_failed(tasks[3], Reason.STALLED), _failed(tasks[5], Reason.NOT_FOUND), _failed(tasks[6], None)]
    await journal.save_many(failed)


async def test_groups_name_reason_host_and_count_the_largest_first() -> None:
    """Rows that did not fail count nowhere, and a failure without a reason is a fault of ours."""
    async with await Journal.open(None) as journal:
        await _with_failures(journal)
        assert await journal.failure_groups(TaskQuery()) == [
            FailureGroup(Reason.NOT_FOUND, "a.example", 3, "answer 404"),
            FailureGroup(Reason.INTERNAL, "b.example", 1),
            FailureGroup(Reason.NOT_FOUND, "b.example", 1),
            FailureGroup(Reason.STALLED, "a.example", 1),
        ]


async def test_only_rows_of_the_question_are_grouped() -> None:
    """A filter narrows the groups as it narrows the table; one for other statuses leaves none."""
    async with await Journal.open(None) as journal:
        await _with_failures(journal)
        of_host = await journal.failure_groups(TaskQuery(host="b.example", statuses=frozenset(Status)))
        assert [(group.reason, group.count) for group in of_host] == [(Reason.INTERNAL, 1), (Reason.NOT_FOUND, 1)]
        assert await journal.failure_groups(TaskQuery(statuses=frozenset({Status.PENDING}))) == []
