"""The line in which a filter is typed; it is there only while it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from tui_dl.ui.widgets.safe_input import SafeInput

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.widgets import Input

REST_S: Final = 0.15
"""Rest after the last key before rows are filtered."""


class FilterLine(SafeInput):
    """Enter keeps the filter and closes the line, Esc drops it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Drop", show=False),
        Binding("down,up,tab", "close", "Close", show=False),
    ]

    class Typed(Message):
        """Another filter was typed, and the person rests."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line was closed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(placeholder="name, host:WORD, status:WORD", id=id, compact=True)
        self._timer: Timer | None = None

    def open(self, text: str) -> None:
        """Show the line and type there."""
        self.value = text
        self.add_class("-shown")
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter a moment later."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self.has_class("-shown"):
            self._timer = self.set_timer(REST_S, self._tell)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.action_close()

    def action_close(self) -> None:
        """Keep what was typed and close."""
        self._tell()
        self._leave()

    def action_drop(self) -> None:
        """Drop the filter and close."""
        self.value = ""
        self._tell()
        self._leave()

    def _tell(self) -> None:
        self.post_message(self.Typed(self.value))

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self.remove_class("-shown")
        self.post_message(self.Closed())
