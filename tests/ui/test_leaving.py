"""Leaving a screen whose terminal was lent: detach, quit with work under way, Ctrl+Z, Ctrl+C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ui.pilots import running, screen_text, settle
from tests.ui.scene import make_scene
from tui_dl.core.ports_session import Leaving, ShownScreen
from tui_dl.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence


class FakeOwner:
    """Whoever lent the terminal."""

    def __init__(self) -> None:
        self.asides = 0

    def has_shown(self, screen: ShownScreen) -> None:
        """Take note."""

    def wants_aside(self) -> None:
        """Count."""
        self.asides += 1


@pytest.mark.parametrize(
    ("keys", "background", "leaving"),
    [
        (["d"], "ask", Leaving.GO_ON),
        (["q", "y"], "ask", Leaving.GO_ON),
        (["q", "enter"], "ask", Leaving.GO_ON),
        (["q", "s"], "ask", Leaving.STOP),
        (["q", "tab", "enter"], "ask", Leaving.STOP),
        (["q", "escape"], "ask", None),
        (["q"], "true", Leaving.GO_ON),
        (["ctrl+c", "ctrl+c"], "ask", Leaving.GO_ON),
        (["ctrl+c", "s"], "ask", Leaving.STOP),
    ],
)
async def test_each_way_of_leaving(keys: Sequence[str], background: str, leaving: Leaving | None) -> None:
    """With downloads under way: `q` asks unless told otherwise, `d` does not, and Esc stays."""
    settings = Settings(background=background)
    async with running(make_scene(), owner=FakeOwner(), settings=settings) as (app, pilot):
        await pilot.press(*keys)
        await settle(app, pilot)
        assert app.return_value is leaving


async def test_ctrl_z_asks_for_the_shell_and_the_keys_say_that_one_can_detach() -> None:
    """Only where downloads go on without the screen; in the foreground the key for it explains itself."""
    owner = FakeOwner()
    async with running(make_scene(), owner=owner) as (app, pilot):
        assert "d Detach" in screen_text(app)
        await pilot.press("ctrl+z")
        assert owner.asides == 1
    async with running(make_scene()) as (app, pilot):
        assert "Detach" not in screen_text(app)
        await pilot.press("ctrl+z", "d")
        await settle(app, pilot)
        assert "There is no background here" in screen_text(app)
        assert app.return_value is None
