"""How the screen begins: paint first, then the engine; and what happens when it does not come."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from textual.color import Color
from textual.css.parse import parse
from textual.css.stylesheet import Stylesheet

from tests.ui.fake_engine import FakeEngine, make_task
from tests.ui.pilots import make_app, running, screen_text, settle
from tests.ui.scene import make_scene
from tui_dl.core.commands import CommandName
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.settings import Settings
from tui_dl.ui.app import DARK, LIGHT, TuiDlApp
from tui_dl.ui.loop import new_loop
from tui_dl.ui.start import Start
from tui_dl.ui.stylesheet import stylesheet_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from textual.dom import DOMNode


async def test_the_first_page_is_painted_before_the_engine_is_there() -> None:
    """Rows handed over at the start are shown while the engine is still being fetched; keys say so."""
    engine, gate = make_scene(), asyncio.Event()

    async def connect() -> FakeEngine:
        await gate.wait()
        return engine

    app = TuiDlApp(Start(connect=connect, folder="/downloads", first_rows=list(engine.tasks.values())[:20]))
    async with app.run_test(size=(100, 20), notifications=True) as pilot:
        await pilot.pause()
        assert "ubuntu-24.04.1" in screen_text(app)
        await pilot.press("p")
        await pilot.pause()
        assert "Still starting" in screen_text(app)
        gate.set()
        await settle(app, pilot)
        assert "84.2 MiB/s" in screen_text(app)
    assert engine.commands == []


async def test_what_is_added_before_the_engine_is_there_is_not_lost() -> None:
    """It is added once it is; a person who pastes at once types it no second time."""
    engine, gate = FakeEngine(), asyncio.Event()

    async def connect() -> FakeEngine:
        await gate.wait()
        return engine

    app = TuiDlApp(Start(connect=connect, folder="/downloads"))
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await pilot.press("a", *"http://a.example/f", "ctrl+s")
        while "it is added in a moment" not in screen_text(app):
            await pilot.pause(0.02)
        gate.set()
        while not engine.commands:
            await pilot.pause(0.02)
    assert [(one.name, one.arguments["urls"]) for one in engine.commands] == [(CommandName.ADD, ["http://a.example/f"])]


async def test_an_engine_that_fails_ends_the_screen_with_its_error() -> None:
    """A journal that is busy is reported by the one who runs the screen, not as a traceback on it."""

    async def connect() -> FakeEngine:
        raise FileSystemError(Reason.JOURNAL_BUSY)

    app = TuiDlApp(Start(connect=connect, folder="/downloads"))
    async with app.run_test() as pilot:
        await pilot.pause()
    assert isinstance(app.failure, FileSystemError)


async def test_the_engine_loses_its_listener_when_the_screen_ends() -> None:
    """A screen that was left does not listen on."""
    engine = FakeEngine([make_task(1, "a")])
    app = make_app(engine)
    async with app.run_test() as pilot:
        await settle(app, pilot)
        assert len(engine._listeners) == 1
    assert engine._listeners == []


def test_a_loop_keeps_its_task_factory() -> None:
    """Neither loop takes an eager task factory: it would change the engine's order and crash uvloop."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        loop = runner.get_loop()
        loop.set_task_factory(lambda *_arguments: pytest.fail("the factory was used"))
        assert loop.get_task_factory() is None
        runner.run(asyncio.sleep(0))


def test_the_screen_runs_on_this_loop() -> None:
    """The app works on the loop that engine and screen share."""

    async def show() -> str:
        app = make_app(make_scene())
        async with app.run_test(size=(100, 20)) as pilot:
            await settle(app, pilot)
            return screen_text(app)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert "debian-12.7.0" in runner.run(show())


def test_the_style_sheet_is_found_in_a_wheel_and_in_a_checkout(tmp_path: Path) -> None:
    """Beside the package wins; above it is the checkout's."""
    package = tmp_path / "tui_dl"
    package.mkdir()
    (tmp_path / "styles.tcss").touch()
    assert stylesheet_path(package) == tmp_path / "styles.tcss"
    (package / "styles.tcss").touch()
    assert stylesheet_path(package) == package / "styles.tcss"


def test_a_lost_style_sheet_is_named(tmp_path: Path) -> None:
    """An installation without it says so."""
    with pytest.raises(FileNotFoundError, match=r"styles\.tcss"):
        stylesheet_path(tmp_path / "tui_dl")


def test_the_screen_imports_no_engine() -> None:
    """Until it is connected the screen has imported neither aiohttp nor sqlite3."""
    code = "import sys, tui_dl.ui.app; sys.exit(bool({'aiohttp', 'sqlite3', 'uvloop'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_the_style_sheet_is_read_once_with_the_colours_of_the_theme() -> None:
    """Reading it is a good part of the way to the first frame, and the theme is known before."""
    with patch("textual.css.stylesheet.parse", wraps=parse) as reading:
        async with running(FakeEngine(()), settings=Settings(theme="tui-dl-light")) as (app, pilot):
            assert sum("styles.tcss" in str(call.args[2]) for call in reading.call_args_list) == 1
            light = Color.parse(str(LIGHT.background))
            assert (app.styles.background, app.main.styles.background) == (light, light)
            app.theme = DARK.name
            await settle(app, pilot)
            assert app.main.styles.background == Color.parse(str(DARK.background))


@pytest.mark.parametrize("size", [(40, 10), (120, 36)])
async def test_styles_are_computed_once_and_are_those_of_a_second_time(size: tuple[int, int]) -> None:
    """Resuming and the first size each computed those of all widgets again: a tenth of the way to the first frame."""
    passes: list[int] = []
    update = Stylesheet.update_nodes

    def count(sheet: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        found = list(nodes)
        passes.append(len(found))
        update(sheet, found, animate)

    with patch.object(Stylesheet, "update_nodes", count):
        async with running(make_scene(), size=size) as (app, _pilot):
            assert max(passes) < len(list(app.main.walk_children())) / 2
            first = _rules(app)
            app.main.update_node_styles(animate=False)
            assert _rules(app) == first
            assert app.main.has_class("-narrow") is (size[0] < 64)


def _rules(app: TuiDlApp) -> list[object]:
    nodes = list(app.main.walk_children(with_self=True))
    styles = [style for node in nodes for style in (node.styles.base, *_component_styles(node))]
    return [style.get_rules() for style in styles]


def _component_styles(node: DOMNode) -> list[Any]:
    return [styles.base for _name, styles in sorted(node._component_styles.items())]
