"""The dialog for speed limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.timetable import limit_value
from tui_dl.ui.screens.dialog import Dialog, buttons, hint, note, title
from tui_dl.ui.widgets.safe_input import SafeInput

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Button


@dataclass(frozen=True, slots=True)
class LimitChoice:
    """What was chosen."""

    limit: int | str
    """Bytes per second, 0 for no limit, or the text of a timetable."""
    is_for_rows: bool = False
    """Whether it is for the rows meant instead of all downloads."""
    is_for_good: bool = False
    """Whether it is instead of the timetable that is in force, rather than until its next switch."""


class LimitDialog(Dialog[LimitChoice]):
    """Asks for a limit."""

    def __init__(self, *, now: str, rows: str, until: str) -> None:
        """`until` is when the timetable in force changes the limit, empty where there is none."""
        super().__init__()
        self._now = now
        self._rows = rows
        self._until = until

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -small"):
            yield title("Speed limit")
            yield hint(f"Now: {self._now}")
            yield hint("512K, 5M, 0 for no limit, or a timetable: 08:00,512K 23:00,off")
            yield SafeInput(placeholder="5M", id="limit", compact=True)
            yield note(id="problem")
            yield buttons(
                f"Until {self._until} (Enter)" if self._until else "Set for all (Enter)",
                other=f"Only {self._rows}" if self._rows else "",
                third="For good" if self._until else "",
                no="Back (Esc)",
            )

    def on_mount(self) -> None:
        """Let the person type."""
        self.query_one("#limit", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it over."""
        event.stop()
        self._accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it over by a button."""
        if event.button.id in ("yes", "other", "third"):
            event.stop()
            self._accept(is_for_rows=event.button.id == "other", is_for_good=event.button.id == "third")

    def _accept(self, *, is_for_rows: bool = False, is_for_good: bool = False) -> None:
        try:
            limit = limit_value(self.query_one("#limit", Input).value or "0")
        except UsageError as error:
            self._refuse(error.message)
            return
        if is_for_rows and isinstance(limit, str):
            self._refuse("a timetable is for all downloads; a single one takes a plain limit")
        else:
            self.dismiss(LimitChoice(limit, is_for_rows, is_for_good))

    def _refuse(self, why: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.add_class("-bad")
        problem.update(display_text(why))
