"""The last line: the keys that make sense for the row, each of which can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.key_names import key_text
from tui_dl.ui.keymap import action_named
from tui_dl.ui.widgets.line import Line, Piece, Tone, cells_of

if TYPE_CHECKING:
    from textual import events

    from tui_dl.ui.action import Action, Situation
    from tui_dl.ui.keymap import Keymap

ESSENTIAL = ("add", "help", "detach", "quit")
"""What stays on the narrowest terminal."""


class KeyBar(Line):
    """Says what can be done now; a click's target is the action's name."""

    def __init__(self, keymap: Keymap, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._keymap = keymap

    def show_situation(self, situation: Situation) -> None:
        """Show the keys of the actions that are legal."""
        ranked = sorted(
            (action for action in ACTIONS if action.footer_rank and self._keymap.keys_of(action)),
            key=lambda action: action.footer_rank,
        )
        legal = [action for action in ranked if action.is_legal(situation) and action.footer_label(situation)]
        spare = [action for action in legal if action.name not in ESSENTIAL]
        while spare and cells_of(self._pieces(legal, situation)) > self.size.width:
            legal.remove(spare.pop())
        self.say(self._pieces(legal, situation))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the action under the pointer."""
        offset = event.get_content_offset(self)
        target = self.target_at(offset.x) if offset is not None else ""
        text = Content(self._explained(action_named(target))) if target else None  # a key may look like markup
        if self.tooltip != text:
            self.tooltip = text

    def _explained(self, action: type[Action]) -> str:
        return f"{action.explanation()} ({self._keymap.text_of(action)})"

    def _key(self, action: type[Action]) -> str:
        partners = [action_named(action.footer_partner)] if action.footer_partner else []
        return "/".join(key_text(keys[0]) for one in (action, *partners) if (keys := self._keymap.keys_of(one)))

    def _pieces(self, actions: list[type[Action]], situation: Situation) -> list[Piece]:
        pieces: list[Piece] = []
        for action in actions:
            pieces.append(Piece(f"{self._key(action)} ", Tone.ACCENT, action.name))
            pieces.append(Piece(action.footer_label(situation), Tone.QUIET, action.name))
            pieces.append(Piece("  "))
        return pieces[:-1]
