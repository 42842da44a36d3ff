"""Entries stand below their heads, whatever orders these, and cost nothing where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.journal.rows import added
from tui_dl.core.errors import Reason
from tui_dl.core.media import Kind, MediaChoice, MediaFacts
from tui_dl.core.playlists import EntryCount
from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask, changed
from tui_dl.journal import views
from tui_dl.journal.playlists import NewEntry

if TYPE_CHECKING:
    import pytest

    from tests.journal.conftest import OpenJournal
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.journal import Journal


def entries_of(head: DownloadTask, names: str, status: Status = Status.PENDING) -> list[NewEntry]:
    """Return an entry for each letter."""
    return [
        NewEntry(
            NewTask(f"http://m.test/{name}", "/downloads", f"{head.id}:{name}", parent_id=head.id),
            name,
            MediaFacts(title=name, index=number, is_chosen=status is not Status.SKIPPED),
            status,
            f'{{"id": "{name}"}}',
        )
        for number, name in enumerate(names, 1)
    ]


async def playlist(journal: Journal, name: str, names: str) -> tuple[DownloadTask, list[DownloadTask]]:
    """Add a head with its entries; return both."""
    (task,) = await added(journal, [NewTask(f"http://h.test/{name}", "/downloads")])
    head = changed(task, {"kind": Kind.PLAYLIST, "facts": MediaFacts(title=name, entry_count=0)})
    await journal.save_many([head])
    return head, await journal.playlists.add(head, entries_of(head, names))


async def shown(journal: Journal, query: TaskQuery, limit: int = -1) -> str:
    """Return the names of the rows that a query finds, in order."""
    return " ".join(task.filename for task in await journal.rows(await journal.ids(query, limit=limit)))


async def test_entries_stand_right_behind_their_head(open_journal: OpenJournal) -> None:
    """They are read later than rows were added that stand behind their head."""
    journal = await open_journal()
    head, _ = await playlist(journal, "M", "ab")
    await added(journal, [NewTask("http://h.test/Z", "/downloads")])
    await journal.playlists.add(head, entries_of(head, "abcd"))
    assert await shown(journal, TaskQuery()) == "M a b c d Z"
    assert await shown(journal, TaskQuery(is_tree=True)) == "M a b c d Z"


async def test_heads_are_sorted_and_entries_follow_in_their_own_order(open_journal: OpenJournal) -> None:
    """Closed heads keep theirs to themselves; a limit counts what is seen."""
    journal = await open_journal()
    await added(journal, [NewTask("http://h.test/k", "/downloads")])
    last, _ = await playlist(journal, "z", "db")
    first, _ = await playlist(journal, "c", "ya")
    by_name = TaskQuery(sort=SortKey.NAME, is_tree=True)
    assert await shown(journal, by_name) == "c y a k z d b"
    assert await shown(journal, by_name, limit=4) == "c y a k"
    assert await shown(journal, TaskQuery(sort=SortKey.NAME)) == "a b c d k y z"
    closed = TaskQuery(sort=SortKey.NAME, is_tree=True, closed_ids=(first.id,))
    assert await shown(journal, closed) == "c k z d b"
    both = TaskQuery(sort=SortKey.NAME, is_descending=True, is_tree=True, closed_ids=(first.id, last.id))
    assert await shown(journal, both) == "z k c"


async def test_an_entry_without_its_head_stands_by_itself(open_journal: OpenJournal) -> None:
    """Of filtered rows those alone are below a head whose head is found."""
    journal = await open_journal()
    head, _ = await playlist(journal, "mix", "ax")
    await playlist(journal, "b", "xy")
    assert await shown(journal, TaskQuery(text="x", is_tree=True)) == "mix x x"
    closed = TaskQuery(text="x", is_tree=True, closed_ids=(head.id,))
    assert await shown(journal, closed) == "mix x"


async def test_many_heads_are_found_in_one_walk(open_journal: OpenJournal) -> None:
    """The order is the same as with few."""
    journal = await open_journal()
    names = [f"{number:03}" for number in range(70)]
    for name in names:
        await playlist(journal, name, "a")
    query = TaskQuery(sort=SortKey.NAME, is_descending=True, is_tree=True)
    assert await shown(journal, query) == " ".join(f"{name} a" for name in reversed(names))


async def test_a_tree_without_entries_is_the_plain_list(
    open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain statement answers it: a million rows are as quick as ever."""
    monkeypatch.setattr(views, "tree_of", None)
    journal = await open_journal()
    await added(journal, [NewTask(f"http://h.test/{name}", "/downloads") for name in "cab"])
    plan = TaskQuery(sort=SortKey.NAME)
    assert await shown(journal, TaskQuery(sort=SortKey.NAME, is_tree=True)) == await shown(journal, plan) == "a b c"


async def test_entries_are_counted_noted_and_added_once(open_journal: OpenJournal) -> None:
    """The same playlist read again brings what is new in it; what waits for a choice is not requeued by adoption."""
    journal = await open_journal()
    head, found = await playlist(journal, "m", "ab")
    assert [(task.kind, task.parent_id, task.facts.index) for task in found] == [
        (Kind.ENTRY, head.id, 1),
        (Kind.ENTRY, head.id, 2),
    ]
    a, b, new = await journal.playlists.add(head, entries_of(head, "abc", Status.WAITING))
    assert [a.id, b.id] == [task.id for task in found]
    assert (new.filename, new.status, new.reason) == ("c", Status.WAITING, Reason.CHOICE)
    assert await journal.playlists.note(new.id) == '{"id": "c"}'
    counts = (await journal.playlists.counts([head.id]))[head.id]
    assert set(counts) == {
        EntryCount(Status.PENDING, None, 2),
        EntryCount(Status.WAITING, Reason.CHOICE, 1),
    }
    assert journal.counts()[Status.PENDING] == 3
    assert [task.id for task in await journal.next_pending(9)] == [task.id for task in found]
    await journal.aclose()
    again = await open_journal()
    await again.adopt_orphans()
    (row,) = await again.rows([new.id])
    assert (row.status, row.reason) == (Status.WAITING, Reason.CHOICE)


async def test_forms_are_remembered_by_site(open_journal: OpenJournal) -> None:
    """An empty one is forgotten."""
    book = (await open_journal()).playlists
    await book.remember("v.test", MediaChoice("720p", sort="res:720"))
    assert await book.choice("v.test") == MediaChoice("720p", sort="res:720")
    await book.remember("v.test", MediaChoice())
    assert await book.choice("v.test") is None
