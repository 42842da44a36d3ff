"""The last line: the keys that make sense for the row, each of which can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.key_names import action_named, key_text
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of

if TYPE_CHECKING:
    from textual import events

    from tui_dl.ui.action import Action, Situation

ESSENTIAL = ("add", "help", "detach", "quit")
"""What stays on the narrowest terminal."""


class KeyBar(Line):
    """Says what can be done now; a click's target is the action's name."""

    def show_situation(self, situation: Situation) -> None:
        """Show the keys of the actions that are legal."""
        ranked = sorted((action for action in ACTIONS if action.footer_rank), key=lambda action: action.footer_rank)
        legal = [action for action in ranked if action.is_legal(situation) and action.footer_label(situation)]
        spare = [action for action in legal if action.name not in ESSENTIAL]
        while spare and cells_of(_pieces(legal, situation)) > self.size.width:
            legal.remove(spare.pop())
        self.say(_pieces(legal, situation))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the action under the pointer."""
        offset = event.get_content_offset(self)
        target = self.target_at(offset.x) if offset is not None else ""
        text = action_named(target).explanation() if target else None
        if self.tooltip != text:
            self.tooltip = text


def _pieces(actions: list[type[Action]], situation: Situation) -> list[Piece]:
    pieces: list[Piece] = []
    for action in actions:
        key = action.footer_key or key_text(action.keys[0])
        pieces.append(Piece(f"{key} ", Tone.ACCENT, action.name))
        pieces.append(Piece(action.footer_label(situation), Tone.QUIET, action.name))
        pieces.append(Piece("  "))
    return pieces[:-1]
