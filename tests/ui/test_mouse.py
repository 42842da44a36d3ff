"""The same by mouse: rows, tabs, heads, keys, buttons, wheel."""

from __future__ import annotations

import pytest

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import running, settle
from tests.ui.scene import make_scene
from tui_dl.core.commands import CommandName
from tui_dl.core.query import SortKey
from tui_dl.core.status import Tab
from tui_dl.ui.widgets.key_bar import KeyBar
from tui_dl.ui.widgets.line import Line
from tui_dl.ui.widgets.table_head import TableHead
from tui_dl.ui.widgets.tabs import TabLine


def place_of(line: Line, target: str) -> tuple[int, int]:
    """Return where on the widget to click for a target; one more for its padding."""
    x = next(x for x in range(line.size.width) if line.target_at(x) == target)
    return x + line.styles.padding.left, 0


async def test_a_click_moves_the_cursor_and_the_edge_selects() -> None:
    """A click on a row makes it current; on its left edge it is selected too."""
    async with running(make_scene()) as (app, pilot):
        await pilot.click("#table", offset=(10, 4))
        await settle(app, pilot)
        assert app.main.table.cursor == 4
        await pilot.click("#table", offset=(0, 2))
        await settle(app, pilot)
        assert app.main.model.selection.ids == (3,)


async def test_a_double_click_opens_the_details() -> None:
    """Twice on a row shows its details."""
    async with running(make_scene()) as (app, pilot):
        await pilot.click("#table", offset=(10, 0), times=2)
        await settle(app, pilot)
        assert app.main.details.has_class("-shown")


async def test_a_click_on_a_tab_shows_it() -> None:
    """A tab is chosen by its word or its count."""
    async with running(make_scene()) as (app, pilot):
        await pilot.click("#tabs", offset=place_of(app.main.query_one(TabLine), "failed"))
        await settle(app, pilot)
        assert app.main.state.tab is Tab.FAILED


async def test_a_click_on_a_head_sorts() -> None:
    """The head of a column sorts by it."""
    async with running(make_scene()) as (app, pilot):
        await pilot.click("#head", offset=place_of(app.main.query_one(TableHead), "size"))
        await settle(app, pilot)
        assert app.main.state.order is SortKey.SIZE


async def test_a_click_on_a_key_acts() -> None:
    """The keys in the last line are buttons."""
    engine = make_scene()
    async with running(engine) as (app, pilot):
        await pilot.click("#keys", offset=place_of(app.main.query_one(KeyBar), "pause"))
        await settle(app, pilot)
    assert [(one.name, one.ids) for one in engine.commands] == [(CommandName.TOGGLE_PAUSE, (1,))]


async def test_the_add_dialog_works_by_mouse() -> None:
    """Paste, click Add: no key is needed."""
    engine = FakeEngine([make_task(1, "a")])
    async with running(engine) as (app, pilot):
        await pilot.click("#keys", offset=place_of(app.main.query_one(KeyBar), "add"))
        await settle(app, pilot)
        app.screen.query_one("#urls").load_text("https://host.example/new.bin")  # type: ignore[attr-defined]
        await pilot.click("#yes")
        await settle(app, pilot)
    assert [one.name for one in engine.commands] == [CommandName.ADD]


@pytest.mark.parametrize(("page", "words"), [("log", "connection 2 begins"), ("headers", "Content-Length")])
async def test_a_click_turns_the_page_of_the_details(page: str, words: str) -> None:
    """The names of the pages are buttons."""
    async with running(make_scene()) as (app, pilot):
        await pilot.press("enter")
        await settle(app, pilot)
        title = app.main.query_one("#details-title", Line)
        await pilot.click("#details-title", offset=place_of(title, page))
        await settle(app, pilot)
        assert words in app.main.details.plain
