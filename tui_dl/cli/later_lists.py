"""The lists of a screen that was started with none: what reads them is loaded once somebody names one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.cli.screen_lists import ScreenLists
    from tui_dl.cli.settings_file import EffectiveSettings
    from tui_dl.core.ports_lists import ListAdd, ListPreview
    from tui_dl.disk.locations import Locations
    from tui_dl.engine.engine import AsyncDownloadEngine


class LaterLists:
    """Fulfils `core.ports_lists.ListPort` with the settings that the screen was started with."""

    def __init__(
        self, effective: EffectiveSettings, locations: Locations, running: Callable[[], AsyncDownloadEngine | None]
    ) -> None:
        """Take what says which engine runs: None until it is there."""
        self._effective = effective
        self._locations = locations
        self._running = running

    async def preview(self, path: str, tell: Callable[[int], None]) -> ListPreview:
        """Read all of a list and say what is in it."""
        return await self._lists().preview(path, tell)

    async def add(self, wish: ListAdd, tell: Callable[[int], None]) -> ListPreview:
        """Add a list to the queue."""
        return await self._lists().add(wish, tell)

    def _lists(self) -> ScreenLists:
        from tui_dl.cli.order import read_order  # noqa: PLC0415  # most screens name no list
        from tui_dl.cli.screen_lists import ScreenLists  # noqa: PLC0415  # as above

        order = read_order({}, locations=self._locations, environment={}, folder=Path("/"))
        return ScreenLists(replace(order, effective=self._effective), self._running)
