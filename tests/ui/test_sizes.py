"""The screen at every size, and as a still picture."""

from __future__ import annotations

import pytest

from tests.ui.pilots import lines_of, make_app, running, screen_text, settle
from tests.ui.scene import make_scene
from tui_dl.ui.glyphs import ASCII

SIZES = [(40, 10), (80, 24), (120, 36), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_every_size_shows_row_speed_and_keys(size: tuple[int, int]) -> None:
    """At each size the first row, its percentage and its speed, the total and the way out are there."""
    async with running(make_scene(), size) as (app, _pilot):
        lines = lines_of(app)
        row = next(line for line in lines if "debian-12.7" in line)
        assert "61 %" in row
        assert "41.3 MiB/s" in row
        assert "84.2 MiB/s" in lines[0]
        assert "Quit" in lines[-1]
        assert max(map(len, lines)) <= size[0]


@pytest.mark.parametrize("size", SIZES)
async def test_a_dialog_shows_its_buttons_at_every_size(size: tuple[int, int]) -> None:
    """Whoever opens a dialog can see how to leave it."""
    async with running(make_scene(), size) as (app, pilot):
        for key, word in (("a", "Add (Ctrl+S)"), ("l", "Set for all"), ("X", "Yes (y)"), ("q", "Quit (y)")):
            await pilot.press(key)
            await settle(app, pilot)
            assert word in screen_text(app), key
            await pilot.press("escape")
            await settle(app, pilot)


@pytest.mark.parametrize("width", [100, 104, 107, 110, 114, 117, 118, 130])
async def test_free_space_is_told_where_there_is_room(width: int) -> None:
    """That there is no limit, and half of the graph, give way to it first."""
    async with running(make_scene(), (width, 24)) as (app, _pilot):
        head = lines_of(app)[0]
    assert "78.0 GiB free" in head
    assert "5 at once" in head
    assert ("no limit" in head) is (width >= 117)


@pytest.mark.parametrize("size", [(20, 5), (10, 2), (1, 1), (500, 200)])
async def test_no_size_crashes(size: tuple[int, int]) -> None:
    """Absurd sizes show little, but live."""
    async with running(make_scene(), size) as (app, pilot):
        await pilot.press("enter", "j", "G", "a", "escape", "question_mark")
        await settle(app, pilot)
        assert app.is_running


async def test_a_notice_leaves_the_rows_of_a_low_terminal_alone() -> None:
    """It takes the line of the keys, a newer one its place, and a long one as many rows more as it needs."""
    async with running(make_scene(), (40, 10)) as (app, pilot):
        rows = lines_of(app)[3:9]
        for text in ("Address copied", "Still starting; try again in a moment"):
            app.main.desk.commander.say(text)
            await settle(app, pilot)
        lines = lines_of(app)
        assert lines[3:8] == rows[:5]
        assert "try again in a moment" in "\n".join(lines[8:])
        assert "Address copied" not in "\n".join(lines)
        app.clear_notifications()
        app.main.desk.commander.say("Copied")
        await settle(app, pilot)
        lines = lines_of(app)
        assert lines[3:9] == rows
        assert "Copied" in lines[9]


async def test_resizing_replaces_the_columns() -> None:
    """A window made narrow drops columns, made wide again it has them back."""
    async with running(make_scene()) as (app, pilot):
        heads = []
        for width in (120, 50, 120):
            await pilot.resize_terminal(width, 30)
            await settle(app, pilot)
            heads.append([place.column.key for place in app.main.table.placed])
        assert heads[0] == heads[2]
        assert "bar" not in heads[1]


async def test_every_status_is_told_in_words() -> None:
    """Rows that stand still say why, in place of their speed."""
    async with running(make_scene()) as (app, _pilot):
        text = screen_text(app)
    for words in ("too many requests (429), 2 of 3", "failed: not found (404)", "paused", "length unverified"):
        assert words in text


@pytest.mark.parametrize(
    ("name", "environment"),
    [("calm", {"COLORTERM": "truecolor"}), ("ansi", {}), ("no-color", {"NO_COLOR": "1", "COLORTERM": "truecolor"})],
)
async def test_the_theme_follows_the_terminal(name: str, environment: dict[str, str]) -> None:
    """Only a terminal with many colours, that wants them, gets ours; the others get their own."""
    app = make_app(make_scene(), environment=environment)
    assert app.theme == ("tui-dl-dark" if name == "calm" else "ansi-dark")


async def test_the_cursor_is_seen_without_colours() -> None:
    """With the terminal's own colours the current row is reversed, with none of its parts left out."""
    async with running(make_scene(), environment={}) as (app, _pilot):
        segments = list(app.main.table.render_line(0))
    assert all(segment.style is not None and segment.style.reverse for segment in segments)


async def test_the_ascii_screen_draws_bars() -> None:
    """The plain set draws bars and graph too."""
    async with running(make_scene(), glyphs=ASCII) as (app, _pilot):
        row = next(line for line in lines_of(app) if "ubuntu" in line)
    assert "==" in row
    assert ".." in row
