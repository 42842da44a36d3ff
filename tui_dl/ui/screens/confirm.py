"""A question with yes and no, asked only where something is lost or work stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_dl.ui.screens.dialog import Dialog, buttons, note, title

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Button


class ConfirmDialog(Dialog[bool]):
    """Answers True for yes, and None for anything else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "accept", "Yes", show=False),
        Binding("n", "leave", "No", show=False),
    ]

    def __init__(self, question: str, *, yes: str, explanation: str = "", is_grave: bool = False) -> None:
        super().__init__()
        self.question = question
        """What is asked; sanitised by the one who asks."""
        self._yes = yes
        self._explanation = explanation
        self._is_grave = is_grave

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -small"):
            yield title(self.question)
            if self._explanation:
                yield note(self._explanation)
            yield buttons(f"{self._yes} (y)", is_grave=self._is_grave, no="No (Esc)")

    def action_accept(self) -> None:
        """Answer yes."""
        self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer yes by its button."""
        if event.button.id == "yes":
            event.stop()
            self.action_accept()
