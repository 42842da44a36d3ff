"""The book of shards: what is durable in which of them, what waits, and what is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.journal.rows import with_statuses
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.journal.shards import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.journal.conftest import OpenJournal
    from tui_dl.core.sharding import Shard
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.journal import Journal

FILES = "/d/.staging/files"
PART, FINAL = "/d/.staging/000000.tar.part", "/d/a-0.tar"
DAY_S = 86_400.0


async def _staged(journal: Journal, count: int, folder: str = FILES) -> list[DownloadTask]:
    tasks = await with_statuses(journal, [Status.COMPLETED] * count)
    there = [replace(one, path=f"{folder}/{one.id}", finished_at=100.0 - one.id) for one in tasks]
    await journal.save_many(there)
    return there


async def _with_members(journal: Journal, tasks: Sequence[DownloadTask]) -> Shard:
    shard = replace(await journal.shards.begin("/d", 0, "a-0.tar"), samples=len(tasks), size_bytes=99, leftovers="[]")
    await journal.shards.add(shard, PART, [Member(task.id, f"{task.id}.bin") for task in tasks])
    return shard


async def _places(journal: Journal) -> list[tuple[str, str]]:
    return [(row.path, row.member) for row in await journal.rows(await journal.ids(TaskQuery()))]


async def test_what_waits_is_what_lies_below_the_folder_in_no_shard(journal: Journal) -> None:
    """In the order in which it ended; a folder whose name only begins alike is another."""
    tasks = await _staged(journal, 3)
    other = replace(tasks[0], path=f"{FILES}-of-others/1")
    await journal.save_many([other])
    assert list(await journal.shards.staged(FILES)) == [tasks[2].id, tasks[1].id]
    await _with_members(journal, tasks[1:2])
    assert list(await journal.shards.staged(FILES)) == [tasks[2].id]


async def test_a_shard_goes_on_in_another_process(open_journal: OpenJournal) -> None:
    """What was entered of it is durable: its samples, its length, what it may have left behind."""
    first = await open_journal()
    shard = await _with_members(first, await _staged(first, 2))
    await first.aclose()
    second = await open_journal()
    assert await second.shards.unfinished("/d") == ([shard], [shard])
    assert await second.shards.unfinished("/e") == ([], [])
    assert await second.shards.next_number("/d") == 1
    assert await second.shards.next_number("/e") == 0


async def test_a_whole_shard_gives_its_path_to_its_samples(journal: Journal) -> None:
    """From then on it leaves nothing behind and is not gone on with; its number is not given again."""
    shard = await _with_members(journal, await _staged(journal, 2))
    assert {path for path, _ in await _places(journal)} == {PART}
    await journal.shards.end(shard, FINAL)
    assert await _places(journal) == [(FINAL, "1.bin"), (FINAL, "2.bin")]
    assert await journal.shards.unfinished("/d") == ([], [])
    assert await journal.shards.next_number("/d") == 1


async def test_samples_of_a_lost_shard_are_nowhere(journal: Journal) -> None:
    """So whoever asks for them again fetches them again, whatever has the shard's name then."""
    shard = await _with_members(journal, await _staged(journal, 2))
    await journal.shards.forget(shard)
    assert await _places(journal) == [("", ""), ("", "")]
    assert list(await journal.shards.staged(FILES)) == []
    assert await journal.shards.read(shard) == shard  # nothing is entered: what was asked about comes back


async def test_a_file_that_was_taken_away_is_nowhere(journal: Journal) -> None:
    """One that is in a shard by now is not touched."""
    waiting, packed = await _staged(journal, 2)
    await _with_members(journal, [packed])
    await journal.shards.lose(waiting.id)
    await journal.shards.lose(packed.id)
    assert await _places(journal) == [("", ""), (PART, f"{packed.id}.bin")]


async def test_history_keeps_what_is_in_shards(journal: Journal) -> None:
    """No file of that name tells that it is there: forgotten, the same list would pack it a second time."""
    alone, packed = await _staged(journal, 2)
    await _with_members(journal, [packed])
    assert await journal.expire_history(30, now=40 * DAY_S) == 1
    assert list(await journal.ids(TaskQuery())) == [packed.id]
    assert alone.id != packed.id
