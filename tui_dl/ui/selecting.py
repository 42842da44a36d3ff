"""Selecting rows: one, a range, all that are shown; however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.ui.selection import MOST_IDS

if TYPE_CHECKING:
    from tui_dl.ui.commanding import Commander
    from tui_dl.ui.screens.main import MainScreen


class Selecting:
    """What the keys for selecting do on the main screen."""

    def __init__(self, screen: MainScreen, commander: Commander) -> None:
        self._screen = screen
        self._commander = commander
        self._range_start: int | None = None

    def here(self) -> None:
        """Select the current row or let it go."""
        current = self._screen.table.current_id
        if current is not None:
            self._screen.model.selection.toggle(current)
            self._show()

    def row(self) -> None:
        """Select the current row or let it go, and go on to the next."""
        self.here()
        self._screen.table.go_to(self._screen.table.cursor + 1)

    def range(self) -> None:
        """Begin a range at the current row, or end it there."""
        cursor, model = self._screen.table.cursor, self._screen.model
        if self._range_start is None:
            self._range_start = cursor
            self._commander.say(f"Range begun; move and press {self._screen.keymap.first('select-range')} again")
            return
        first, last = sorted((self._range_start, cursor))
        self._range_start = None
        left_out = len(model) - (last - first + 1)
        if len(model) > MOST_IDS >= left_out and not model.selection:
            outside = (*model.ids_between(0, first - 1), *model.ids_between(last + 1, len(model)))
            model.selection.add_all_but(self._screen.state.query(), outside)
        else:
            model.selection.add(model.ids_between(first, last))
        self._show()

    def all(self) -> None:
        """Select all rows shown, or none if all are."""
        model = self._screen.model
        if model.selection and model.selection.count(len(model)) == len(model):
            model.selection.clear()
        else:
            model.selection.add_all(self._screen.state.query(), model, len(model))
        self._show()

    def end_range(self) -> bool:
        """Forget where a range began; whether there was one."""
        had_one = self._range_start is not None
        self._range_start = None
        return had_one

    def clear(self) -> bool:
        """Select nothing; whether anything was selected."""
        if not self._screen.model.selection:
            return False
        self._screen.model.selection.clear()
        self._show()
        return True

    def _show(self) -> None:
        self._screen.table.redraw_changed()
        self._screen.show_state()
