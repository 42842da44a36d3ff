"""Limits and priorities on the screen: what is in force, until when, and how a person changes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.ui.fake_engine import MIB, FakeEngine, make_task
from tests.ui.pilots import lines_of, running, screen_text, settle
from tui_dl.core.commands import CommandName
from tui_dl.core.ports import TaskDetails
from tui_dl.core.status import Status
from tui_dl.ui.columns import COLUMNS
from tui_dl.ui.details_text import Page, page_text
from tui_dl.ui.format import Units, change_time
from tui_dl.ui.glyphs import ASCII, UNICODE, Glyphs
from tui_dl.ui.row import Look, Row

NOON = datetime(2026, 11, 16, 12).astimezone()


def limited_engine(until: datetime | None) -> FakeEngine:
    """Make a queue of one under a limit."""
    engine = FakeEngine([make_task(1, "file-1.bin")])
    until_at = None if until is None else until.timestamp()
    engine.base = replace(engine.base, limit_rate_bps=30 * MIB, limit_until_at=until_at)
    return engine


@pytest.mark.parametrize(
    ("ahead", "text"),
    [(timedelta(minutes=1), "12:01"), (timedelta(hours=23), "11:00"), (timedelta(days=1, hours=1), "Tue 13:00")],
)
def test_a_change_to_come_has_a_time(ahead: timedelta, text: str) -> None:
    """Within a day the time of day says it, later ones have their day."""
    assert change_time((NOON + ahead).timestamp(), NOON.timestamp()) == text


async def test_the_header_says_until_when_a_limit_holds() -> None:
    """The limit in force and its end; a plain limit has none."""
    until = datetime.now().astimezone() + timedelta(hours=1)
    for wanted, engine in (
        (f"30.0 MiB/s at most until {until:%H:%M}", limited_engine(until)),
        ("30.0 MiB/s at most", limited_engine(None)),
    ):
        async with running(engine, (120, 30)) as (app, pilot):
            await settle(app, pilot)
            header = lines_of(app)[0]
            assert wanted in header
            assert ("until" in header) == ("until" in wanted)


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_all_buttons_are_seen(size: tuple[int, int]) -> None:
    """Also where a timetable is in force, the window is small and the name of the file is long."""
    engine = limited_engine(datetime.now().astimezone() + timedelta(hours=1))
    engine.tasks[1] = make_task(1, "a-file-with-" + "long-" * 20 + "name.bin")
    async with running(engine, size) as (app, pilot):
        await pilot.press("l")
        await settle(app, pilot)
        seen = screen_text(app)
        assert [word for word in ("(Enter)", "Only a-file-with", "For good", "Back (Esc)") if word not in seen] == []


@pytest.mark.parametrize(
    ("keys", "ids", "arguments"),
    [
        (["l", "5", "M", "enter"], (), {"limit": 5 * MIB}),
        (["l", "5", "M", "tab", "tab", "tab", "enter"], (), {"limit": 5 * MIB, "for_good": True}),
        (["l", "5", "M", "tab", "tab", "enter"], (1,), {"limit": 5 * MIB}),
        (["l", *"off", "enter"], (), {"limit": 0}),
        (["l", *"8:00,1M 9:00,off", "enter"], (), {"limit": "8:00,1M 9:00,off"}),
    ],
)
async def test_a_timetable_is_overridden_or_replaced(
    keys: list[str], ids: tuple[int, ...], arguments: dict[str, Any]
) -> None:
    """Enter holds until the next switch, a button for good; a timetable may be typed as well."""
    engine = limited_engine(datetime.now().astimezone() + timedelta(hours=1))
    async with running(engine) as (app, pilot):
        await settle(app, pilot)
        await pilot.press(*keys)
        await settle(app, pilot)
    assert [(one.name, one.ids, dict(one.arguments)) for one in engine.commands] == [
        (CommandName.SET_LIMIT, ids, arguments)
    ]


async def test_a_timetable_for_one_download_is_refused() -> None:
    """The dialog says why and stays."""
    engine = limited_engine(None)
    async with running(engine) as (app, pilot):
        await settle(app, pilot)
        await pilot.press("l", *"8:00,1M 9:00,off", "tab", "tab", "enter")
        await settle(app, pilot)
        assert "a timetable is for all downloads" in screen_text(app)
    assert engine.commands == []


@pytest.mark.parametrize(("glyphs", "marks"), [(UNICODE, ("↑ ", "↓ ")), (ASCII, ("^ ", "v "))])
def test_the_row_shows_its_priority(glyphs: Glyphs, marks: tuple[str, str]) -> None:
    """A mark before the name while it matters, and words in the details."""
    look = Look(glyphs, Units(), now=0.0, max_retries=3)
    draw = next(column for column in COLUMNS if column.key == "name").draw

    def name(priority: int, status: Status) -> str:
        row = Row(make_task(1, "a", status, priority=priority))
        return "".join(text for text, _ in draw(row, look, 20))

    assert [name(priority, Status.DOWNLOADING) for priority in (1, -1, 0)] == [f"{marks[0]}a", f"{marks[1]}a", "a"]
    assert name(1, Status.COMPLETED) == "a"
    details = TaskDetails(make_task(1, "a", priority=-1))
    assert "low priority" in page_text(Page.OVERVIEW, details, None, look, 80).plain
