"""The table of downloads: draws the visible rows of a model of any length, and only those that look different."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_dl.ui.action import Motion
from tui_dl.ui.columns import GUTTER_CELLS, Placed, cells_of_row, layout
from tui_dl.ui.media_text import Spot, spot_at
from tui_dl.ui.row import Role
from tui_dl.ui.widgets.ink import ink

if TYPE_CHECKING:
    from array import array

    from rich.style import Style
    from textual import events

    from tui_dl.ui.row import Look, Row
    from tui_dl.ui.row_model import RowModel

WHEEL_ROWS = 3
MARGIN_CELLS = 1
"""Kept free at the right edge, for the scrollbar: columns stay where they are when it comes and goes."""

Cell = tuple[str, Role]


class TaskTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows with a cursor. Keys belong to the main screen, which moves the cursor through `move()`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"task-table--{role}" for role in Role),
        "task-table--cursor",
        "task-table--selected",
    }

    class Looked(Message):
        """Other rows are visible now: their records may have to be fetched."""

        def __init__(self, first: int, last: int) -> None:
            super().__init__()
            self.first = first
            self.last = last

    class CursorMoved(Message):
        """The cursor stands on another row."""

    class Relaid(Message):
        """The columns stand elsewhere."""

    class DoubleClicked(Message):
        """A row was clicked twice."""

    class EdgeClicked(Message):
        """The left edge of the current row was clicked: select it or let it go."""

    class SpotClicked(Message):
        """A part of the current row's name was clicked that acts by itself."""

        def __init__(self, spot: Spot) -> None:
            super().__init__()
            self.spot = spot

    def __init__(self, model: RowModel, look: Look, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._model = model
        self._look = look
        self.cursor = 0
        """Index of the current row; 0 also while there is none."""
        self.placed: tuple[Placed, ...] = ()
        """Columns and where they stand."""
        self._height = 0
        self._lines: dict[int, tuple[object, Strip]] = {}
        self._styles: dict[tuple[Role | None, bool, bool], Style] = {}

    @property
    def current_id(self) -> int | None:
        """Id of the current row, None while there is none."""
        return self._model.id_at(self.cursor) if self.cursor < len(self._model) else None

    @property
    def window(self) -> tuple[int, int]:
        """Indices of the first and the last visible row."""
        top = round(self.scroll_y)
        return top, top + max(0, self.size.height - 1)

    def on_resize(self) -> None:
        """Place the columns anew, and keep the current row in sight if it was."""
        was_seen = 0 <= self.cursor - round(self.scroll_y) < self._height
        self._height = self.size.height
        self._relay()
        if was_seen:
            self._reveal()

    def notify_style_update(self) -> None:
        """Forget styles of the old theme."""
        super().notify_style_update()
        self._styles.clear()
        self._lines.clear()

    def _relay(self) -> None:
        width = self.size.width
        placed = layout(max(1, width - MARGIN_CELLS))
        self.virtual_size = Size(width, len(self._model))
        if placed != self.placed:
            self.placed = placed
            self._lines.clear()
            self.refresh()
            self.post_message(self.Relaid())
        self._tell_visible()

    def show_view(self, ids: array[int], *, is_far: bool, is_whole: bool = True) -> None:
        """Show another view; the cursor stays on its row, which is searched everywhere only if `is_far`.

        Of a view that is not whole yet the first rows are shown, from the top if the cursor's is not among them.
        """
        current, offset = self.current_id, self.cursor - round(self.scroll_y)
        self._model.replace(ids)
        place = None if current is None else self._model.place_of(current, self.cursor, is_far=is_far)
        if place is None and not is_whole:
            place = offset = 0
        self.cursor = max(0, min(self.cursor if place is None else place, len(ids) - 1))
        if self.virtual_size.height != len(ids):
            self.virtual_size = Size(self.size.width, len(ids))
        if place is not None:
            self.scroll_to(y=max(0, self.cursor - offset), animate=False)
        self._reveal()
        self.redraw_changed()
        self._tell_visible()
        self.post_message(self.CursorMoved())

    def show_look(self, look: Look) -> None:
        """Draw with other units, glyphs or time from now on."""
        self._look = look

    def redraw_changed(self) -> None:
        """Refresh the visible rows that look different from what is on the screen."""
        changed = [
            Region(0, y, self.size.width, 1)
            for y in range(self.size.height)
            if (line := self._lines.get(y)) is None or line[0] != self._face(y)
        ]
        if changed:
            self.refresh(*changed)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell which rows are visible now."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._tell_visible()

    def _tell_visible(self) -> None:
        self.post_message(self.Looked(*self.window))

    # Moving

    def move(self, motion: Motion) -> None:
        """Move the cursor."""
        screenful = max(1, self.size.height - 1)
        last = len(self._model) - 1
        steps = {
            Motion.DOWN: 1,
            Motion.UP: -1,
            Motion.PAGE_DOWN: screenful,
            Motion.PAGE_UP: -screenful,
            Motion.HALF_DOWN: max(1, screenful // 2),
            Motion.HALF_UP: -max(1, screenful // 2),
            Motion.FIRST: -last,
            Motion.LAST: last,
        }
        self.go_to(self.cursor + steps[motion])

    def go_to(self, index: int) -> None:
        """Put the cursor on a row, clamped to those there are."""
        index = max(0, min(index, len(self._model) - 1))
        if index == self.cursor:
            self._reveal()  # the wheel may have left it behind
            return
        self.cursor = index
        self._reveal()
        self.redraw_changed()
        self.post_message(self.CursorMoved())

    def _reveal(self) -> None:
        top, bottom = self.window
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor > bottom:
            self.scroll_to(y=self.cursor - self.size.height + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where it was clicked; at the left edge select; twice for details."""
        offset = event.get_content_offset(self)
        if offset is None or (index := round(self.scroll_y) + offset.y) >= len(self._model):
            return
        self.go_to(index)
        row = self._model.row(index)
        if offset.x < GUTTER_CELLS:
            self.post_message(self.EdgeClicked())
        elif row is not None and (spot := spot_at(row.task, offset.x - GUTTER_CELLS, self._look)) is not None:
            self.post_message(self.SpotClicked(spot))
        elif event.chain == 2:
            self.post_message(self.DoubleClicked())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll without an animation, which would only cost bytes."""
        self._wheel(event, WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll without an animation."""
        self._wheel(event, -WHEEL_ROWS)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.scroll_y + rows, animate=False)

    # Drawing

    def _face(self, y: int) -> object:
        """Return all that decides how the screen line `y` looks."""
        index = round(self.scroll_y) + y
        row = self._model.row(index)
        if row is None:
            return index < len(self._model), index == self.cursor and self.has_focus
        is_selected = row.task.id in self._model.selection
        return self._cells(row), index == self.cursor, is_selected

    def _cells(self, row: Row) -> tuple[tuple[Placed, tuple[Cell, ...]], ...]:
        """Return the pieces of a row, column by column."""
        return cells_of_row(row, self._look, self.placed, self.size.width - MARGIN_CELLS)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        face = self._face(y)
        known = self._lines.get(y)
        if known is not None and known[0] == face and known[1].cell_length == self.size.width:
            return known[1]
        strip = self._draw(y)
        self._lines[y] = (face, strip)
        return strip

    def _draw(self, y: int) -> Strip:
        index = round(self.scroll_y) + y
        row = self._model.row(index)
        is_cursor = index == self.cursor and index < len(self._model)
        is_selected = row is not None and row.task.id in self._model.selection
        base = self._style(None, is_cursor, is_selected)
        glyphs = self._look.glyphs
        edge = glyphs.mark if is_selected else glyphs.cursor if is_cursor else " "
        segments = [Segment(edge, self._style(Role.DONE, is_cursor, is_selected)), Segment(" ", base)]
        at = GUTTER_CELLS
        for place, pieces in self._cells(row) if row is not None else ():
            if place.x > at:
                segments.append(Segment(" " * (place.x - at), base))
            for text, role in _fitted(pieces, place.width, place.column.is_right, glyphs.ellipsis):
                segments.append(Segment(text, self._style(role, is_cursor, is_selected)))
            at = place.x + place.width
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _style(self, role: Role | None, is_cursor: bool, is_selected: bool) -> Style:
        key = (role, is_cursor, is_selected)
        if (style := self._styles.get(key)) is None:
            style = self.rich_style
            if is_selected:
                style += self.get_component_rich_style("task-table--selected", partial=True)
            if is_cursor:
                style += self.get_component_rich_style("task-table--cursor", partial=True)
            if role is not None and not style.reverse:  # colours on a reversed row would become its ground
                style += ink(self, f"task-table--{role}")
            self._styles[key] = style
        return style


@lru_cache(maxsize=4096)
def _fitted(pieces: tuple[Cell, ...], width: int, is_right: bool, ellipsis: str) -> tuple[Cell, ...]:
    """Cut or fill pieces to exactly `width` cells."""
    fitted: list[Cell] = []
    room = width
    for text, role in pieces:
        cells = cell_len(text)
        if cells > room:
            fitted.append((set_cell_size(text, room - 1) + ellipsis if room > 1 else set_cell_size(text, room), role))
            return tuple(fitted)
        fitted.append((text, role))
        room -= cells
    filler = (" " * room, pieces[-1][1])
    return (filler, *fitted) if is_right else (*fitted, filler)
