"""Keys that a person chose: read, refused with the way out, bound, and shown wherever keys are."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import lines_of, running, screen_text, settle
from tui_dl.core.commands import CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import Settings
from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.key_names import key_text, read_key
from tui_dl.ui.keymap import Keymap, read_keys
from tui_dl.ui.widgets.key_bar import KeyBar

OWN = read_keys({"pause": ["f2", ","], "cancel": "Alt+X", "add": [], "help": ["h", ";"], "fewer-at-once": []})


@pytest.mark.parametrize(
    ("written", "key"),
    [
        *(("p", "p"), ("P", "P"), (",", ","), ("[", "["), ("Ctrl+D", "ctrl+d"), ("ctrl+d", "ctrl+d"), ("F2", "f2")),
        *(("PgUp", "pageup"), ("esc", "escape"), ("Space", "space"), ("Shift+Tab", "shift+tab"), ("return", "enter")),
        *(("Alt+X", "alt+x"), ("shift+alt+x", "alt+shift+x"), ("shift+ctrl+up", "ctrl+shift+up"), ("é", "é")),
    ],
)
def test_a_key_is_read_as_people_write_it(written: str, key: str) -> None:
    """Names in any case, characters as they are."""
    assert read_key(written) == key


@pytest.mark.parametrize("written", ["", " ", "pp", "ctrl+", "ctrl+ctrl+a", "f13", "hyper+a", "ctrl+\x1b", "shift+a"])
def test_what_is_no_key_is_refused(written: str) -> None:
    """No terminal could ever send it."""
    with pytest.raises(UsageError, match="there is no key"):
        read_key(written)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("ctrl+c", "Ctrl.C leaves, wherever you are"),
        ("CTRL+Z", "gives the terminal to the shell"),
        ("ctrl+i", "send Ctrl.I for Tab; write tab"),
        ("ctrl+m", "for Enter; write enter"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(written: str, why: str) -> None:
    """It would not do what was asked."""
    with pytest.raises(UsageError, match=why):
        read_key(written)


def test_every_usual_key_can_be_written_as_it_is_shown() -> None:
    """What help shows is what the settings take."""
    for key in (key for action in ACTIONS for key in action.keys):
        assert read_key(key_text(key)) == key


def test_two_commands_can_swap_their_keys() -> None:
    """The table is judged as a whole."""
    assert dict(read_keys({"pause": "x", "cancel": "p"})) == {"pause": ("x",), "cancel": ("p",)}


async def test_the_keys_of_a_person_act_and_the_old_ones_do_not() -> None:
    """Several keys for one command, none for another."""
    engine = FakeEngine([make_task(1, "a.bin")])
    async with running(engine, settings=Settings(keys=OWN)) as (app, pilot):
        await pilot.press("p", "x", "a")
        await settle(app, pilot)
        assert (engine.commands, app.screen) == ([], app.main)
        await pilot.press("f2", "comma", "alt+x")
        await settle(app, pilot)
    names = [one.name for one in engine.commands]
    assert names == [CommandName.TOGGLE_PAUSE, CommandName.TOGGLE_PAUSE, CommandName.CANCEL]


async def test_footer_help_palette_and_tooltip_show_the_keys_of_a_person() -> None:
    """No place tells of a key that does nothing."""
    engine = FakeEngine([make_task(1, "a.bin")])
    async with running(engine, (130, 50), settings=Settings(keys=OWN)) as (app, pilot):
        footer = lines_of(app)[-1]
        assert "F2 Pause  Alt+X Cancel" in footer
        assert "Add" not in footer
        assert "+ At once" in footer
        await pilot.hover(KeyBar, offset=(3, 0))
        assert "(F2 ,)" in str(app.main.query_one(KeyBar).tooltip)
        await pilot.press("h")
        await settle(app, pilot)
        text = screen_text(app)
        assert "F2 ,     " in text
        assert ":add     " in text
        await pilot.press("h", "ctrl+p")
        await settle(app, pilot)
        assert isinstance(app.screen, CommandPalette)
        assert "Pause  (F2 ,)" in screen_text(app)


def test_a_command_without_a_key_is_named_as_it_is_typed() -> None:
    """So that it can still be found."""
    keymap = Keymap({"undo": ()})
    assert (keymap.first("undo"), keymap.first("quit")) == (":undo", "q")
