"""Adding: once for each address and target, taken over from nobody, never from the living."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask, OnExists, TaskOptions
from tui_dl.journal.adding import BatchKind

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal
    from tui_dl.journal.journal import Journal


async def test_the_same_wish_is_added_once(journal: Journal) -> None:
    """A second add returns the row of the first."""
    (first,) = await journal.add(wishes(1), batch="a", at=1.0)
    (second,) = await journal.add(wishes(1), batch="b", at=2.0)
    assert first.is_new
    assert not second.is_new
    assert second.task.id == first.task.id
    assert len(await journal.ids(TaskQuery())) == 1


async def test_the_same_wish_twice_in_one_add_is_one_row(journal: Journal) -> None:
    """Duplicates within a list are found too."""
    outcomes = await journal.add(wishes(1) * 3, batch="a", at=1.0)
    assert [outcome.is_new for outcome in outcomes] == [True, False, False]
    assert len({outcome.task.id for outcome in outcomes}) == 1


async def test_a_repeated_wish_brings_its_own_options(journal: Journal) -> None:
    """Who adds the same again with another header means the header, for as long as the row does not run."""
    (wish,) = wishes(1)
    await journal.add([wish], batch="a", at=1.0)
    later = replace(wish, options=TaskOptions(headers=(("Authorization", "Bearer new"),)))
    (second,) = await journal.add([later], batch="b", at=2.0)
    row = await journal.get(second.task.id)
    assert row is not None
    assert row.options == second.task.options == later.options


def _with_header(wish: NewTask, value: str) -> NewTask:
    return replace(wish, options=TaskOptions(headers=(("X-Mine", value),)))


async def test_of_repeated_wishes_of_one_add_the_first_decides(journal: Journal) -> None:
    """A list that names an address twice means what its first line says, also where the row was there before."""
    new, known = wishes(2)
    await journal.add([known], batch="a", at=1.0)
    news = [_with_header(one, value) for value in ("first", "second") for one in (new, known)]
    outcomes = await journal.add(news, batch="b", at=2.0)
    rows = await journal.rows([outcome.task.id for outcome in outcomes[:2]])
    assert [row.options.headers for row in rows] == [(("X-Mine", "first"),)] * 2
    assert [outcome.task.options.headers for outcome in outcomes] == [(("X-Mine", "first"),)] * 4


async def test_a_run_that_asks_once_keeps_its_first_wish(journal: Journal) -> None:
    """Its blocks come one by one; what a later one repeats changes nothing."""
    (wish,) = wishes(1)
    for value in ("first", "second"):
        await journal.add([_with_header(wish, value)], batch="a", at=1.0, keeps_first=True)
    (again,) = await journal.add([wish], batch="a", at=1.0, keeps_first=True)
    assert again.task.options.headers == (("X-Mine", "first"),)


@pytest.mark.parametrize(
    "other",
    [
        NewTask("http://h.example/1.bin", "/downloads"),
        NewTask("http://h.example/0.bin", "/elsewhere"),
        NewTask("http://h.example/0.bin", "/downloads", "named.bin"),
    ],
)
async def test_another_address_folder_or_name_is_another_row(journal: Journal, other: NewTask) -> None:
    """All three make the identity."""
    await journal.add(wishes(1), batch="a", at=1.0)
    (outcome,) = await journal.add([other], batch="a", at=1.0)
    assert outcome.is_new


async def test_a_finished_name_does_not_hide_the_wish(journal: Journal) -> None:
    """The name asked for counts, not the one that the server gave later."""
    (task,) = await added(journal, wishes(1))
    done = replace(task, filename="other.bin", status=Status.COMPLETED, path="/downloads/other.bin")
    await journal.save(done, is_durable=True)
    (outcome,) = await journal.add(wishes(1), batch="a", at=2.0)
    assert not outcome.is_new
    assert outcome.task.status is Status.COMPLETED
    assert outcome.task.path == "/downloads/other.bin"


async def test_a_row_holds_what_was_asked(journal: Journal) -> None:
    """Options, name, host and batch come back as they were given."""
    options = TaskOptions(connections=4, headers=(("A", "b"),), on_exists=OnExists.SKIP, is_ordered=True)
    wish = NewTask("http://u:p@H.example:81/x", "/downloads", "n.bin", options)
    (outcome,) = await journal.add([wish], batch="a", at=5.0)
    (row,) = await journal.rows([outcome.task.id])
    assert row == outcome.task
    assert row.options == options
    assert (row.filename, row.name_fixed, row.host, row.added_at) == ("n.bin", True, "h.example:81", 5.0)


async def test_lone_surrogates_and_nul_are_held_as_replacements(journal: Journal) -> None:
    """Text that UTF-8 cannot hold neither raises nor hides a duplicate."""
    wish = NewTask("http://h.example/caf\udce9", "/d\udce9", "n\udce9\0.bin")
    (first,) = await journal.add([wish], batch="b\udce9", at=1.0)
    (second,) = await journal.add([wish], batch="b\udce9", at=1.0)
    assert not second.is_new
    await journal.save(replace(first.task, reason_text="\udc80", final_url="x\udc80"), is_durable=True)
    row = await journal.get(first.task.id)
    assert row is not None
    assert row.reason_text == "?"


async def test_a_row_of_a_living_process_is_left_alone(open_journal: OpenJournal) -> None:
    """Whoever adds the same again sees the row and its owner."""
    screen, get = await open_journal(), await open_journal()
    await screen.add(wishes(1), batch="screen", at=1.0)
    (outcome,) = await get.add(wishes(1), batch="get", kind=BatchKind.GET, at=2.0)
    assert not outcome.is_new
    assert outcome.task.owner == screen.instance_id
    assert await get.next_pending(5) == []


async def test_a_row_of_a_dead_process_is_taken_over(open_journal: OpenJournal) -> None:
    """The same `get` again goes on with its rows, in its new batch and back in the queue."""
    first = await open_journal()
    (task,) = [outcome.task for outcome in await first.add(wishes(1), batch="get 1", kind=BatchKind.GET, at=1.0)]
    await first.save(replace(task, status=Status.DOWNLOADING, downloaded_bytes=7), is_durable=True)
    await first.aclose()
    again = await open_journal()
    (outcome,) = await again.add(wishes(1), batch="get 2", kind=BatchKind.GET, at=2.0)
    assert not outcome.is_new
    assert outcome.task.status is Status.PENDING
    assert outcome.task.batch_id != task.batch_id
    assert await again.next_pending(5) == [outcome.task]
    assert outcome.task.downloaded_bytes == 7


async def test_what_the_screen_added_stays_on_it(open_journal: OpenJournal) -> None:
    """A `get` that takes over a row of a dead screen does not make it vanish when it is done."""
    screen = await open_journal()
    await screen.add(wishes(1), batch="screen", at=1.0)
    await screen.aclose()
    get = await open_journal()
    (outcome,) = await get.add(wishes(1), batch="get", kind=BatchKind.GET, at=2.0)
    await get.save(replace(outcome.task, status=Status.COMPLETED), is_durable=True)
    assert len(await get.ids(TaskQuery())) == 1
    assert len(await get.ids(TaskQuery(batch_id=outcome.task.batch_id))) == 1


async def test_ids_are_never_used_twice(journal: Journal) -> None:
    """A removed row's id does not come back with another meaning."""
    (first,) = await added(journal, wishes(1))
    await journal.remove([first.id])
    (second,) = await added(journal, wishes(1, "other.example"))
    assert second.id > first.id
