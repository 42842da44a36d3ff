"""All keys, chapter by chapter, from the one tuple of actions."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_dl.ui.action import Group
from tui_dl.ui.key_names import actions_of, keys_text
from tui_dl.ui.screens.dialog import Dialog, hint, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

KEY_CELLS: Final = 10
MOST_CELLS: Final = 60
"""Width assumed before the real one is known."""


class HelpScreen(Dialog[None]):
    """Shows the keys; most keys close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,enter", "leave", "Back", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Show them in two columns where there is room."""
        with Vertical(classes="dialog -help"):
            yield title("Keys")
            with VerticalScroll(id="help-scroll"):
                yield Chapters(Group.DOWNLOADS, Group.QUEUE, Group.SELECT)
                yield Chapters(Group.VIEW, Group.MOVE, Group.PROGRAM)
            yield hint("Mouse: click a row, a column's head, a tab or a key in the last line. Esc closes this.")

    def on_mount(self) -> None:
        """Let the keys scroll."""
        self.query_one("#help-scroll").focus()

    def action_scroll(self, rows: int) -> None:
        """Scroll the list."""
        self.query_one("#help-scroll", VerticalScroll).scroll_relative(y=rows, animate=False)


class Chapters(Static):
    """Some chapters of the help, wrapped to the width there is so that explanations stand in a column."""

    def __init__(self, *groups: Group) -> None:
        super().__init__(_text(groups, MOST_CELLS), classes="help-column", markup=False)
        self._groups = groups
        self._width = MOST_CELLS

    def on_resize(self) -> None:
        """Wrap anew."""
        if self.size.width != self._width:
            self._width = self.size.width
            self.update(_text(self._groups, self._width))


def _text(groups: Sequence[Group], width: int) -> Content:
    lines: list[Content] = []
    for group in groups:
        lines.append(Content.styled(group.value, "bold $text-accent"))
        for action in actions_of(group):
            wrapped = wrap(action.explanation().rstrip("."), max(12, width - KEY_CELLS)) or [""]
            lines.append(Content.styled(f"{keys_text(action):<{KEY_CELLS}}", "$text-primary") + Content(wrapped[0]))
            lines.extend(Content(" " * KEY_CELLS + more) for more in wrapped[1:])
        lines.append(Content(""))
    return Content("\n").join(lines[:-1])
