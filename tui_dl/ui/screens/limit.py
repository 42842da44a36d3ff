"""The dialog for speed limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Checkbox, Input

from tui_dl.core.errors import UsageError
from tui_dl.core.settings import parse_size
from tui_dl.ui.screens.dialog import Dialog, SafeInput, buttons, note, title

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
            yield note(f"Now: {self._now}. Bytes per second, as 512K or 5M; 0 for no limit.")
            yield SafeInput(placeholder="5M", id="limit", compact=True)
            if self._rows:
                yield Checkbox(f"only {self._rows}".replace("[", "("), id="only", compact=True)
            yield note(id="problem")
            yield buttons("Set (Enter)", no="Back (Esc)")

    def on_mount(self) -> None:
        """Let the person type."""
        self.query_one("#limit", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it over."""
        event.stop()
        self._accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it over by the button."""
        if event.button.id == "yes":
            event.stop()
            self._accept()

    def _accept(self) -> None:
        try:
            bps = parse_size(self.query_one("#limit", Input).value or "0")
        except UsageError as error:
            self.query_one("#problem").add_class("-bad")
            self.query_one("#problem", expect_type=type(note())).update(error.message)
            return
        is_for_rows = any(box.value for box in self.query(Checkbox))
        self.dismiss(LimitChoice(bps, is_for_rows))
