"""A list of lines with a cursor, of any length: only the visible ones are made and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_dl.ui.widgets.ink import ink
from tui_dl.ui.widgets.line import Piece, Tone, cells_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style
    from textual import events

GUTTER_CELLS = 2
MARGIN_CELLS = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: pieces at the left, which give way, and at the right, which stay."""

    left: Sequence[Piece]
    """Cut where there is no room."""
    right: Sequence[Piece] = ()
    """Shown whole."""


class PickList(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows entries that `draw(index, width)` makes; Enter or a double click chooses one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"pick-list--{tone}" for tone in Tone), "pick-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "Down", show=False),
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Screen down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Screen up", show=False),
        Binding("home,g", "go_to(0)", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another entry."""

    class Chosen(Message):
        """The entry under the cursor was chosen."""

    class EdgeClicked(Message):
        """The left edge of the current entry was clicked."""

    def __init__(
        self,
        draw: Callable[[int, int], Entry],
        *,
        mark: str,
        ellipsis: str,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._mark, self._ellipsis = mark, ellipsis
        self._count = 0
        self.cursor = 0
        """Index of the current entry; 0 also while there is none."""
        self.can_stop: Callable[[int], bool] = lambda _index: True
        """Whether the cursor may stand on an entry; the first one must be such a one."""
        self.edge_cells = 0
        """Cells of an entry's left that are clicked by themselves."""

    def show_count(self, count: int, cursor: int | None = None) -> None:
        """Show so many entries anew, the cursor where it was or at `cursor`."""
        self._count = count
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self.virtual_size = Size(self.size.width, count)
        self._reveal()
        self.refresh()

    def on_resize(self) -> None:
        """Fit the width."""
        self.virtual_size = Size(self.size.width, self._count)
        self._reveal()

    def action_step(self, rows: int) -> None:
        """Move the cursor."""
        self.action_go_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move by a screenful."""
        self.action_go_to(self.cursor + pages * max(1, self.size.height - 1))

    def action_last(self) -> None:
        """Move to the end."""
        self.action_go_to(self._count - 1)

    def action_go_to(self, index: int) -> None:
        """Put the cursor on an entry, clamped to those there are."""
        index = max(0, min(index, self._count - 1))
        step = 1 if index > self.cursor else -1
        while 0 <= index < self._count and not self.can_stop(index):
            index += step
        if index != self.cursor and 0 <= index < self._count:
            self.cursor = index
            self._reveal()
            self.refresh()
            self.post_message(self.Moved())

    def action_choose(self) -> None:
        """Choose the current entry."""
        if self._count:
            self.post_message(self.Chosen())

    def _reveal(self) -> None:
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self.size.height > top:
            self.scroll_to(y=self.cursor - self.size.height + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        """Go to the entry; choose it by a second click."""
        offset = event.get_content_offset(self)
        if offset is None or (index := round(self.scroll_y) + offset.y) >= self._count:
            return
        if not self.can_stop(index):
            return
        if offset.x < GUTTER_CELLS + self.edge_cells and self.edge_cells:
            self.action_go_to(index)
            self.post_message(self.EdgeClicked())
            return
        if event.chain > 1:
            self.action_choose()
        self.action_go_to(index)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        index, width = round(self.scroll_y) + y, self.size.width
        is_cursor = index == self.cursor and index < self._count
        base = self._style(Tone.PLAIN, is_cursor=is_cursor)
        if index >= self._count:
            return Strip.blank(width, base)
        room = max(1, width - GUTTER_CELLS - MARGIN_CELLS)
        entry = self._draw(index, room)
        right = entry.right if cells_of(entry.right) < room else ()
        segments = [Segment(f"{self._mark if is_cursor else ' '} ", self._style(Tone.ACCENT, is_cursor=is_cursor))]
        left_room = room - cells_of(right)
        for piece in entry.left:
            text = piece.text
            if piece.cells > left_room:
                text = set_cell_size(text, left_room - 1) + self._ellipsis if left_room > 1 else " " * left_room
            segments.append(Segment(text, self._style(piece.tone, is_cursor=is_cursor)))
            left_room -= cell_len(text)
            if not left_room:
                break
        segments.append(Segment(" " * left_room, base))
        segments += [Segment(piece.text, self._style(piece.tone, is_cursor=is_cursor)) for piece in right]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, tone: Tone, *, is_cursor: bool) -> Style:
        style = self.rich_style
        if is_cursor:
            style += self.get_component_rich_style("pick-list--cursor", partial=True)
        if tone is not Tone.PLAIN and not style.reverse:  # colours on a reversed row would become its ground
            style += ink(self, f"pick-list--{tone}")
        return style
