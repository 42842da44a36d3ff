"""Every key does what the help says: seen on the port and on the screen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events
from textual.command import CommandList, CommandPalette

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import lines_of, notices, running, screen_text, settle
from tests.ui.scene import make_scene
from tui_dl.core.commands import CommandName, CommandOutcome
from tui_dl.core.errors import UsageError
from tui_dl.core.query import SortKey
from tui_dl.core.query_text import parse_terms
from tui_dl.core.status import Status
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.bindings import bindings
from tui_dl.ui.keymap import Keymap, key_table


def three_rows() -> FakeEngine:
    """Make a queue of three."""
    return FakeEngine(make_task(task_id, f"file-{task_id}.bin") for task_id in (1, 2, 3))


@pytest.mark.parametrize(
    ("keys", "name", "ids", "arguments"),
    [
        (["p"], CommandName.TOGGLE_PAUSE, (1,), {}),
        (["j", "x"], CommandName.CANCEL, (2,), {}),
        (["G", "r"], CommandName.RETRY, (3,), {}),
        (["K"], CommandName.MOVE_UP, (1,), {}),
        (["J"], CommandName.MOVE_DOWN, (1,), {}),
        ([">"], CommandName.SET_CONNECTIONS, (1,), {"delta": 1}),
        (["<"], CommandName.SET_CONNECTIONS, (1,), {"delta": -1}),
        (["i"], CommandName.SET_PRIORITY, (1,), {"delta": 1}),
        (["*", "I"], CommandName.SET_PRIORITY, (1, 2, 3), {"delta": -1}),
        (["+"], CommandName.SET_CONCURRENCY, (), {"delta": 1}),
        (["="], CommandName.SET_CONCURRENCY, (), {"delta": 1}),
        (["-"], CommandName.SET_CONCURRENCY, (), {"delta": -1}),
        (["_"], CommandName.SET_CONCURRENCY, (), {"delta": -1}),
        (["P"], CommandName.TOGGLE_ALL, (), {}),
        (["R"], CommandName.RETRY_FAILED, (), {}),
        (["c"], CommandName.CLEAR_FINISHED, (), {"keeps_failed": True}),
        (["u"], CommandName.UNDO, (), {}),
        (["space", "space", "p"], CommandName.TOGGLE_PAUSE, (1, 2), {}),
        (["v", "j", "v", "x"], CommandName.CANCEL, (1, 2), {}),
        (["*", "p"], CommandName.TOGGLE_PAUSE, (1, 2, 3), {}),
        (["*", "*", "down", "p"], CommandName.TOGGLE_PAUSE, (2,), {}),
        (["X", "y"], CommandName.DELETE_PART, (1,), {}),
        (["l", "5", "M", "enter"], CommandName.SET_LIMIT, (), {"limit": 5 * 1024 * 1024}),
        (["l", "0", "enter"], CommandName.SET_LIMIT, (), {"limit": 0}),
        (["l", "1", "K", "tab", "tab", "enter"], CommandName.SET_LIMIT, (1,), {"limit": 1024}),
    ],
)
async def test_a_key_sends_its_command(
    keys: list[str], name: CommandName, ids: tuple[int, ...], arguments: dict[str, Any]
) -> None:
    """The engine is told exactly what the key stands for, once."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press(*keys)
        await settle(app, pilot)
    assert [(one.name, one.ids, dict(one.arguments)) for one in engine.commands] == [(name, ids, arguments)]


