"""Text from servers and lists does nothing but be shown, in every widget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import running, screen_text, settle
from tui_dl.core.commands import CommandOutcome
from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.events import LogLine
from tui_dl.core.ports import TaskDetails
from tui_dl.core.status import Status
from tui_dl.ui.glyphs import ASCII

HOSTILE = [
    "\x1b[2Jclear.bin",
    "\x1b]52;c;aGk=\x07clip.bin",
    "\x9b31mred.bin",
    "x[/nope]y.zip",
    "[@click=app.quit]click[/].bin",
    "[S01E02] show.mkv",
    "[red]red[/red].bin",
    "gpj.\u202eexe",
    "lone\udcff.bin",
    "two\nlines\r.bin",
    "tab\there.bin",
    "zero\u200b\u2060width.bin",
    "e" + "\u0301" * 40 + ".bin",
    "nul\x00.bin",
    "👨‍👩‍👧‍👦🇩🇪👍🏽.bin",
    "写真の長い名前" * 30,
    "",
]

MIXTURES = [" ".join(HOSTILE[:3]), " ".join(HOSTILE[3:8]), "".join(HOSTILE[8:14]), " ".join(HOSTILE[14:])]
"""The same in few strings, for tests that go through many widgets."""


def hostile_engine(text: str) -> FakeEngine:
    """Put the text wherever an engine can put text."""
    task = make_task(
        1,
        text,
        Status.FAILED,
        host=text,
        dir=f"/downloads/{text}",
        path=text,
        reason=Reason.NOT_FOUND,
        reason_text=text,
        final_url=f"https://host.example/{text}",
    )
    engine = FakeEngine([task, replace(task, id=2, status=Status.WAITING), replace(task, id=3, status=Status.PENDING)])
    engine.base = replace(engine.base, notices=(text,))
    engine.particulars[1] = TaskDetails(task, log=(LogLine(0.0, text),), response_headers=((text, text),))
    engine.outcome = CommandOutcome(message=text)
    return engine


def assert_harmless(text: str) -> None:
    """Fail if anything on the screen could act on a terminal."""
    assert all(char.isprintable() or char == "\n" for char in text), ascii(text)


async def test_no_name_acts_on_the_table() -> None:
    """Every hostile name is a row of harmless text, side by side with the others."""
    engine = FakeEngine(make_task(number, text, host=text) for number, text in enumerate(HOSTILE, 1))
    async with running(engine) as (app, _pilot):
        assert_harmless(screen_text(app))
        widths = {strip.cell_length for strip in app.screen._compositor.render_strips()}
    assert widths == {120}


@pytest.mark.parametrize("text", MIXTURES)
async def test_no_text_acts_on_the_screen(text: str) -> None:
    """Table, notices, details, toasts and questions show hostile text as harmless text."""
    engine = hostile_engine(text)
    async with running(engine, (100, 30)) as (app, pilot):
        for key in ("enter", "tab", "tab", "tab", "p"):
            await pilot.press(key)
            await settle(app, pilot)
            assert_harmless(screen_text(app))
        engine.error = UsageError(text)
        await pilot.press("r")
        await settle(app, pilot)
        assert_harmless(screen_text(app))
        for keys in (("X",), ("escape", "l"), ("escape", "o"), ("escape", "y")):
            await pilot.press(*keys)
            await settle(app, pilot)
            assert_harmless(screen_text(app))
        assert app.is_running
        assert app.failure is None


@pytest.mark.parametrize("name", ["x[/nope]y.zip", "[S01E02] show.mkv", "[red]red[/red].bin"])
async def test_brackets_are_shown_as_they_are(name: str) -> None:
    """Nothing of a name is taken for markup, neither in the table nor in a question."""
    async with running(hostile_engine(name), (100, 30)) as (app, pilot):
        assert f"▸ {name}" in screen_text(app)
        await pilot.press("X")
        await settle(app, pilot)
        assert f"Cancel {name} and delete" in screen_text(app)


@pytest.mark.parametrize("text", MIXTURES)
async def test_an_ascii_terminal_gets_ascii(text: str) -> None:
    """Without UTF-8 not one other character is drawn, dialogs and notices included."""
    engine = hostile_engine(text)
    async with running(engine, (90, 20), glyphs=ASCII) as (app, pilot):
        for keys in (("enter",), ("p",), ("X",)):
            await pilot.press(*keys)
            await settle(app, pilot)
            shown = screen_text(app)
            assert shown.isascii(), [char for char in shown if not char.isascii()]
