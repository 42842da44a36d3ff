"""Playlists in the table: opening and closing them, and choosing their entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import Command, CommandName
from tui_dl.core.media import Kind
from tui_dl.ui.row_text import is_for_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.task import DownloadTask
    from tui_dl.ui.commanding import Commander
    from tui_dl.ui.screens.main import MainScreen
    from tui_dl.ui.view_state import ViewState


TREE: Final = frozenset({Kind.PLAYLIST, Kind.ENTRY})
"""What stands in a tree."""
MOST_LOOKED_AT: Final = 200
"""Selected rows among which a video is looked for."""


class Tree:
    """What the keys for playlists do on the main screen."""

    def __init__(self, screen: MainScreen, commander: Commander, choose: Callable[[ViewState], None]) -> None:
        self._screen = screen
        self._commander = commander
        self._choose = choose

    def fold(self) -> None:
        """Close the playlist of the current row, or open it."""
        screen, head_id = self._screen, _head_of(self._commander.current_task())
        if not head_id:
            self._commander.say("There is no playlist here")
            return
        if not screen.state.is_tree:
            self._commander.say(
                f"In this order each entry has its own place; {screen.keymap.first('sort')} goes on to the next order"
            )
            return
        place = screen.model.place_of(head_id, screen.table.cursor, is_far=True)
        if place is None:
            self._commander.say("Its playlist is not among these rows")
            return
        screen.table.go_to(place)
        self._choose(screen.state.folded(head_id))

    def here_and_head(self) -> tuple[DownloadTask | None, DownloadTask | None]:
        """Return the current row, and what is started with it: its playlist as far as that is known, or itself."""
        here = self._commander.current_task()
        if here is not None and here.kind not in TREE:
            return here, here
        head_id = _head_of(here)
        head = self._screen.model.row_of(head_id) if head_id else None
        return here, head.task if head is not None else None

    def video(self) -> DownloadTask | None:
        """Return the current row if it is media, else the first of the selected ones that is known to be."""
        model, here = self._screen.model, self._commander.current_task()
        rows = [model.row_of(one) for one in model.selection.some_ids(MOST_LOOKED_AT)]
        tasks = [here, *(row.task for row in rows if row is not None)]
        return next((task for task in tasks if task is not None and task.kind is not Kind.FILE), None)

    def choose_here(self, *, goes_on: bool = True) -> bool:
        """Choose the current entry or let it go, with all that are selected, and go on; of a head: all.

        Whether a person chooses from the current row's playlist at all.
        """
        task = self._commander.current_task()
        if task is None or task.kind not in TREE or not is_for_choice(task):
            return False
        facts = task.facts
        is_head = task.kind is Kind.PLAYLIST
        wanted = facts.chosen_count < (facts.entry_count or 0) if is_head else not facts.is_chosen
        is_one = task.id not in self._screen.model.selection
        command = Command(CommandName.CHOOSE, ids=(task.id,), arguments={"chosen": wanted}) if is_one else None
        command = command or self._commander.command_for_rows(CommandName.CHOOSE, {"chosen": wanted})
        if command is not None:
            self._commander.execute(command, 1 if is_one else self._commander.rows_meant())
        if goes_on and is_one and not is_head:
            self._screen.table.go_to(self._screen.table.cursor + 1)
        return True


def _head_of(task: DownloadTask | None) -> int:
    """Return the playlist that a row is, or belongs to; 0 for none."""
    if task is None or task.kind not in TREE:
        return 0
    return task.id if task.kind is Kind.PLAYLIST else task.parent_id
