"""Views agree with the same question asked of plain Python lists."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal.rows import added, wishes
from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, NewTask
from tui_dl.journal import views
from tui_dl.journal.journal import Journal

_TEXT = st.text(alphabet="aAbB%_\\.é É-", max_size=4)
_ROWS = st.lists(
    st.tuples(_TEXT, st.sampled_from(["a.example", "B.example:8080"]), st.sampled_from(Status), st.integers(-1, 3)),
    max_size=8,
)
_QUERIES = st.builds(
    TaskQuery,
    text=_TEXT,
    statuses=st.just(frozenset()) | st.frozensets(st.sampled_from(Status), min_size=4),
    host=st.sampled_from(["", "A.EX", "8080", "nowhere"]),
    sort=st.sampled_from(SortKey),
    is_descending=st.booleans(),
)


def _model(tasks: list[DownloadTask], query: TaskQuery) -> list[int]:
    def is_wanted(task: DownloadTask) -> bool:
        needle = query.text.casefold()
        return (
            (needle in task.filename.casefold() or needle in task.url.casefold())
            and query.host.casefold() in task.host
            and (not query.statuses or task.status in query.statuses)
        )

    keys: dict[SortKey, Any] = {
        SortKey.POSITION: lambda task: task.position,
        SortKey.NAME: lambda task: task.filename.translate({code: code + 32 for code in range(65, 91)}),
        SortKey.SIZE: lambda task: -1 if task.total_bytes is None else task.total_bytes,
        SortKey.STATUS: lambda task: [*Status].index(task.status),
        SortKey.HOST: lambda task: task.host,
        SortKey.ADDED: lambda task: task.added_at,
        SortKey.FINISHED: lambda task: (task.finished_at is not None, task.finished_at),
    }
    in_order = sorted(filter(is_wanted, tasks), key=lambda task: (task.position, task.id))
    in_order.sort(key=keys[query.sort], reverse=query.is_descending)
    return [task.id for task in in_order]


async def _filled(journal: Journal, rows: list[tuple[str, str, Status, int]]) -> list[DownloadTask]:
    new = [NewTask(f"http://{host}/{number}", "/d") for number, (_, host, _, _) in enumerate(rows)]
    tasks = await added(journal, new)
    changed = [
        replace(
            task,
            filename=name,
            status=status,
            total_bytes=size if size >= 0 else None,
            finished_at=float(size) if size > 0 else None,
        )
        for task, (name, _, status, size) in zip(tasks, rows, strict=True)
    ]
    await journal.save_many(changed)
    return changed


@settings(max_examples=60)
@given(rows=_ROWS, queries=st.lists(_QUERIES, min_size=1, max_size=6), many=st.sampled_from([0, 20_000]))
def test_a_view_is_what_python_would_choose_and_sort(
    rows: list[tuple[str, str, Status, int]], queries: list[TaskQuery], many: int
) -> None:
    """Filter, order, ties and first rows agree for any rows and any question; wildcards in a text mean themselves."""

    async def scenario() -> None:
        async with await Journal.open(None) as journal:
            tasks = await _filled(journal, rows)
            for query in queries:
                # Python keeps ties in order when it turns a sort round, as the view does.
                assert list(await journal.ids(query)) == _model(tasks, query)
                assert list(await journal.ids(query, limit=2)) == _model(tasks, query)[:2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "MANY_ROWS", many)
        asyncio.run(scenario())


async def test_wildcards_of_sql_mean_themselves(journal: Journal) -> None:
    """A person who types them looks for them."""
    new = [NewTask(f"http://h.example/{name}", "/d") for name in ("a%b", "a_b", "c\\d", "axb")]
    tasks = await added(journal, new)
    found = [list(await journal.ids(TaskQuery(text=text))) for text in ("a%b", "a_b", "c\\d")]
    assert found == [[tasks[0].id], [tasks[1].id], [tasks[2].id]]


async def test_a_text_beyond_the_bound_of_patterns_is_found(journal: Journal) -> None:
    """A very long text neither raises nor matches what it should not."""
    long = "x" * 60_000
    first, _ = await added(journal, [NewTask(f"http://h.example/{long}", "/d"), *wishes(1)])
    assert list(await journal.ids(TaskQuery(text=long.upper()))) == [first.id]


async def test_rows_come_in_the_order_asked_without_those_that_are_gone(journal: Journal) -> None:
    """The table gets its rows in the view's order."""
    first, second = await added(journal, wishes(2))
    assert await journal.rows([second.id, 999, first.id]) == [second, first]


async def test_twenty_thousand_rows_are_viewed_whole(journal: Journal) -> None:
    """A large queue is one array of ids, filtered and sorted."""
    ids = [task.id for task in await added(journal, wishes(20_000))]
    assert list(await journal.ids(TaskQuery())) == ids
    assert len(await journal.ids(TaskQuery(sort=SortKey.NAME, is_descending=True))) == 20_000
    assert len(await journal.ids(TaskQuery(text="9.BIN"))) == 2_000
