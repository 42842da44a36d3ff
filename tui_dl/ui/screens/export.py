"""The dialog that asks where failures are to be written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_dl.ui.screens.dialog import Dialog, buttons, hint, note, title
from tui_dl.ui.widgets.safe_input import SafeInput

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Button


class ExportDialog(Dialog[str]):
    """Answers with an absolute path of a file that is not there yet."""

    def __init__(self, what: str, folder: str, stem: str) -> None:
        super().__init__()
        self._what = what
        self._folder = folder
        self._proposed = f"failed-{stem}.txt"

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="dialog -wide"):
            yield title(self._what)
            yield hint("Addresses, which can be added again; a name that ends in .csv gives the reasons, too.")
            yield SafeInput(self._proposed, id="path", compact=True)
            yield note(f"in {self._folder}", id="problem")
            yield buttons("Write (Enter)", no="Back (Esc)")

    def on_mount(self) -> None:
        """Let the person type the name over."""
        self.query_one("#path", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it over."""
        event.stop()
        self.action_accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take it over by the button."""
        if event.button.id == "yes":
            event.stop()
            self.action_accept()

    def action_accept(self) -> None:
        """Answer with the path, unless nothing was typed."""
        typed = self.query_one("#path", Input).value.strip()
        if not typed or typed.endswith("/"):
            problem = self.query_one("#problem", Static)
            problem.add_class("-bad")
            problem.update("Name a file")
            return
        self.dismiss(str(Path(self._folder) / Path(typed).expanduser()))
