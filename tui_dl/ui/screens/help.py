"""All keys, chapter by chapter, from the one tuple of actions."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_dl.ui.action import Group
from tui_dl.ui.bindings import textual_name, with_bindings
from tui_dl.ui.keymap import action_named, actions_of
from tui_dl.ui.screens.dialog import Dialog, hint, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui_dl.ui.keymap import Keymap

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

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap
        own = keymap.keys_of(action_named("help"))
        keys = (Binding(textual_name(key), "leave", "Back", show=False) for key in own)
        self._bindings = with_bindings(self._bindings, BindingsMap(keys))

    def compose(self) -> ComposeResult:
        """Show them in two columns where there is room."""
        with Vertical(classes="dialog -help"):
            yield title("Keys")
            with VerticalScroll(id="help-scroll"):
                yield Chapters(self._keymap, Group.DOWNLOADS, Group.QUEUE, Group.TYPED)
                yield Chapters(self._keymap, Group.SELECT, Group.VIEW, Group.MOVE, Group.PROGRAM)
            yield hint(
                f"After {self._keymap.first('prompt')} each is typed by its name, with ids or a filter:"
                " pause host:x, retry status:failed, limit 5M. Tab completes, Up brings back."
            )
            yield hint("Mouse: click a row, a column's head, a tab or a key in the last line. Esc closes this.")

    def on_mount(self) -> None:
        """Let the keys scroll."""
        self.query_one("#help-scroll").focus()

    def action_scroll(self, rows: int) -> None:
        """Scroll the list."""
        self.query_one("#help-scroll", VerticalScroll).scroll_relative(y=rows, animate=False)


class Chapters(Static):
    """Some chapters of the help, wrapped to the width there is so that explanations stand in a column."""

    def __init__(self, keymap: Keymap, *groups: Group) -> None:
        super().__init__(_text(keymap, groups, MOST_CELLS), classes="help-column", markup=False)
        self._groups = groups
        self._keymap = keymap
        self._width = MOST_CELLS

    def on_resize(self) -> None:
        """Wrap anew."""
        if self.size.width != self._width:
            self._width = self.size.width
            self.update(_text(self._keymap, self._groups, self._width))


def _text(keymap: Keymap, groups: Sequence[Group], width: int) -> Content:
    lines: list[Content] = []
    for group in groups:
        lines.append(Content.styled(group.value, "bold $text-accent"))
        cells = max(KEY_CELLS, *(len(keymap.text_of(action)) + 1 for action in actions_of(group)))
        for action in actions_of(group):
            wrapped = wrap(action.explanation().rstrip("."), max(12, width - cells)) or [""]
            lines.append(Content.styled(f"{keymap.text_of(action):<{cells}}", "$text-primary") + Content(wrapped[0]))
            lines.extend(Content(" " * cells + more) for more in wrapped[1:])
        lines.append(Content(""))
    return Content("\n").join(lines[:-1])
