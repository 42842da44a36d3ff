"""The prompt on the screen: what is typed reaches the engine as keys do, and what is wrong stays to be mended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from tests.ui.fake_engine import FakeEngine, HugeEngine, make_task
from tests.ui.pilots import lines_of, notices, running, screen_text, settle
from tui_dl.core.commands import CommandName, CommandOutcome
from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.query_text import parse_query
from tui_dl.core.settings import Settings
from tui_dl.core.status import Status, Tab
from tui_dl.ui.add_request import AS_FOUND_HERE
from tui_dl.ui.glyphs import ASCII
from tui_dl.ui.keymap import read_keys
from tui_dl.ui.prompt_history import PromptHistory
from tui_dl.ui.screens.confirm import ConfirmDialog
from tui_dl.ui.typed_line import complete_line

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui_dl.ui.app import TuiDlApp

ADDED = {"urls": ["https://b.example/x"], "dir": "/downloads", "options": AS_FOUND_HERE}


def three_rows() -> FakeEngine:
    """Make a queue of three that does what it is told."""
    engine = FakeEngine(make_task(task_id, f"file-{task_id}.bin") for task_id in (1, 2, 3))
    engine.outcome = CommandOutcome(changed=2)
    return engine


async def enter(app: TuiDlApp, pilot: Pilot[Any], line: str) -> None:
    """Type a line at the prompt, as fast as a paste."""
    app.post_message(events.Key("colon", ":"))
    for char in line:
        app.post_message(events.Key("space" if char == " " else char, char))
    app.post_message(events.Key("enter", "\r"))
    await settle(app, pilot)


@pytest.mark.parametrize(
    ("line", "name", "ids", "filter_text", "arguments"),
    [
        ("pause host:host.example", CommandName.PAUSE, (), "host:host.example", {}),
        ("pause", CommandName.PAUSE, (1,), None, {}),
        ("resume 2 3", CommandName.RESUME, (2, 3), None, {}),
        ("retry status:queued", CommandName.RETRY, (), "status:queued", {}),
        ("retry --restart 3", CommandName.RETRY, (3,), None, {"restart": True}),
        ("cancel name:file", CommandName.CANCEL, (), "name:file", {}),
        ("limit 5M", CommandName.SET_LIMIT, (), None, {"limit": 5 * 2**20}),
        ("limit off .", CommandName.SET_LIMIT, (1,), None, {"limit": 0}),
        ("limit 1K host:x", CommandName.SET_LIMIT, (), "host:x", {"limit": 1024}),
        ("concurrency 20", CommandName.SET_CONCURRENCY, (), None, {"value": 20}),
        ("connections -1", CommandName.SET_CONNECTIONS, (1,), None, {"delta": -1}),
        ("priority high name:*.bin", CommandName.SET_PRIORITY, (), "name:*.bin", {"value": "high"}),
        ("move top 3", CommandName.MOVE_TO, (3,), None, {"position": 0, "how": "set"}),
        ("move-down", CommandName.MOVE_DOWN, (1,), None, {}),
        ("set per_host 4", CommandName.SET_SETTINGS, (), None, {"settings": {"per_host": 4}}),
        ("retry-failed", CommandName.RETRY_FAILED, (), None, {}),
        ("clear-finished 2", CommandName.CLEAR_FINISHED, (2,), None, {}),
        (
            "refresh https://b.example/x",
            CommandName.REFRESH,
            (1,),
            None,
            {"url": "https://b.example/x", "headers": None},
        ),
        ("add https://b.example/x", CommandName.ADD, (), None, ADDED),
    ],
)
async def test_a_line_sends_its_command(
    line: str, name: CommandName, ids: tuple[int, ...], filter_text: str | None, arguments: dict[str, Any]
) -> None:
    """Once, with what was named, and the keys are the table's again."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await enter(app, pilot, line)
        assert not app.main.prompt.is_open
        assert app.focused is app.main.table
    query = None if filter_text is None else parse_query(filter_text)
    assert [(one.name, one.ids, one.query, dict(one.arguments)) for one in engine.commands] == [
        (name, ids, query, arguments)
    ]


async def test_without_a_target_it_is_for_the_selection() -> None:
    """As with keys."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press("space", "space")
        await enter(app, pilot, "cancel")
    assert [(one.name, one.ids) for one in engine.commands] == [(CommandName.CANCEL, (1, 2))]


async def test_deleting_asks_with_the_number_and_no_does_nothing() -> None:
    """A filter is counted first: nobody deletes what they did not see named."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await enter(app, pilot, "delete-part name:file-")
        assert isinstance(app.screen, ConfirmDialog)
        assert app.screen.question == "Cancel 3 downloads (delete-part name:file-) and delete what has arrived?"
        await pilot.press("escape")
        await settle(app, pilot)
        assert engine.commands == []
        await enter(app, pilot, "delete-part name:file-")
        await pilot.press("y")
        await settle(app, pilot)
    assert [(one.name, one.query) for one in engine.commands] == [
        (CommandName.DELETE_PART, parse_query("name:file-")),
    ]


