"""The format picker: by keys and mouse, while the site is asked, and where it cannot be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.ui.media_scene import FORMATS, HEAD, waiting_playlist
from tests.ui.pilots import lines_of, notices, running, screen_text, settle
from tests.ui.test_hostile_text import MIXTURES, assert_harmless
from tui_dl.core.commands import CommandName
from tui_dl.core.media import PRESETS
from tui_dl.ui.glyphs import ASCII

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tests.ui.fake_engine import FakeEngine
    from tui_dl.ui.app import TuiDlApp

ENTRY = ("j", "j")
"""Keys to the first entry."""


async def press(app: TuiDlApp, pilot: Pilot[Any], *keys: str) -> None:
    """Press keys and see what came of them."""
    await pilot.press(*keys)
    await settle(app, pilot)
    await settle(app, pilot)


def line_of(app: TuiDlApp, words: str) -> int:
    """Return in which line of the screen these words stand."""
    return next(index for index, line in enumerate(lines_of(app)) if words in line)


def sent(engine: FakeEngine) -> list[tuple[CommandName, tuple[int, ...], dict[str, Any]]]:
    """Return the commands given."""
    return [(one.name, one.ids, dict(one.arguments)) for one in engine.commands]


@pytest.mark.parametrize(
    ("row", "keys", "ids", "arguments"),
    [
        (ENTRY, ["enter"], (HEAD + 1,), {"choice": PRESETS[2].as_json()}),
        (ENTRY, ["k", "a", "enter"], (HEAD + 1,), {"choice": PRESETS[1].as_json(), "for_all": True}),
        (ENTRY, ["w", "enter"], (HEAD + 1,), {"choice": PRESETS[2].as_json(), "remembers": True}),
        (["j"], ["j", "enter"], (HEAD,), {"choice": PRESETS[0].as_json(), "for_all": True}),
        (
            ENTRY,
            ["G", "k", "k", "space", "k", "k", "k", "enter"],
            None,
            {"choice": {"name": "137+140", "format": "137+140"}},
        ),
        (ENTRY, ["G", "space", "g", "j", "enter"], None, {"choice": PRESETS[0].as_json() | {"subtitles": ("de",)}}),
        ((*ENTRY, "*"), ["enter"], (1, 10, 11, 12, 13, 20), {"choice": PRESETS[2].as_json()}),
    ],
)
async def test_keys_pick_a_form(
    row: list[str], keys: list[str], ids: tuple[int, ...] | None, arguments: dict[str, Any]
) -> None:
    """A preset, a pair of formats or subtitles; for one, for all, for good."""
    engine = waiting_playlist()
    async with running(engine) as (app, pilot):
        await press(app, pilot, *row)
        await press(app, pilot, "m")
        await press(app, pilot, *keys)
        assert app.screen is app.main
    assert sent(engine) == [(CommandName.SET_FORMAT, ids or (HEAD + 1,), arguments)]


async def test_the_last_line_says_what_enter_takes() -> None:
    """With what is marked already."""
    async with running(waiting_playlist()) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        await press(app, pilot, "a")
        assert "Enter Take 720p for all" in lines_of(app)[-1]
        await press(app, pilot, "G", "k", "k", "space", "k", "k", "k")
        assert "▸ [ ] 137" in screen_text(app)
        assert "Enter Take 137+140 for all" in lines_of(app)[-1]


async def test_nobody_waits_for_the_site() -> None:
    """While it is asked that is said, presets can be taken, and the picker can be left."""
    engine = waiting_playlist()
    engine.formats_gate.clear()
    async with running(engine) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        assert "asking the site …" in screen_text(app)
        await press(app, pilot, "escape")
        assert app.screen is app.main
        await press(app, pilot, "m")
        engine.formats_gate.set()
        await press(app, pilot)
        assert "1920x1080" in screen_text(app)
        assert "▸ (✓) 720p" in screen_text(app)


async def test_a_site_that_cannot_be_read_says_why() -> None:
    """In words, and the presets are there still."""
    engine = waiting_playlist()
    engine.formats = None
    async with running(engine) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        assert "nothing could be read at https://host.example/1.mp4" in screen_text(app)
        await press(app, pilot, "enter")
    assert sent(engine)[0][2] == {"choice": PRESETS[2].as_json()}


async def test_what_is_missing_is_said_above_the_formats() -> None:
    """A site may give less without a program."""
    engine = waiting_playlist()
    engine.formats = replace(FORMATS, notices=("no JavaScript runtime: install deno",))
    async with running(engine) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        assert line_of(app, "install deno") < line_of(app, "1920x1080")


async def test_the_mouse_picks() -> None:
    """A click on a mark turns it, on a row moves the cursor, twice takes it."""
    engine = waiting_playlist()
    async with running(engine) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        top = app.screen.query_one("#list").region.y
        for words in ("] 137", "] 140", "] en", "] for all"):
            await pilot.click("#list", offset=(3, line_of(app, words) - top))
            await settle(app, pilot)
        assert ("[✓] 137" in screen_text(app), "[✓] en" in screen_text(app)) == (True, True)
        await pilot.click("#list", offset=(12, line_of(app, "] 140") - top), times=2)
        await settle(app, pilot)
    choice = {"name": "137+140", "format": "137+140", "subtitles": ("en",)}
    assert sent(engine) == [(CommandName.SET_FORMAT, (HEAD + 1,), {"choice": choice, "for_all": True})]


async def test_a_file_has_no_formats() -> None:
    """The key says so."""
    async with running(waiting_playlist()) as (app, pilot):
        await press(app, pilot, "m")
        assert (app.screen is app.main, notices(app)) == (True, ["Formats are for videos; this is a file"])


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "linux"}])
@pytest.mark.parametrize("size", [(40, 10), (80, 24)])
async def test_it_works_on_poor_terminals(size: tuple[int, int], environment: dict[str, str]) -> None:
    """Small, without colours and without UTF-8: the cursor is seen, the way out is said."""
    engine = waiting_playlist()
    async with running(engine, size, environment=environment, glyphs=ASCII) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        assert "> (x) 720p" in screen_text(app)
        assert lines_of(app)[-1].rstrip().endswith("Esc Back")
        await press(app, pilot, "G", "k")
        assert "> [ ] en" in screen_text(app)
        await press(app, pilot, "k", "k")
        row = lines_of(app)[line_of(app, "> [ ] 136")]
        assert "1280x720" in row
        assert screen_text(app).isascii()
        await press(app, pilot, "space", "enter")
    assert sent(engine)[0][2] == {"choice": {"name": "136", "format": "136"}}


@pytest.mark.parametrize("text", MIXTURES)
async def test_nothing_of_an_extractor_acts(text: str) -> None:
    """Names of formats, languages, the site and the title are shown and no more."""
    engine = waiting_playlist()
    formats = tuple(replace(one, id=text, ext=text, note=text, protocol=text) for one in FORMATS.formats)
    engine.formats = replace(
        FORMATS, title=text, formats=formats, subtitles=(text,), site=text, notices=(text,), choice=PRESETS[0]
    )
    async with running(engine) as (app, pilot):
        await press(app, pilot, *ENTRY, "m")
        for keys in (["G"], ["space"], ["k"], ["space"]):
            await press(app, pilot, *keys)
            assert_harmless(screen_text(app))
