"""The question on leaving with work under way: whether it goes on behind, or stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_dl.core.ports_session import Leaving
from tui_dl.ui.screens.dialog import Dialog, buttons, note, title

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Button

EXPLANATION = "In the background they need no terminal; tui-dl shows them again. Stopped, they go on at the next start."


class QuitDialog(Dialog[Leaving]):
    """Answers how to leave, and None for staying."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,b,q", "answer('go-on')", "Go on", show=False),
        Binding("s", "answer('stop')", "Stop", show=False),
        Binding("n", "leave", "No", show=False),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question
        """What is asked."""

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -small"):
            yield title(self.question)
            yield note(EXPLANATION)
            yield buttons("In the background (y)", other="Pause and stop (s)", no="Stay (Esc)")

    def action_answer(self, leaving: str) -> None:
        """Answer by a key."""
        self.dismiss(Leaving(leaving))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by a button."""
        if event.button.id in ("yes", "other"):
            event.stop()
            self.dismiss(Leaving.GO_ON if event.button.id == "yes" else Leaving.STOP)
