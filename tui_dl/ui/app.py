"""The app: themes, the style sheet, and the one main screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.theme import Theme
from textual.worker import WorkerFailed

from tui_dl.core.errors import TuiDlError
from tui_dl.core.ports_session import Leaving
from tui_dl.ui.screens.main import MainScreen
from tui_dl.ui.stylesheet import stylesheet_path
from tui_dl.ui.terminal.screen_output import CalmOutput
from tui_dl.ui.widgets.plain_scrollbar import use_plain_scrollbars

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui_dl.ui.start import Start

TWICE_WITHIN_S: Final = 2.0
"""A second Ctrl+C within this ends at once."""

DARK: Final = Theme(
    name="tui-dl-dark",
    primary="#6cb6eb",
    secondary="#8aadc4",
    accent="#7fd1c7",
    success="#8fbf7f",
    warning="#e0b45c",
    error="#e5787c",
    foreground="#d5dae1",
    background="#14171c",
    surface="#1a1e25",
    panel="#232932",
    dark=True,
)
LIGHT: Final = Theme(
    name="tui-dl-light",
    primary="#1f6fa8",
    secondary="#4b6b82",
    accent="#0f7d72",
    success="#3f7d32",
    warning="#8f6400",
    error="#b3363c",
    foreground="#2a2f36",
    background="#fafbfc",
    surface="#f0f2f5",
    panel="#e3e7ec",
    dark=False,
)
POOR_THEME: Final = "ansi-dark"
"""For 16 colours and NO_COLOR: the terminal's own colours, so that everything stays readable."""


class TuiDlApp(CalmOutput, inherit_bindings=False):
    """Thin: what happens on the screen is the main screen's and the desk's matter."""

    CSS_PATH = stylesheet_path()
    ENABLE_COMMAND_PALETTE = False
    TITLE = "tui-dl"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True),
        Binding("ctrl+z", "stand_aside", "Shell", show=False),
    ]

    def __init__(self, start: Start, *, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        use_plain_scrollbars()
        self.main = MainScreen(start)
        """The screen below all dialogs."""
        self.failure: BaseException | None = None
        """Why the engine could not be fetched or a worker ended, if so."""
        self._start = start
        self._interrupted_at = float("-inf")
        self.animation_level = "none"
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = self._first_theme()
        self.set_class(start.glyphs.is_ascii, "-ascii")

    def _first_theme(self) -> str:
        wanted = self._start.settings.theme
        if wanted in self.available_themes:
            return wanted
        environment = self._start.environment
        if "NO_COLOR" in environment or not _has_many_colors(environment.get("TERM", ""), environment):
            return POOR_THEME
        return DARK.name

    def get_default_screen(self) -> MainScreen:
        """Begin with the main screen, dressed for the terminal's size."""
        self.main.expect_size(self.size)
        return self.main

    async def on_event(self, event: events.Event) -> None:
        """Act on a key of the table as soon as it comes.

        On Textual's way a key visits the table and the screen first, and what is typed after `/` meanwhile would be
        taken for keys of the table instead of letters for the filter.
        """
        if isinstance(event, events.Key) and not event.is_forwarded and self._has_known_textual():
            self.app_focus = True
            self.main.notifier.take_key()
            is_for_table = self.screen is self.main and self.focused is self.main.table
            if is_for_table and await self._check_bindings(event.key):
                return
        await super().on_event(event)

    def on_app_focus(self) -> None:
        """Tell the main screen, which Textual does not."""
        self.main.take_focus(has_focus=True)

    def on_app_blur(self) -> None:
        """Tell the main screen."""
        self.main.take_focus(has_focus=False)

    def on_main_screen_aside(self, event: MainScreen.Aside) -> None:
        """Let the terminal tell the person."""
        self.write_aside(event.sequence)

    def refresh_css(self, animate: bool = True) -> None:
        """Read the style sheet for a new theme; before there is a screen the colours are noted alone."""
        if self.main.is_attached:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())
            self.stylesheet.update(self)

    def action_interrupt(self) -> None:
        """Ask as `q` does; twice within two seconds leaves at once."""
        from tui_dl.ui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - keeps the first paint early
        from tui_dl.ui.screens.quit import QuitDialog  # noqa: PLC0415 - as above

        now = time.monotonic()
        if now - self._interrupted_at <= TWICE_WITHIN_S:
            self.exit(Leaving.GO_ON)
            return
        self._interrupted_at = now
        if not isinstance(self.screen, (ConfirmDialog, QuitDialog)):
            self.main.desk.quit()

    def action_stand_aside(self) -> None:
        """Give the terminal to the shell for a while (Ctrl+Z), where downloads go on meanwhile."""
        if (owner := self._start.owner) is not None:
            owner.wants_aside()

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for the one who runs the app, instead of Textual's traceback on the person's terminal."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if self.failure is None:
            self.failure = cause
        if self.is_headless and not isinstance(cause, TuiDlError):
            super()._handle_exception(error)  # a test shall see it
        else:
            self.exit(return_code=1)


def _has_many_colors(term: str, environment: Any) -> bool:
    """Whether the terminal shows 256 colours or more."""
    return bool(environment.get("COLORTERM")) or "256color" in term or "direct" in term or "kitty" in term
