"""Notes to a person who looks elsewhere: when, in which words, and not a byte otherwise."""

from __future__ import annotations

from typing import Final

import pytest
from textual import events

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import running
from tui_dl.core.events import Event, EventKind
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status
from tui_dl.ui.notifying import AWAY_S, BETWEEN_S, Notifier

DONE: Final = Event(EventKind.COMPLETED, make_task(1, "a"), 1.0)
FAILED: Final = Event(EventKind.FAILED, make_task(2, "b"), 1.0)
BUSY: Final = {Status.DOWNLOADING: 1, Status.PAUSED: 4}
IDLE: Final = {Status.PAUSED: 4, Status.COMPLETED: 9}


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def notifier(how: str = "both", environment: dict[str, str] | None = None) -> tuple[Notifier, list[str], Clock]:
    """Return one whose person looks elsewhere, what it writes, and its clock."""
    written: list[str] = []
    clock = Clock()
    made = Notifier(how, written.append, environment or {}, clock)
    made.take_focus(has_focus=False)
    return made, written, clock


@pytest.mark.parametrize(
    ("how", "environment", "expected"),
    [
        ("bell", {}, "\x07"),
        ("osc9", {}, "\x1b]9;tui-dl: done, 1 completed, 1 failed\x07"),
        ("both", {}, "\x1b]9;tui-dl: done, 1 completed, 1 failed\x07\x07"),
        ("osc9", {"TMUX": "/t,1,0"}, "\x1bPtmux;\x1b\x1b]9;tui-dl: done, 1 completed, 1 failed\x07\x1b\\"),
    ],
)
def test_the_end_of_the_queue_is_told_once(how: str, environment: dict[str, str], expected: str) -> None:
    """As the setting says, wrapped where tmux stands between."""
    made, written, _ = notifier(how, environment)
    assert made.note([DONE, FAILED])
    made.look(IDLE)
    made.look(IDLE)
    assert written == [expected]


def test_a_failure_is_told_while_the_queue_goes_on_but_not_each() -> None:
    """Two within half a minute are one note."""
    made, written, clock = notifier("osc9")
    made.note([FAILED])
    made.look(BUSY)
    made.note([FAILED])
    made.look(BUSY)
    made.note([DONE])
    clock.now += BETWEEN_S
    made.look(BUSY)
    assert written == ["\x1b]9;tui-dl: 1 failed, 1 to go\x07", "\x1b]9;tui-dl: 1 failed, 1 to go\x07"]


def test_nothing_is_written_to_whoever_looks_or_wants_none() -> None:
    """Nor for a pause, a cancel, or success while others go on."""
    off, off_written, _ = notifier("off")
    assert not off.note([DONE])
    off.look(IDLE)
    made, written, _ = notifier()
    assert not made.note([Event(EventKind.CANCELLED, DONE.task, 1.0), Event(EventKind.PAUSED, DONE.task, 1.0)])
    made.note([DONE])
    made.look(BUSY)
    made.take_focus(has_focus=True)
    made.look(IDLE)
    assert written + off_written == []


def test_a_terminal_that_tells_no_focus_counts_as_left_after_a_minute_without_a_key() -> None:
    """A key begins it anew."""
    clock, written = Clock(), list[str]()
    made = Notifier("bell", written.append, {}, clock)
    for wait_s, is_away in ((AWAY_S - 1, False), (1.0, True)):
        clock.now += wait_s
        made.note([DONE])
        made.look(IDLE)
        assert bool(written) is is_away
    made.take_key()
    assert not made.is_away


async def test_it_reaches_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the engine's event to the driver, once the window has lost the focus."""
    monkeypatch.setattr("tui_dl.ui.screens.main.HOLD_S", 0.001)
    engine = FakeEngine([make_task(1, "a", Status.DOWNLOADING)], now=1.0)
    async with running(engine, settings=Settings(notify="bell")) as (app, pilot):
        written: list[str] = []
        monkeypatch.setattr(app, "write_aside", written.append)
        app.post_message(events.AppBlur())
        await pilot.pause()
        assert app.main._bridge is not None
        assert not app.main._bridge.has_focus
        engine.set_task(make_task(1, "a", Status.COMPLETED), EventKind.COMPLETED)
        app.main.refresh_from_engine()
        while not written:
            await pilot.pause()
        assert written == ["\x07"]