async def test_cancelling_a_million_asks_and_nothing_is_looked_at_one_by_one() -> None:
    """The number comes from the view alone; no row of it is fetched."""
    engine = HugeEngine(1_000_000)
    engine.outcome = CommandOutcome(changed=1_000_000)
    async with running(engine) as (app, pilot):
        asked = engine.asked_rows
        await enter(app, pilot, "cancel --all")
        assert "Cancel 1,000,000 downloads (cancel --all)?" in screen_text(app)
        await pilot.press("y")
        await settle(app, pilot)
        await enter(app, pilot, "1,000,000")
        assert app.main.table.cursor == 999_999
    assert [(one.name, one.query) for one in engine.commands] == [(CommandName.CANCEL, TaskQuery())]
    assert engine.asked_rows - asked < 200


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("puase", "there is no command 'puase'; did you mean pause?"),
        ("pause hst:x", "did you mean host: ?"),
        ("limit fast", "is not a size; write bytes, or 512K, 5M, 1.5G"),
        ("theme nowhere", "'nowhere' is not known here"),
        ("add nonsense", "http://"),
        ("limit 08:00,1M 23:00,off .", "a timetable is for all downloads"),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_what_is_wrong_is_said_in_place_and_the_line_stays(
    line: str, problem: str, size: tuple[int, int]
) -> None:
    """Nothing typed is lost; the message wraps where the screen is narrow, and goes once it is mended."""
    engine = three_rows()
    async with running(engine, size) as (app, pilot):
        await enter(app, pilot, line)
        assert app.main.prompt.line.value == line
        assert app.focused is app.main.prompt.line
        assert problem in " ".join(" ".join(lines_of(app)).split())
        await pilot.press("x")
        await settle(app, pilot)
        assert problem not in " ".join(" ".join(lines_of(app)).split())
    assert engine.commands == []


@pytest.mark.parametrize(
    ("line", "outcome", "problem"),
    [
        ("pause host:nowhere", CommandOutcome(), "no download fits that filter"),
        ("cancel host:nowhere", CommandOutcome(changed=1), "no download fits that filter"),
        ("pause 7 8", CommandOutcome(), "no download has the id 7, 8;"),
        ("pause name:file", CommandOutcome(), "nothing changed: none of them can be, or all are so already"),
        ("move top 2", CommandOutcome(message="too many rows", is_refused=True), "too many rows"),
    ],
)
async def test_what_the_engine_says_no_to_comes_back(line: str, outcome: CommandOutcome, problem: str) -> None:
    """With the line as it was typed."""
    engine = three_rows()
    engine.outcome = outcome
    async with running(engine) as (app, pilot):
        await enter(app, pilot, line)
        assert (app.main.prompt.is_open, app.main.prompt.line.value) == (True, line)
        assert problem in screen_text(app)


async def test_what_was_done_is_said() -> None:
    """The number of downloads, as the screen need not show them."""
    async with running(three_rows()) as (app, pilot):
        await enter(app, pilot, "pause name:file")
        assert notices(app) == ["2 paused"]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("sort size", {"order": SortKey.SIZE}),
        ("sort name down", {"order": SortKey.NAME, "is_descending": True}),
        ("tab failed", {"tab": Tab.FAILED}),
        ("next-tab", {"tab": Tab.ACTIVE}),
    ],
)
async def test_the_view_can_be_typed(line: str, state: dict[str, Any]) -> None:
    """Order and tab by their names."""
    async with running(three_rows()) as (app, pilot):
        before = app.main.state
        await enter(app, pilot, line)
        assert app.main.state == replace(before, **state)


async def test_the_filter_and_a_theme_can_be_typed() -> None:
    """As their keys would do it."""
    async with running(three_rows()) as (app, pilot):
        await enter(app, pilot, "filter file-2")
        await enter(app, pilot, "theme nord")
        assert (len(app.main.model), app.theme) == (1, "nord")
        await enter(app, pilot, "help")
        assert app.screen is not app.main


