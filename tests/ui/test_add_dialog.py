"""The dialog for new downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.widgets import Input, TextArea

from tests.ui.fake_engine import FakeEngine
from tests.ui.pilots import running, screen_text, settle
from tui_dl.core.commands import CommandName
from tui_dl.core.errors import UsageError
from tui_dl.core.ports_lists import ListAdd, ListPreview

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tui_dl.core.commands import Command
    from tui_dl.ui.app import TuiDlApp

GOOD = "https://host.example/a.bin"
PAGE = "https://host.example/watch?v=1"


async def paste(app: TuiDlApp, pilot: Pilot[Any], text: str) -> None:
    """Paste as a terminal does: in one bracketed piece."""
    app.post_message(events.Paste(text))
    await pilot.pause()


def without_batch(command: Command) -> dict[str, Any]:
    """Return a command's arguments but the name of the batch, which is the time where nobody gave one."""
    arguments = dict(command.arguments)
    assert arguments.pop("batch")
    return arguments


async def test_many_pasted_addresses_are_added_at_once() -> None:
    """Lines of a paste become one command in their order; comments and blanks are left out."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"{GOOD}\r\n\r\n# a note\n  https://host.example/b.bin  \n")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    assert [(one.name, without_batch(one)) for one in engine.commands] == [
        (CommandName.ADD, {"urls": [GOOD, "https://host.example/b.bin"], "dir": "/downloads"})
    ]


async def test_a_pattern_is_counted_before_it_is_added() -> None:
    """Its count, first and last are shown; it is added as it was typed, beside plain addresses."""
    engine = FakeEngine()
    pattern = "https://host.example/[001-120].jpg"
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one("#urls", TextArea).load_text(f"{pattern}\n{GOOD}\nhttps://[::1]/a")
        checked = await app.screen._check()  # type: ignore[attr-defined]  # what it does when the person rests
        app.screen._show(checked)  # type: ignore[attr-defined]  # as above
        await settle(app, pilot)
        assert "122 addresses" in screen_text(app)
        assert "120: https://host.example/001.jpg ... https://host.example/120.jpg" in screen_text(app)
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    arguments = dict(engine.commands[0].arguments)
    assert (arguments["urls"], arguments["globs"]) == ([GOOD, "https://[::1]/a"], [pattern])


async def test_a_bad_line_is_named_and_nothing_is_added() -> None:
    """Each bad line is shown with its number; the cursor goes there and the dialog stays."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"{GOOD}\nnot an address\n")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "line 2:" in screen_text(app)
        assert app.screen.query_one("#urls", TextArea).cursor_location == (1, 0)
    assert engine.commands == []


@pytest.mark.parametrize(("typed", "folder"), [("/other", "/other"), ("sub", "/downloads/sub"), ("", "/downloads")])
async def test_a_folder_is_taken_from_where_the_command_was_typed(typed: str, folder: str) -> None:
    """A relative folder begins at the folder offered; an absolute one stands for itself."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one("#urls", TextArea).load_text(GOOD)
        app.screen.query_one("#folder", Input).value = typed
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    assert engine.commands[0].arguments["dir"] == folder


async def test_nothing_to_add_is_said() -> None:
    """An empty dialog does not close as if it had added something."""
    async with running(FakeEngine()) as (app, pilot):
        await pilot.press("a", "ctrl+s")
        await settle(app, pilot)
        assert "Nothing to add yet" in screen_text(app)


async def test_control_characters_of_a_paste_are_dropped() -> None:
    """Escape sequences and bidi controls of the clipboard never reach the text."""
    async with running(FakeEngine()) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, "https://host.example/\x1b]52;c;aGk=\x07a\u202e\x9b2J")
        assert app.screen.query_one("#urls", TextArea).text == "https://host.example/]52;c;aGk=a2J"


async def test_a_bad_limit_is_named() -> None:
    """The dialog for limits says what it cannot read and stays."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("l", *"fast", "enter")
        await settle(app, pilot)
        assert "is not a size" in screen_text(app)
    assert engine.commands == []


