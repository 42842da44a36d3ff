"""Still pictures of the screen: few, for what words cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.ui.pilots import make_app, settle
from tests.ui.scene import make_scene
from tui_dl.ui import details_text
from tui_dl.ui.glyphs import ASCII, UNICODE
from tui_dl.ui.screens.main import MainScreen

if TYPE_CHECKING:
    from textual.pilot import Pilot

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        ("table", (120, 36), ()),
        ("details", (80, 24), ("enter",)),
        ("narrow", (40, 10), ()),
        ("ascii", (80, 24), ("enter", "tab")),
    ],
)
def test_picture(
    name: str, size: tuple[int, int], keys: tuple[str, ...], snap_compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen looks as it did when a person last approved of it."""
    monkeypatch.setattr(MainScreen, "_whole_now", lambda _screen: NOW)
    monkeypatch.setattr(details_text, "_clock", lambda *_arguments, **_options: "14:02")
    app = make_app(make_scene(), glyphs=ASCII if name == "ascii" else UNICODE)

    async def act(pilot: Pilot[Any]) -> None:
        await settle(app, pilot)
        await pilot.press(*keys)
        await settle(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=act)
