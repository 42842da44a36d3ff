"""The line of tabs: a word and a count for each, the filter at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.status import Tab
from tui_dl.ui.format import count
from tui_dl.ui.view_state import tab_counts
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.status import Status
    from tui_dl.ui.glyphs import Glyphs
    from tui_dl.ui.view_state import ViewState

FILTER_TARGET = "filter"
MARGIN_CELLS = 1


class TabLine(Line):
    """Says which rows are shown. A click's target is the tab's value, or `FILTER_TARGET`."""

    def show_state(
        self, state: ViewState, counts: Mapping[Status, int], selected: int, glyphs: Glyphs, *, is_looking: bool
    ) -> None:
        """Show the chosen tab, all counts, what narrows the view, and whether rows are still being looked for."""
        numbers = tab_counts(counts)
        left: list[Piece] = []
        for tab in Tab:
            is_chosen = tab is state.tab
            name_tone = Tone.ACCENT if is_chosen else Tone.QUIET
            left.append(Piece(tab.value.capitalize(), name_tone, tab.value))
            left.append(Piece(f" {count(numbers[tab])}" if numbers[tab] else "", Tone.QUIET, tab.value))
            left.append(Piece("   "))
        left.pop()
        right: list[Piece] = []
        if is_looking:
            right.append(Piece(f"looking {glyphs.ellipsis}  ", Tone.WARN))
        if selected:
            right.append(Piece(f"{count(selected)} selected  ", Tone.WARN))
        if state.is_sorted_unseen:
            arrow = glyphs.descending if state.is_descending else glyphs.ascending
            right.append(Piece(f"by {state.order.value} {arrow}  ", Tone.ACCENT))
        if state.filter:
            right.append(Piece(f"/ {glyphs.text(state.filter)}", Tone.ACCENT, FILTER_TARGET))
        room = self.size.width - MARGIN_CELLS
        if cells_of(left) + cells_of(right) > room:
            left = [piece for piece in left if not piece.text.startswith(" ") or not piece.target]
        if cells_of(left) + cells_of(right) > room:
            left = [Piece(" ") if piece.text.isspace() else piece for piece in left]
        self.say(left, right)
