"""The view's half of the desk: filter, order, tabs, playlists, details, selection and the cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.query import TermKind
from tui_dl.core.status import Tab
from tui_dl.ui.commanding import Commander
from tui_dl.ui.completion import Known
from tui_dl.ui.selecting import Selecting
from tui_dl.ui.term_text import exact, terms_text
from tui_dl.ui.tree import Tree
from tui_dl.ui.view_state import HIGHEST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui_dl.core.ports import EnginePort
    from tui_dl.core.query import SortKey, Term
    from tui_dl.ui.action import Motion
    from tui_dl.ui.columns import LiveSort
    from tui_dl.ui.screens.main import MainScreen
    from tui_dl.ui.view_state import ViewState


class ViewDesk:
    """What actions ask of the view."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.commander = Commander(screen)
        """Through which commands go."""
        self._selecting = Selecting(screen, self.commander)
        self.tree = Tree(screen, self.commander, self._choose)
        """What is done with playlists."""

    def _choose(self, state: ViewState) -> None:
        self._selecting.end_range()
        self._screen.choose(state)

    def open_filter(self) -> None:
        """Show the line in which a filter is typed."""
        screen = self._screen
        screen.filter_line.known = Known(hosts=screen.model.hosts())
        screen.filter_line.open(screen.state.filter)
        if screen.port is not None:
            screen.run_worker(self._learn_batches(screen.port), group="known", exclusive=True)

    async def _learn_batches(self, port: EnginePort) -> None:
        line = self._screen.filter_line
        line.show_known(replace(line.known, batches=await port.batch_names()))

    def show_terms(self, terms: Iterable[Term]) -> None:
        """Show the rows that fit these terms, on the tab of all."""
        self._choose(self._screen.state.on_tab(Tab.ALL).filtered(terms_text(terms)))

    def open_failures(self, terms: Sequence[Term] = ()) -> None:
        """Show what failed, by reason and host: of these rows, of the filter, or of the batch that has just ended."""
        from tui_dl.ui.screens.failures import FailuresScreen  # noqa: PLC0415 - keeps the first paint early

        screen = self._screen
        if not terms and not (terms := screen.state.terms) and screen.ended is not None and screen.ended.name:
            terms = (exact(TermKind.BATCH, screen.ended.name),)
        scope = screen.state.filtered(terms_text(terms)).on_tab(Tab.ALL)
        screen.show_end(None)
        screen.app.push_screen(FailuresScreen(screen, scope.flat_query(), scope.filter))

    def open_batches(self) -> None:
        """Show all batches."""
        from tui_dl.ui.screens.batches import BatchesScreen  # noqa: PLC0415 - keeps the first paint early

        self._screen.app.push_screen(BatchesScreen(self._screen))

    def sort_next(self) -> None:
        """Sort by the next column."""
        self._choose(self._screen.state.next_order())

    def sort_reversed(self) -> None:
        """Turn the order round."""
        self._choose(self._screen.state.reversed())

    def sort_by(self, order: SortKey | LiveSort, *, is_descending: bool | None) -> None:
        """Sort by a column; None: as it begins where its head is clicked."""
        goes_down = order in HIGHEST_FIRST if is_descending is None else is_descending
        self._choose(replace(self._screen.state, order=order, is_descending=goes_down))

    def filter_by(self, text: str) -> None:
        """Show the rows that fit a filter; raises `BadTerm`."""
        self._choose(self._screen.state.filtered(text))

    def show_tab(self, tab: Tab) -> None:
        """Show this tab."""
        self._choose(self._screen.state.on_tab(tab))

    def go_to_row(self, number: int) -> None:
        """Put the cursor on a row, counted from 1; beyond the last one on that."""
        self._screen.table.go_to(number - 1)

    def step_tab(self, step: int) -> None:
        """Show the tab so many places to the right."""
        self._choose(self._screen.state.stepped(step))

    def fold(self) -> None:
        """Hide the entries of the playlist, or show them."""
        self.tree.fold()

    def toggle_details(self) -> None:
        """Show or hide the details pane."""
        self._screen.details.toggle_class("-shown")
        self._screen.show_details()

    def turn_details(self) -> None:
        """Show the next page of the details pane."""
        if self._screen.details.has_class("-shown"):
            self._screen.details.turn()
            self._screen.show_details()
        else:
            self.toggle_details()

    def move(self, motion: Motion) -> None:
        """Move the cursor."""
        self._screen.table.move(motion)

    def repaint(self) -> None:
        """Draw the whole screen anew."""
        self._screen.app.run_worker(self._screen.app.run_action("app.repaint"), group="repaint")

    # Selecting

    def select_here(self) -> None:
        """Select the current row or let it go."""
        self._selecting.here()

    def choose_here(self) -> None:
        """Choose the current entry of a playlist, or let it go."""
        self.tree.choose_here(goes_on=False)

    def select_row(self) -> None:
        """Select the current row or let it go, and go on to the next; of a playlist that waits, choose it."""
        if not self.tree.choose_here():
            self._selecting.row()

    def select_range(self) -> None:
        """Begin a range at the current row, or end it there."""
        self._selecting.range()

    def select_all(self) -> None:
        """Select all rows shown, or none if all are."""
        self._selecting.all()

    def step_back(self) -> None:
        """Undo the last thing that narrows the view: range, selection, notice, pane, filter, tab."""
        screen = self._screen
        if self._selecting.end_range() or self._selecting.clear():
            return
        if screen.ended is not None:
            screen.show_end(None)
        elif screen.missing.forget():
            screen.show_notices()
        elif screen.details.has_class("-shown"):
            self.toggle_details()
        elif screen.state.filter:
            self._choose(screen.state.filtered(""))
        else:
            self._choose(screen.state.on_tab(Tab.ALL))