async def test_deleting_asks_and_no_does_nothing() -> None:
    """`X` names the download and does nothing when the answer is no."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press("X")
        await pilot.pause()
        assert "Cancel file-1.bin and delete what has arrived?" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
    assert engine.commands == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["X"], "Nothing to cancel or delete: file-1.bin is done"),
        (["*", "X"], "Nothing to cancel or delete: 2 selected downloads are done or skipped"),
    ],
)
async def test_nothing_is_asked_where_nothing_can_be_deleted(keys: list[str], words: str) -> None:
    """Of what is done or was left out no part file is held: said, instead of a question whose answer does nothing."""
    engine = FakeEngine(
        make_task(number, f"file-{number}.bin", status=status)
        for number, status in ((1, Status.COMPLETED), (2, Status.SKIPPED))
    )
    async with running(engine) as (app, pilot):
        await pilot.press(*keys)
        await settle(app, pilot)
        assert notices(app) == [words]
        assert app.screen is app.main
    assert engine.commands == []


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.PAUSED])
async def test_what_may_hold_a_part_file_is_asked_about(status: Status) -> None:
    """Also where it is finished: what has arrived of it is deleted."""
    async with running(FakeEngine([make_task(1, "file-1.bin", status=status)])) as (app, pilot):
        await pilot.press("X")
        await pilot.pause()
        assert "Cancel file-1.bin and delete what has arrived?" in screen_text(app)


async def test_a_refusal_is_said() -> None:
    """What the engine refuses is shown with its reason, and the selection stays."""
    engine = three_rows()
    engine.outcome = CommandOutcome(message="already the first", is_refused=True)
    async with running(engine) as (app, pilot):
        await pilot.press("space", "x")
        await settle(app, pilot)
        assert "already the first" in screen_text(app)
        assert app.main.model.selection.ids == (1,)


async def test_an_error_is_said_and_the_screen_lives() -> None:
    """An error of the engine becomes a notice, never a traceback."""
    engine = three_rows()
    engine.error = UsageError("no [/such] folder")
    async with running(engine) as (app, pilot):
        await pilot.press("p")
        await settle(app, pilot)
        assert "no [/such] folder" in screen_text(app)
        assert app.failure is None


async def test_the_filter_asks_the_engine_and_escape_drops_it() -> None:
    """`/` filters while typing, Enter keeps it, Esc on the table drops it."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press("/", *"file-2", "enter")
        await settle(app, pilot)
        assert engine.queries[-1].terms == parse_terms("file-2")
        assert len(app.main.model) == 1
        assert "/ file-2" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert len(app.main.model) == 3


async def test_what_is_typed_right_after_the_slash_is_the_filter() -> None:
    """Keys that wait in one queue on a busy machine: none of them acts on the table."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        order = app.main.state.order
        for char in "/space":
            app.post_message(events.Key("slash" if char == "/" else char, char))
        await settle(app, pilot)
        assert (app.main.filter_line.value, app.screen, app.main.state.order) == ("space", app.main, order)
    assert not engine.commands


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_keys_right_after_the_filter_are_the_tables(turns: int) -> None:
    """Whether they wait in one queue with it, or come some turns of the loop later."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        for key, char in (("slash", "/"), *((one, one) for one in "file"), ("enter", "\r"), ("x", "x")):
            app.post_message(events.Key(key, char))
            for _turn in range(turns):
                await asyncio.sleep(0)
        await settle(app, pilot)
        assert (app.main.state.filter, app.main.filter_line.value) == ("file", "file")
    assert [(one.name, one.ids) for one in engine.commands] == [(CommandName.CANCEL, (1,))]


async def test_keys_right_after_a_filter_that_is_wrong_mend_it() -> None:
    """The line stays, so that they are typed into it."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        for key, char in (("slash", "/"), *((one, one) for one in "sizz"), ("colon", ":"), ("4", "4"), ("enter", "\r")):
            app.post_message(events.Key(key, char))
        for char in "2x":
            app.post_message(events.Key(char, char))
        await settle(app, pilot)
        assert app.main.filter_line.value == "sizz:42x"
    assert not engine.commands


async def test_sorting_asks_the_engine() -> None:
    """`s` sorts by the next column and `S` turns the order round."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press("s", "S")
        await settle(app, pilot)
        assert (engine.queries[-1].sort, engine.queries[-1].is_descending) == (SortKey.NAME, True)
        assert [app.main.model.id_at(index) for index in range(3)] == [3, 2, 1]


async def test_details_show_the_row_and_follow_the_cursor() -> None:
    """Enter opens the pane; it shows the current row, also after a move."""
    async with running(make_scene()) as (app, pilot):
        await pilot.press("enter")
        await settle(app, pilot)
        assert "6 connections of 8 allowed by cdimage.debian.org" in app.main.details.plain
        await pilot.press("j")
        await settle(app, pilot)
        assert "ubuntu-24.04.1" in app.main.details.plain


async def test_details_have_four_pages() -> None:
    """Tab goes through segments, log and headers; secrets in headers stay hidden."""
    async with running(make_scene()) as (app, pilot):
        pages = []
        for key in ("enter", "tab", "tab", "tab"):
            await pilot.press(key)
            await settle(app, pilot)
            pages.append(app.main.details.plain)
        assert "10.0 MiB/s" in pages[1]
        assert "connection 4 was silent" in pages[2]
        assert "Set-Cookie: ***" in pages[3]


