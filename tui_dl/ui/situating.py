"""What the main screen's rows and selection let a person do now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import Reason
from tui_dl.ui.action import Situation
from tui_dl.ui.row_text import is_for_choice
from tui_dl.ui.tree import TREE

if TYPE_CHECKING:
    from tui_dl.ui.screens.main import MainScreen

MOST_ROWS: Final = 200
"""Selected rows that are looked at to choose the keys shown."""


def situation_of(screen: MainScreen) -> Situation:
    """Return what decides which keys make sense."""
    model, selection = screen.model, screen.model.selection
    current = screen.table.current_id
    ids = selection.some_ids(MOST_ROWS) if selection else () if current is None else (current,)
    rows = [row for task_id in ids if (row := model.row_of(task_id)) is not None]
    here, head = screen.desk.tree.here_and_head()
    return Situation(
        statuses=frozenset(row.task.status for row in rows),
        is_open=bool(selection) and len(rows) < selection.count(len(model)),
        has_rows=len(model) > 0,
        can_detach=screen.start.owner is not None,
        kinds=frozenset(row.task.kind for row in rows),
        can_choose=here is not None and is_for_choice(here) and here.kind in TREE,
        has_chosen=head is not None and head.reason is Reason.CHOICE,
        is_closed=current in screen.state.closed,
    )
