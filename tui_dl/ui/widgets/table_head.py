"""The heads of the table's columns; a click sorts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from tui_dl.ui.widgets.line import Line, Piece, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.ui.columns import Placed
    from tui_dl.ui.glyphs import Glyphs
    from tui_dl.ui.view_state import ViewState


class TableHead(Line):
    """Says what stands in which column; a click's target is the column's key."""

    def show_columns(self, placed: Sequence[Placed], state: ViewState, glyphs: Glyphs) -> None:
        """Show these columns, and by which the rows are sorted."""
        pieces: list[Piece] = []
        at = 0
        is_marked = False
        for place in placed:
            column = place.column
            is_sorted = column.sort is state.order and not is_marked
            is_marked = is_marked or is_sorted
            arrow = glyphs.descending if state.is_descending else glyphs.ascending
            text = column.header(glyphs)
            if is_sorted:
                text = f"{arrow}{text}" if column.is_right else f"{text} {arrow}"
            room = max(0, place.width - cell_len(text))
            text = " " * room + text if column.is_right else text + " " * room
            pieces.append(Piece(" " * (place.x - at)))
            pieces.append(Piece(set_cell_size(text, place.width), Tone.ACCENT if is_sorted else Tone.QUIET, column.key))
            at = place.x + place.width
        self.say(pieces)