async def test_quit_asks_while_work_is_under_way() -> None:
    """`q` says what happens to the downloads and leaves on yes."""
    async with running(make_scene()) as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert "Downloads pause and go on at the next start." in screen_text(app)
        await pilot.press("y")
        await pilot.pause()
        assert not app.is_running


async def test_quit_does_not_ask_when_nothing_runs() -> None:
    """With finished rows alone `q` leaves at once."""
    engine = FakeEngine([make_task(1, "a", Status.COMPLETED), make_task(2, "b", Status.PAUSED)])
    async with running(engine) as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running


async def test_ctrl_c_asks_once_and_ends_twice() -> None:
    """Ctrl+C asks as `q`; within two seconds a second one ends."""
    async with running(make_scene()) as (app, pilot):
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.is_running
        assert "Quit? 47 downloads are not finished." in screen_text(app)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert not app.is_running


async def test_the_address_is_copied() -> None:
    """`y` hands the raw address to the terminal's clipboard."""
    async with running(three_rows()) as (app, pilot):
        await pilot.press("j", "y")
        await pilot.pause()
        assert app.clipboard == "https://host.example/file-2.bin"


async def test_opening_over_ssh_says_where_the_file_is() -> None:
    """Over SSH nothing is opened; the notice names the path instead."""
    async with running(three_rows(), environment={"SSH_CONNECTION": "1 2 3 4"}) as (app, pilot):
        await pilot.press("o")
        await settle(app, pilot)
        assert notices(app) == ["Over SSH nothing can be opened here. It is at /downloads"]


async def test_opening_hands_a_whole_file_to_the_desktop() -> None:
    """`o` opens the file itself once it is whole."""
    opened: list[str] = []

    async def opener(path: str) -> bool:
        opened.append(path)
        return True

    engine = FakeEngine([make_task(1, "a.pdf", Status.COMPLETED, path="/downloads/a.pdf")])
    async with running(engine, opener=opener) as (app, pilot):
        await pilot.press("o")
        await settle(app, pilot)
    assert opened == ["/downloads/a.pdf"]


async def test_the_palette_reaches_every_action() -> None:
    """An action found by its words in the palette acts like its key."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press("ctrl+p", *"clear fin")
        for _turn in range(100):
            if app.screen.query_one(CommandList).option_count == 1:
                break
            await pilot.pause(0.02)
        await pilot.press("enter")
        await settle(app, pilot)
    assert [one.name for one in engine.commands] == [CommandName.CLEAR_FINISHED]


def test_no_key_means_two_things() -> None:
    """Each key of the main screen belongs to one action."""
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))


def test_every_action_is_bound_and_documented() -> None:
    """Bindings and the README's table come from the one tuple, and none lacks an explanation."""
    table = key_table()
    assert [binding.id for binding in bindings(Keymap())] == [action.name for action in ACTIONS for _ in action.keys]
    for action in ACTIONS:
        assert action.explanation().endswith(".")
        assert "[" not in action.explanation()
        assert action.explanation() in table


async def test_the_footer_offers_what_is_legal() -> None:
    """A paused row can be resumed, a failed one retried, a finished one neither."""
    engine = FakeEngine(
        [make_task(1, "a", Status.PAUSED), make_task(2, "b", Status.FAILED), make_task(3, "c", Status.COMPLETED)]
    )
    async with running(engine) as (app, pilot):
        footers = []
        for _row in range(3):
            footers.append(lines_of(app)[-1])
            await pilot.press("j")
            await settle(app, pilot)
    assert ["Resume" in line for line in footers] == [True, False, False]
    assert ["Retry" in line for line in footers] == [False, True, False]
    assert ["Cancel" in line for line in footers] == [True, False, False]


async def test_the_theme_and_the_repaint_have_keys() -> None:
    """`t` offers the themes, Ctrl+L draws anew, and neither disturbs the queue."""
    engine = three_rows()
    async with running(engine) as (app, pilot):
        await pilot.press("ctrl+l", "t")
        await settle(app, pilot)
        assert isinstance(app.screen, CommandPalette)
    assert engine.commands == []
    assert app.failure is None


async def test_the_help_lists_every_key() -> None:
    """`?` shows all chapters, and closes with the same key."""
    async with running(three_rows(), (130, 48)) as (app, pilot):
        await pilot.press("question_mark")
        await settle(app, pilot)
        text = screen_text(app)
        assert [action.label for action in ACTIONS if action.explanation().rstrip(".") not in text] == []
        await pilot.press("question_mark")
        await settle(app, pilot)
        assert app.screen is app.main
