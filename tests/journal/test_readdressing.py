"""Another address for a row: identity, statuses, owners, and no address twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.journal.rows import added, wishes, with_statuses
from tui_dl.core.errors import Reason
from tui_dl.core.status import READDRESSABLE, Status
from tui_dl.core.task import NewTask, TaskOptions
from tui_dl.journal.readdressing import AddressChange

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal
    from tui_dl.core.task import DownloadTask
    from tui_dl.journal.journal import Journal

NEW = "https://new.example:8443/fresh.bin?sig=1"


def options_of(_task: DownloadTask) -> TaskOptions:
    """Give options that can be told from those before."""
    return TaskOptions(headers=(("Cookie", "fresh"),))


def change(which: int | str, url: str = NEW, *, takes_over: bool = True) -> AddressChange:
    """Return the wish for another address."""
    return AddressChange(which, url, options_of, takes_over=takes_over)


@pytest.mark.parametrize("status", sorted(READDRESSABLE))
async def test_what_still_wants_something_is_pending_or_paused(journal: Journal, status: Status) -> None:
    """Nothing of the old address's trouble stays; the row is what it was otherwise."""
    (task,) = await with_statuses(journal, [status])
    trouble = replace(task, reason=Reason.FORBIDDEN, reason_text="no", retry_count=3, due_at=5.0, final_url="http://x/")
    await journal.save(trouble, is_durable=True)
    done = await journal.readdress(change(task.id))
    (row,) = await journal.rows([task.id])
    assert done.after == row
    assert row.status is (Status.PAUSED if status is Status.PAUSED else Status.PENDING)
    assert (row.url, row.host, row.filename) == (NEW, "new.example:8443", "fresh.bin")
    assert (row.reason, row.reason_text, row.retry_count, row.due_at, row.final_url) == (None, "", 0, None, "")
    assert (row.options, row.position, row.dir) == (options_of(task), task.position, task.dir)
    assert journal.counts()[row.status] == 1


@pytest.mark.parametrize("status", sorted(frozenset(Status) - READDRESSABLE))
async def test_what_has_its_file_is_left_alone(journal: Journal, status: Status) -> None:
    """It is returned as it is."""
    (task,) = await with_statuses(journal, [status])
    done = await journal.readdress(change(task.id))
    assert (done.before, done.after) == (task, None)
    assert await journal.rows([task.id]) == [task]


async def test_a_name_that_is_fixed_stays(journal: Journal) -> None:
    """The file on the disk is called so; another address changes no name."""
    (task,) = await added(journal, wishes(1))
    await journal.save(replace(task, filename="fixed.iso", name_fixed=True), is_durable=True)
    done = await journal.readdress(change(task.id))
    assert done.after is not None
    assert done.after.filename == "fixed.iso"


async def test_the_identity_follows(journal: Journal) -> None:
    """The new address is known from then on, and the old one is not; the name that was asked for counts as before."""
    (task,) = await added(journal, [NewTask("http://h.example/a", "/downloads", "asked.bin")])
    await journal.readdress(change(task.id))
    news = [NewTask(NEW, "/downloads", "asked.bin"), NewTask(NEW, "/downloads"), NewTask(task.url, "/downloads")]
    outcomes = await journal.add(news, batch="screen", at=2.0)
    assert [one.is_new for one in outcomes] == [False, True, True]
    assert outcomes[0].task.id == task.id


async def test_an_address_of_another_row_is_not_given_twice(journal: Journal) -> None:
    """The other row is named; its own address is no hindrance, and neither is the same one in another folder."""
    first, second = await added(journal, wishes(2))
    done = await journal.readdress(change(first.id, second.url))
    assert (done.after, done.same) == (None, second)
    assert (await journal.readdress(change(first.id, first.url))).after is not None
    (elsewhere,) = await added(journal, [NewTask("http://h.example/x", "/elsewhere")])
    assert (await journal.readdress(change(elsewhere.id, second.url))).after is not None


async def test_a_row_of_another_living_process_is_left_alone(open_journal: OpenJournal) -> None:
    """It is named; once that process is gone, the row may be changed, and belongs to nobody unless taken over."""
    theirs, ours = await open_journal(), await open_journal()
    (task,) = await added(theirs, wishes(1))
    done = await ours.readdress(change(task.id, takes_over=False))
    assert done.after is None
    assert "process" in done.holder
    await theirs.aclose()
    done = await ours.readdress(change(task.id, takes_over=False))
    assert done.after is not None
    assert done.after.owner == task.owner
    assert list(await ours.adopt_orphans()) == [task.id]


async def test_taking_over_makes_the_row_ours(open_journal: OpenJournal) -> None:
    """Whoever runs it next is the one who was asked."""
    theirs, ours = await open_journal(), await open_journal()
    (task,) = await added(theirs, wishes(1))
    await theirs.aclose()
    await ours.readdress(change(task.id))
    (row,) = await ours.next_pending(5)
    assert (row.url, row.owner) == (NEW, ours.instance_id)


async def test_a_row_may_be_named_by_its_address(journal: Journal) -> None:
    """Of several that have it, those that still want something are meant; two of these are not guessed between."""
    address = "http://h.example/a"
    done, failed = await added(journal, [NewTask(address, "/one"), NewTask(address, "/two")])
    await journal.save_many([replace(done, status=Status.COMPLETED), replace(failed, status=Status.FAILED)])
    outcome = await journal.readdress(change(address))
    assert outcome.after is not None
    assert outcome.after.id == failed.id
    await added(journal, [NewTask(NEW, "/one"), NewTask(NEW, "/three")])
    outcome = await journal.readdress(change(NEW, "http://h.example/b"))
    assert (outcome.before, outcome.after, len(outcome.several)) == (None, None, 3)


async def test_what_is_not_there_changes_nothing(journal: Journal) -> None:
    """Neither an id nor an address that nobody has."""
    await added(journal, wishes(1))
    for which in (4711, "http://h.example/unknown"):
        done = await journal.readdress(change(which))
        assert (done.before, done.after, done.several) == (None, None, ())
