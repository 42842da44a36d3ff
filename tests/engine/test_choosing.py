"""Commands on playlists: what is wanted of them, and what is meant by their heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.stage import until
from tui_dl.core.commands import Command, CommandName
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.events import EventKind
from tui_dl.core.media import Kind, MediaChoice, MediaFacts
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask, changed
from tui_dl.engine.meant import Everything
from tui_dl.journal.playlists import NewEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.engine.stage import Engines
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.engine import AsyncDownloadEngine


@pytest.fixture
async def engine(engines: Engines) -> AsyncIterator[AsyncDownloadEngine]:
    """Yield an engine that starts nothing."""
    engine = await engines()
    with engine.scheduler.barring(Everything()):
        yield engine


async def asking(engine: AsyncDownloadEngine, names: str = "abc") -> tuple[DownloadTask, list[DownloadTask]]:
    """Add a playlist that waits for a choice; return its head and its entries."""
    journal = engine.context.journal
    news = [NewTask("http://h.example/list", "/downloads")]
    head = (await journal.add(news, batch="screen", at=1.0))[0].task
    head = changed(head, {"kind": Kind.PLAYLIST, "facts": MediaFacts(title="List", entry_count=0)})
    await journal.save_many([head])
    entries = [
        NewEntry(
            NewTask(f"http://h.example/{name}", "/downloads", f"{head.id}:{name}", parent_id=head.id),
            name,
            MediaFacts(title=name),
            Status.WAITING,
            "",
        )
        for name in names
    ]
    rows = await journal.playlists.add(head, entries)
    engine.playlists.track(head)
    await engine.playlists.settle()
    return head, rows


async def order(engine: AsyncDownloadEngine, name: CommandName, *tasks: DownloadTask, **arguments: object) -> str:
    """Give a command; return what it says."""
    outcome = await engine.execute(Command(name, tuple(task.id for task in tasks), arguments=arguments))
    await engine.playlists.settle()
    return outcome.message


async def statuses(engine: AsyncDownloadEngine, *tasks: DownloadTask) -> str:
    """Return where rows stand."""
    return " ".join(task.status for task in await engine.rows([task.id for task in tasks]))


async def test_a_choice_is_waited_for_and_followed(engine: AsyncDownloadEngine) -> None:
    """Deselected entries are skipped, selected again they wait again, and the word starts the chosen alone."""
    head, (a, b, c) = await asking(engine)
    assert await statuses(engine, head, a, b, c) == "waiting waiting waiting waiting"
    assert await order(engine, CommandName.CHOOSE, a, c) == "2 deselected"
    await order(engine, CommandName.CHOOSE, c)
    assert await statuses(engine, head, a, b, c) == "waiting skipped waiting waiting"
    rows = await engine.rows([head.id, a.id, c.id])
    assert [task.reason for task in rows] == [Reason.CHOICE, Reason.NOT_CHOSEN, Reason.CHOICE]
    assert [task.facts.is_chosen for task in rows[1:]] == [False, True]
    assert (rows[0].facts.entry_count, rows[0].facts.chosen_count) == (3, 2)
    assert await order(engine, CommandName.DOWNLOAD_CHOSEN, b) == "2 on their way"
    assert await statuses(engine, head, a, b, c) == "pending skipped pending pending"
    assert await order(engine, CommandName.DOWNLOAD_CHOSEN, head) == "nothing waits for a choice"


async def test_a_video_that_stands_alone_waits_for_the_word_too(engine: AsyncDownloadEngine) -> None:
    """With `media_ask` "always" it has no head."""
    news = [NewTask("http://h.example/video", "/downloads")]
    task = (await engine.context.journal.add(news, batch="screen", at=1.0))[0].task
    task = changed(task, {"kind": Kind.MEDIA, "status": Status.WAITING, "reason": Reason.CHOICE})
    await engine.context.journal.save_many([task])
    assert await order(engine, CommandName.DOWNLOAD_CHOSEN, task) == "1 on their way"
    assert await statuses(engine, task) == "pending"


async def test_all_of_a_head_is_chosen_or_not(engine: AsyncDownloadEngine) -> None:
    """A playlist of which nothing is wanted is skipped itself; a retry wants an entry again."""
    head, (a, b) = await asking(engine, "ab")
    await order(engine, CommandName.CHOOSE, head, chosen=False)
    assert await statuses(engine, head, a, b) == "skipped skipped skipped"
    await order(engine, CommandName.RETRY, b)
    assert await statuses(engine, head, a, b) == "pending skipped pending"
    (row,) = await engine.rows([b.id])
    assert row.facts.is_chosen


async def test_of_nothing_a_few_are_chosen_and_wait_for_the_word(engine: AsyncDownloadEngine) -> None:
    """The way to three of a thousand: leave all out, take some, then say that they may begin."""
    head, (a, b, c) = await asking(engine)
    await order(engine, CommandName.CHOOSE, head, chosen=False)
    await order(engine, CommandName.CHOOSE, b, chosen=True)
    await order(engine, CommandName.CHOOSE, c, chosen=True)
    assert await statuses(engine, head, a, b, c) == "waiting skipped waiting waiting"
    (row,) = await engine.rows([head.id])
    assert (row.reason, row.facts.chosen_count) == (Reason.CHOICE, 2)
    assert await order(engine, CommandName.DOWNLOAD_CHOSEN, head) == "2 on their way"


async def test_what_is_meant_of_a_head_is_meant_of_its_entries(engine: AsyncDownloadEngine) -> None:
    """Pausing leaves alone what waits for a choice; ends are summed up in the head, and told."""
    head, (a, b) = await asking(engine, "ab")
    await order(engine, CommandName.PAUSE, head)
    assert await statuses(engine, head, a, b) == "waiting waiting waiting"
    await order(engine, CommandName.DOWNLOAD_CHOSEN, head)
    await order(engine, CommandName.PAUSE, head)
    assert await statuses(engine, head, a, b) == "paused paused paused"
    told: list[EventKind] = []
    engine.subscribe(lambda event: told.append(event.kind) if event.task.id == head.id else None)
    await order(engine, CommandName.CANCEL, head)
    assert await statuses(engine, head, a, b) == "cancelled cancelled cancelled"
    await order(engine, CommandName.RETRY, head)
    assert await statuses(engine, head, a, b) == "pending pending pending"
    assert told == [EventKind.CANCELLED, EventKind.RETRYING]
    await order(engine, CommandName.CLEAR_FINISHED, head)
    assert await engine.rows([head.id, a.id, b.id]) == []
    await until(lambda: not engine.playlists.are_there)


async def test_steps_on_all_rows_leave_a_choice_alone(engine: AsyncDownloadEngine) -> None:
    """What a person was asked about is neither paused nor started, and what was not wanted is not retried."""
    head, (a, b) = await asking(engine, "ab")
    await order(engine, CommandName.CHOOSE, a)
    for name in (CommandName.PAUSE, CommandName.RETRY):
        await engine.execute(Command(name, query=TaskQuery()))
        await engine.execute(Command(name, (b.id,)))
        await engine.playlists.settle()
        assert await statuses(engine, head, a, b) == "waiting skipped waiting"


async def test_a_form_is_set_for_one_for_all_and_for_later(engine: AsyncDownloadEngine) -> None:
    """It is remembered by the site where that is asked for."""
    head, (a, b) = await asking(engine, "ab")
    small = MediaChoice("720p", format="b", sort="res:720")
    assert await order(engine, CommandName.SET_FORMAT, a, choice=small.as_json()) == "720p for 1"
    assert [task.facts.choice for task in await engine.rows([a.id, b.id])] == [small, MediaChoice()]
    message = await order(engine, CommandName.SET_FORMAT, a, choice=small.as_json(), for_all=True, remembers=True)
    assert message == "720p for 3"
    assert {task.facts.choice.name for task in await engine.rows([head.id, a.id, b.id])} == {"720p"}
    assert await engine.context.journal.playlists.choice("h.example") == small


async def test_files_are_no_media(engine: AsyncDownloadEngine) -> None:
    """Commands for media say so, and forms of a file cannot be asked for."""
    task = await engine.add("http://h.example/f.bin")
    assert await order(engine, CommandName.CHOOSE, task) == "no entry of a playlist is meant"
    assert await order(engine, CommandName.SET_FORMAT, task, choice={}) == "these are no media"
    with pytest.raises(UsageError, match="one form only"):
        await engine.media_formats(task.id)
