"""Still pictures of the screen: few, for what words cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.ui.media_scene import running_playlist, waiting_playlist
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


@pytest.mark.parametrize(
    ("name", "size", "keys"),
    [
        ("waiting", (100, 16), ("j", "j")),
        ("running", (100, 16), ("j",)),
        ("formats", (80, 24), ("j", "j", "m", "G", "k", "k", "space", "k", "k", "k")),
        ("formats-narrow", (40, 10), ("j", "j", "m")),
    ],
)
def test_picture_of_media(
    name: str, size: tuple[int, int], keys: tuple[str, ...], snap_compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A playlist that is chosen from, one under way, and the picker look as a person approved of."""
    monkeypatch.setattr(MainScreen, "_whole_now", lambda _screen: NOW)
    app = make_app(running_playlist() if name == "running" else waiting_playlist())

    async def act(pilot: Pilot[Any]) -> None:
        await settle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await settle(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=act)
