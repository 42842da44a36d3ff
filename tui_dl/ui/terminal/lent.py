"""A screen on a terminal that was lent: how the one who lent it steers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.ports_session import Leaving
from tui_dl.ui.terminal.driver import TerminalDriver

if TYPE_CHECKING:
    from tui_dl.ui.terminal.screen_output import CalmOutput


class LentScreen:
    """Fulfils `core.ports_session.ShownScreen`."""

    def __init__(self, app: CalmOutput) -> None:
        self._app = app

    @property
    def _driver(self) -> TerminalDriver | None:
        driver = self._app._driver  # noqa: SLF001 - no public door
        return driver if isinstance(driver, TerminalDriver) else None

    def resized(self) -> None:
        """Fill the window, which has another size."""
        self._app.terminal_resized()

    async def stand_aside(self) -> None:
        """Give the terminal back for a while; the screen draws into the void meanwhile."""
        if (driver := self._driver) is not None and driver.is_taken:
            driver.stop_application_mode()
            await driver.drained()
            driver.close_if_left()  # it may have come back meanwhile

    def come_back(self) -> None:
        """Take the terminal again and draw everything."""
        if (driver := self._driver) is not None and not driver.is_taken:
            driver.resume_application_mode()

    def leave(self) -> None:
        """End."""
        self._app.exit(Leaving.LOST)