async def test_tab_goes_through_what_is_offered() -> None:
    """Each Tab the next one, Shift+Tab the one before; typing goes on with it."""
    async with running(three_rows()) as (app, pilot):
        line = app.main.prompt.line
        await pilot.press(":", *"pau", "tab")
        await settle(app, pilot)
        assert line.value == "pause "
        assert "Tab pause  pause-all" in screen_text(app)
        await pilot.press("tab")
        await settle(app, pilot)
        assert line.value == "pause-all "
        await pilot.press("shift+tab", *"ho", "tab")
        await settle(app, pilot)
        assert line.value == "pause host:"
        await pilot.press("tab")
        await settle(app, pilot)
        assert line.value == "pause host:host.example "


async def test_what_was_typed_can_be_had_again_on_the_next_screen() -> None:
    """Up and Down go through lines that begin as what is typed; Esc loses nothing; addresses are not kept."""
    history = PromptHistory()
    async with running(three_rows(), history=history) as (app, pilot):
        await enter(app, pilot, "pause name:file")
        await enter(app, pilot, "add https://me:secret@a.example/x")
        await pilot.press(":", *"prio", "escape")
    async with running(three_rows(), history=history) as (app, pilot):
        line = app.main.prompt.line
        await pilot.press(":", "up")
        assert line.value == "prio"
        await pilot.press("up")
        assert line.value == "pause name:file"
        await pilot.press("up", "down", "down")
        assert line.value == ""
        await pilot.press(*"pa", "up")
        assert line.value == "pause name:file"


async def test_escape_and_backspace_leave() -> None:
    """The footer is back, and the keys are the table's."""
    async with running(three_rows()) as (app, pilot):
        for keys in (("escape",), ("x", "backspace", "backspace")):
            await pilot.press(":")
            await settle(app, pilot)
            assert lines_of(app)[-1].strip() == ":"
            await pilot.press(*keys)
            await settle(app, pilot)
            assert not app.main.prompt.is_open
            assert "q Quit" in lines_of(app)[-1]
            assert app.focused is app.main.table


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_keys_right_after_the_line_are_the_tables(turns: int) -> None:
    """Whether they wait in one queue with it, or come some turns of the loop later."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        app.post_message(events.Key("colon", ":"))
        for char in "tab all":
            app.post_message(events.Key("space" if char == " " else char, char))
        for key in ("enter", "j", "x"):
            app.post_message(events.Key(key, key))
            for _turn in range(turns):
                await asyncio.sleep(0)
        await settle(app, pilot)
    assert [(one.name, one.ids) for one in engine.commands] == [(CommandName.CANCEL, (2,))]


async def test_an_offer_that_comes_late_takes_no_keys_from_the_table() -> None:
    """On a real terminal what can follow is shown a frame later, when the line may be given already."""
    async with running(three_rows()) as (app, pilot):
        await pilot.press(":", *"tab all")
        line = app.main.prompt.line
        line.value = "tab failed"
        line._give()
        app.main.prompt.on_prompt_line_offering(line.Offering(complete_line("tab", 3, line.known), 0))
        assert line._is_given


async def test_a_click_takes_a_candidate() -> None:
    """The mouse does what Tab does."""
    async with running(three_rows()) as (app, pilot):
        await pilot.press(":", *"pau")
        await settle(app, pilot)
        await pilot.click("#prompt-hint", offset=(13, 0))
        await settle(app, pilot)
        assert app.main.prompt.line.value == "pause-all "


async def test_a_key_for_a_command_that_wants_more_opens_the_prompt() -> None:
    """What is typed with it follows."""
    engine = three_rows()
    async with running(engine, settings=Settings(keys=read_keys({"priority": "h"}))) as (app, pilot):
        await pilot.press("h", *"low", "enter")
        await settle(app, pilot)
    assert [dict(one.arguments) for one in engine.commands] == [{"value": "low"}]


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_it_fits_small_terminals_in_plain_characters(size: tuple[int, int]) -> None:
    """The line, what can follow, and rows above it; no cell beyond ASCII."""
    async with running(three_rows(), size, glyphs=ASCII) as (app, pilot):
        await pilot.press(":", *"pause st")
        await settle(app, pilot)
        lines = lines_of(app)
        assert lines[-1].strip() == ":pause st"
        assert lines[-2].strip() == "Tab status:"
        assert any("file-1.bin" in line for line in lines)
        assert screen_text(app).isascii()
        await pilot.press("a", "tab", "tab")
        await settle(app, pilot)
        assert app.main.prompt.line.value == "pause status:active "


async def test_before_the_engine_is_there_the_line_stays() -> None:
    """Nothing typed is lost to a start that takes long."""
    engine = FakeEngine([make_task(1, "a", Status.PAUSED)])
    async with running(engine) as (app, pilot):
        app.main.port = None
        await enter(app, pilot, "resume status:paused")
        assert "still starting; try again in a moment" in screen_text(app)
        assert app.main.prompt.line.value == "resume status:paused"
