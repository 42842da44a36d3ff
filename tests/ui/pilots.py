"""The app on a fake engine, ready for keys; and the screen as lines of text."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from textual.css.stylesheet import Stylesheet

from tui_dl.ui.app import TuiDlApp
from tui_dl.ui.glyphs import UNICODE, Glyphs
from tui_dl.ui.start import Start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.css.model import RuleSet
    from textual.pilot import Pilot

    from tests.ui.fake_engine import FakeEngine


def make_app(engine: FakeEngine, *, glyphs: Glyphs = UNICODE, **changes: Any) -> TuiDlApp:
    """Make the app on an engine that is there at once."""

    async def connect() -> FakeEngine:
        return engine

    changes = {"environment": {"COLORTERM": "truecolor"}, "opener": opens_nothing, **changes}
    return TuiDlApp(Start(connect=connect, folder="/downloads", glyphs=glyphs, **changes))


async def opens_nothing(_path: str) -> bool:
    """Stand in for a desktop: no test starts a program of this machine."""
    return False


FRAME_S = 0.02
"""A little more than the time between two updates of Textual's screen."""


async def _turns(*_sleeps: float) -> None:
    """Give the loop some turns. Textual's pilot waits for an idle processor instead, which on a busy one takes long."""
    for _turn in range(10):
        await asyncio.sleep(0)


_parse_css = Stylesheet._parse_rules
_parsed: dict[Any, list[RuleSet]] = {}


def _parsed_once(sheet: Stylesheet, *args: Any, **words: Any) -> list[RuleSet]:
    """Parse the rules of a widget once for all apps of one theme; each app would do so for itself."""
    key = (frozenset(sheet._variables.items()), args, frozenset(words.items()))
    if key not in _parsed:
        _parsed[key] = _parse_css(sheet, *args, **words)
    return _parsed[key]


@asynccontextmanager
async def running(
    engine: FakeEngine, size: tuple[int, int] = (120, 36), **changes: Any
) -> AsyncIterator[tuple[TuiDlApp, Pilot[Any]]]:
    """Run the app until the rows of the first view are shown."""
    app = make_app(engine, **changes)
    with (
        patch("textual.app.wait_for_idle", _turns),
        patch("textual.pilot.wait_for_idle", _turns),
        patch.object(Stylesheet, "_parse_rules", _parsed_once),
    ):
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(app, pilot)
            yield app, pilot


async def settle(app: TuiDlApp, pilot: Pilot[Any]) -> None:
    """Let the viewer answer, then show the engine's present state, as the next tick would."""
    await pilot.pause()
    await pilot.pause(FRAME_S)
    if app.main.port is not None:
        app.main.refresh_from_engine()
    await pilot.pause()
    await pilot.pause(FRAME_S)


def lines_of(app: TuiDlApp) -> list[str]:
    """Return what stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def screen_text(app: TuiDlApp) -> str:
    """Return what stands on the screen."""
    return "\n".join(lines_of(app))


def notices(app: TuiDlApp) -> list[str]:
    """Return the texts of the toasts."""
    return [one.message for one in app._notifications]
