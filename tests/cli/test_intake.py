"""Asking again for what is known: gone on with, skipped, tried again or fetched anew, and always said."""

from __future__ import annotations

import pytest

from tests.cli.fake_engine import AT, OWNER, FakeEngine, task_of
from tui_dl.cli.intake import Intake
from tui_dl.core.commands import CommandName
from tui_dl.core.events import Event, EventKind
from tui_dl.core.status import Status
from tui_dl.core.task import NewTask

URL = "http://h/a"


class Scene:
    """A fake engine that knows one row already, and what is told."""

    def __init__(self, **known: object) -> None:
        self.engine = FakeEngine()
        if known:
            self.engine.known[URL] = task_of(URL, 7, **{"owner": OWNER, **known})
        self.told: list[Event] = []
        self.engine.subscribe(self.told.append)
        self.intake = Intake(self.engine, self.told.append, batch="get", owner=OWNER, clock=lambda: AT)

    async def add(self, *urls: str) -> list[EventKind]:
        """Ask for these and return what is told."""
        await self.intake.add([NewTask(url, "/d") for url in urls])
        return [event.kind for event in self.told]

    @property
    def commands(self) -> list[CommandName]:
        """What the engine was told to do."""
        return [command.name for command in self.engine.commands]


async def test_what_is_new_is_added_once() -> None:
    """The engine itself tells of it; nothing is told twice."""
    assert await Scene().add(URL) == [EventKind.ADDED]


async def test_the_same_address_twice_is_skipped_with_a_word() -> None:
    """DESIGN 14: same URL and target again is skipped with an event."""
    scene = Scene()
    assert await scene.add(URL, URL) == [EventKind.ADDED, EventKind.SKIPPED]
    assert scene.told[1].task.reason_text == "asked for twice"


async def test_what_a_dead_attempt_left_is_gone_on_with() -> None:
    """The row is adopted: told as added, and the engine needs no command."""
    scene = Scene(status=Status.PENDING)
    assert await scene.add(URL) == [EventKind.ADDED]
    assert scene.commands == []
    assert await scene.add(URL) == [EventKind.ADDED, EventKind.SKIPPED]


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.SKIPPED])
async def test_what_ended_without_a_file_is_tried_again(status: Status) -> None:
    """Whoever asks again wants it again."""
    scene = Scene(status=status)
    assert await scene.add(URL) == [EventKind.ADDED]
    assert scene.commands == [CommandName.RETRY]


async def test_a_paused_row_is_resumed() -> None:
    """Asking for it is a person's wish that it goes on."""
    scene = Scene(status=Status.PAUSED)
    await scene.add(URL)
    assert scene.commands == [CommandName.RESUME]


async def test_a_row_of_another_process_is_left_to_it() -> None:
    """Nothing is done but said."""
    scene = Scene(status=Status.PENDING, owner="them")
    assert await scene.add(URL) == [EventKind.SKIPPED]
    assert scene.commands == []
    assert "another tui-dl" in scene.told[0].task.reason_text


async def test_what_is_done_is_skipped() -> None:
    """The file is not fetched again."""
    scene = Scene(status=Status.COMPLETED, path="/d/a")
    assert await scene.add(URL) == [EventKind.SKIPPED]
    assert scene.commands == []


async def test_what_was_left_alone_is_not_tried_again() -> None:
    """Its target is there still, as the engine saw when it was added."""
    scene = Scene(status=Status.SKIPPED, reason_text="the target is there already")
    scene.engine.left.add(URL)
    assert await scene.add(URL) == [EventKind.SKIPPED]
    assert scene.commands == []
    assert scene.told[0].task.reason_text == "the target is there already"
