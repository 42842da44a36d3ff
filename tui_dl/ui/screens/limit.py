"""The dialog for speed limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.sizes import parse_size
from tui_dl.ui.screens.dialog import Dialog, buttons, hint, note, title
from tui_dl.ui.widgets.safe_input import SafeInput

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Button


@dataclass(frozen=True, slots=True)
class LimitChoice:
    """What was chosen."""

    bps: int
    """Bytes per second, 0 for no limit."""
    is_for_rows: bool
    """Whether it is for the rows meant instead of all downloads."""


class LimitDialog(Dialog[LimitChoice]):
    """Asks for a limit."""

    def __init__(self, *, now: str, rows: str) -> None:
        super().__init__()
        self._now = now
        self._rows = rows

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -small"):
            yield title("Speed limit")
            yield hint(f"Now: {self._now}. Bytes per second, as 512K or 5M; 0 for no limit.")
            yield SafeInput(placeholder="5M", id="limit", compact=True)
            yield note(id="problem")
            yield buttons("Set for all (Enter)", other=f"Only {self._rows}" if self._rows else "", no="Back (Esc)")

    def on_mount(self) -> None:
        """Let the person type."""
        self.query_one("#limit", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it over."""
        event.stop()
        self._accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it over by a button."""
        if event.button.id in ("yes", "other"):
            event.stop()
            self._accept(is_for_rows=event.button.id == "other")

    def _accept(self, *, is_for_rows: bool = False) -> None:
        try:
            bps = parse_size(self.query_one("#limit", Input).value or "0")
        except UsageError as error:
            problem = self.query_one("#problem", Static)
            problem.add_class("-bad")
            problem.update(display_text(error.message))
            return
        self.dismiss(LimitChoice(bps, is_for_rows))