async def test_a_template_may_stand_behind_the_folder() -> None:
    """It goes with the command; one that is wrong is said, and the dialog stays."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, GOOD)
        app.screen.query_one("#folder", Input).value = "pictures/{hots}/{name}"
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "did you mean {host}?" in screen_text(app)
        app.screen.query_one("#folder", Input).value = "pictures/{host}/{name}"
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    assert [without_batch(one) for one in engine.commands] == [
        {"urls": [GOOD], "dir": "/downloads/pictures", "name_template": "{host}/{name}"}
    ]


async def test_an_add_can_be_named() -> None:
    """What is typed as the name of the batch goes with the command."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, GOOD)
        app.screen.query_one("#batch", Input).value = " films "
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    assert engine.commands[0].arguments["batch"] == "films"


class Lists:
    """A list of 2,000 addresses; any other path cannot be read."""

    def __init__(self) -> None:
        self.added: list[ListAdd] = []
        self.counted = 0

    async def preview(self, path: str, tell: Callable[[int], None]) -> ListPreview:
        """Count."""
        self.counted += 1
        if path != "/downloads/urls.txt":
            raise UsageError(f"--input {path}: cannot be read: No such file or directory")
        tell(1_000)
        return ListPreview(2_000, 1, "urls.txt:7: no address")

    async def add(self, wish: ListAdd, tell: Callable[[int], None]) -> ListPreview:
        """Remember."""
        tell(1_500)
        self.added.append(wish)
        return ListPreview(2_000, 1)


async def test_a_list_is_counted_asked_about_and_added() -> None:
    """The path of a list among the lines is counted once, a large one is asked about, and what came of it is said."""
    engine, lists = FakeEngine(), Lists()
    async with running(engine, lists=lists) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, "./urls.txt")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "Add 2,000 downloads?" in screen_text(app)
        assert "urls.txt: 2,000 addresses, 1 bad line left out: urls.txt:7: no address" in screen_text(app)
        await pilot.press("y")
        await settle(app, pilot)
        assert "urls.txt: 2,000 added, 1 bad lines left out" in screen_text(app)
    assert (lists.added, lists.counted) == ([ListAdd("/downloads/urls.txt", "/downloads")], 1)
    assert engine.commands == []


async def test_a_no_leaves_the_dialog_as_it_was() -> None:
    """Whoever does not want so many goes on where they were."""
    lists = Lists()
    async with running(FakeEngine(), lists=lists) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, "./urls.txt")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        await pilot.press("n")
        await settle(app, pilot)
        assert app.screen.query_one("#urls", TextArea).text == "./urls.txt"
    assert lists.added == []


async def test_a_list_that_cannot_be_read_is_named_with_its_line() -> None:
    """Nothing is added, and the line says why."""
    async with running(FakeEngine(), lists=Lists()) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"{GOOD}\n./no-such.txt")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "line 2: " in screen_text(app)
        assert "cannot be read" in screen_text(app)


@pytest.mark.parametrize(
    ("turns", "word", "url", "kind"),
    [(0, "auto", GOOD, ""), (0, "auto", PAGE, "found"), (1, "file", PAGE, "file"), (2, "media", GOOD, "media")],
)
async def test_addresses_are_what_a_person_says(turns: int, word: str, url: str, kind: str) -> None:
    """Files, media, or what is found out: Ctrl+T turns it, and it is shown; what may be media may be asked about."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, url)
        await pilot.press(*["ctrl+t"] * turns)
        await settle(app, pilot)
        assert f"As: {word} (Ctrl+T)" in screen_text(app)
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    options = engine.commands[0].arguments.get("options", {})
    assert options.get("as_kind", "") == kind
    assert options.get("asks", False) == (kind in ("found", "media"))
    assert engine.commands[0].arguments["urls"] == [url]


async def test_the_kind_goes_with_what_curl_gave() -> None:
    """Each download has options of its own there."""
    engine = FakeEngine()
    async with running(engine) as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, f"curl -H 'X-Key: a' {GOOD}")
        await pilot.click("#kind")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
    options = engine.commands[0].arguments["downloads"][0]["options"]
    assert options == {"headers": [["X-Key", "a"]], "as_kind": "file"}
