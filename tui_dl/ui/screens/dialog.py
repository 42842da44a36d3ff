"""What all dialogs share: a small panel in the middle, a title, text that is never markup."""

from __future__ import annotations

from typing import ClassVar, Final, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui_dl.ui.breakpoints import BREAKPOINTS_X, BREAKPOINTS_Y

Answer = TypeVar("Answer")
_IN_ONE_LINE: Final = 2
"""Buttons that fit beside each other whatever their labels; more stand in columns."""


class Dialog(ModalScreen[Answer]):
    """A question to the person; Esc leaves it without an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back", show=False)]
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS_X
    VERTICAL_BREAKPOINTS = BREAKPOINTS_Y

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Leave by the button for it; the others are each dialog's own."""
        if event.button.id == "leave":
            event.stop()
            self.dismiss(None)


def title(text: str) -> Static:
    """Return a dialog's first line."""
    return Static(text, classes="dialog-title", markup=False)


def note(text: str = "", *, id: str | None = None) -> Static:  # noqa: A002 - Textual's name
    """Return a quiet line."""
    return Static(text, classes="dialog-note", markup=False, id=id)


def hint(text: str) -> Static:
    """Return a quiet line that is left out where the terminal is low."""
    return Static(text, classes="dialog-note dialog-hint", markup=False)


def buttons(yes: str, *, is_grave: bool = False, other: str = "", third: str = "", no: str = "Back") -> Horizontal:
    """Return the row of buttons: `yes`, `other` and `third` if there are more ways, `leave`; labels are no markup."""
    row = [Button(Content(yes), id="yes", variant="error" if is_grave else "primary", compact=True)]
    if other:
        row.append(Button(Content(other), id="other", compact=True))
    if third:
        row.append(Button(Content(third), id="third", compact=True))
    row.append(Button(Content(no), id="leave", compact=True))
    return Horizontal(*row, classes="dialog-buttons -many" if len(row) > _IN_ONE_LINE else "dialog-buttons")
