"""Every field of a task comes back from the journal as it went in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal.rows import added, wishes
from tui_dl.core.errors import Reason
from tui_dl.core.http_rules import Validator
from tui_dl.core.media import Kind, MediaChoice, MediaFacts
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, Flag, NewTask, OnExists, TaskOptions
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
_NUMBER = st.integers(0, 2**62)
_INSTANT = st.none() | st.floats(0, 1e11)
_OPTIONS = st.builds(
    TaskOptions,
    connections=st.none() | st.integers(1, 64),
    limit_rate_bps=st.none() | _NUMBER,
    max_retries=st.none() | st.integers(0, 99),
    headers=st.lists(st.tuples(_TEXT, _TEXT), max_size=2).map(tuple),
    on_exists=st.none() | st.sampled_from(OnExists),
    is_ordered=st.booleans(),
    restarts=st.booleans(),
)
_FACTS = st.builds(
    MediaFacts,
    title=_TEXT,
    duration_s=_INSTANT,
    index=st.none() | st.integers(1, 9),
    is_chosen=st.booleans(),
    entry_count=st.none() | st.integers(0, 9),
    missing=st.integers(0, 9),
    choice=st.builds(MediaChoice, format=_TEXT, audio=_TEXT, subtitles=st.lists(_TEXT, max_size=2).map(tuple)),
)
_CHANGES = st.fixed_dictionaries(
    {
        "filename": _TEXT,
        "status": st.sampled_from(Status),
        "name_fixed": st.booleans(),
        "path": _TEXT,
        "part_path": _TEXT,
        "total_bytes": st.none() | _NUMBER,
        "downloaded_bytes": _NUMBER,
        "validator": st.builds(Validator, _TEXT, _TEXT, st.booleans()),
        "final_url": _TEXT,
        "reason": st.none() | st.sampled_from(Reason),
        "reason_text": _TEXT,
        "due_at": _INSTANT,
        "retry_count": st.integers(0, 99),
        "flags": st.frozensets(st.sampled_from(Flag)),
        "options": _OPTIONS,
        "started_at": _INSTANT,
        "finished_at": _INSTANT,
        "sha256": _TEXT,
        "http_status": st.none() | st.integers(100, 599),
        "content_type": _TEXT,
        "kind": st.sampled_from(Kind),
        "facts": _FACTS,
    }
)


@settings(max_examples=60)
@given(changes=_CHANGES)
def test_a_saved_task_is_read_back_equal(changes: dict[str, object]) -> None:
    """Nothing that the engine may record is lost or changed on the way."""

    async def scenario() -> tuple[DownloadTask, DownloadTask | None]:
        async with await Journal.open(None) as journal:
            (task,) = await added(journal, wishes(1))
            changed = replace(task, **changes)  # type: ignore[arg-type]  # each value was drawn for its field
            await journal.save(changed, is_durable=True)
            return changed, await journal.get(task.id)

    changed, read = asyncio.run(scenario())
    assert read == changed


async def test_a_wish_keeps_its_line_and_the_columns_of_its_list() -> None:
    """The manifest names both, whatever became of the task."""
    async with await Journal.open(None) as journal:
        wish = NewTask("http://a.example/1", "/d", line=7, extra='{"label": "cat"}')
        await journal.add([wish], batch="b", at=1.0)
        (task,) = await journal.rows(await journal.ids(TaskQuery()))
    assert (task.line, task.extra) == (7, '{"label": "cat"}')


async def test_many_rows_are_saved_each_as_it_is(journal: Journal) -> None:
    """Most of them in statements of many rows: none gets what is another's, and one that is gone hurts nobody."""
    tasks = await added(journal, wishes(60))
    changed = [
        replace(
            task, status=Status.COMPLETED, path=f"/downloads/{task.id}", total_bytes=task.id, started_at=task.id / 3
        )
        for task in tasks
    ]
    gone = tasks[7].id
    await journal.remove([gone])
    older = replace(changed[3], path="/downloads/older")
    await journal.save_many([older, *changed])
    held = await journal.rows([task.id for task in tasks])
    assert held == [task for task in changed if task.id != gone]
    assert journal.counts()[Status.COMPLETED] == len(tasks) - 1


async def test_many_rows_of_another_process_stay_as_they_are(open_journal: OpenJournal) -> None:
    """Whoever runs them writes them."""
    mine, theirs = await open_journal(), await open_journal()
    tasks = await added(theirs, wishes(60))
    await mine.save_many([replace(task, status=Status.FAILED) for task in tasks])
    held = await theirs.rows([task.id for task in tasks])
    assert held == tasks
