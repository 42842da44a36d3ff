"""The actions as the palette finds them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from tui_dl.ui.actions import ACTIONS

if TYPE_CHECKING:
    from textual.command import Hits

    from tui_dl.ui.action import Action, Desk
    from tui_dl.ui.keymap import Keymap


def palette_for(desk: Desk, keymap: Keymap) -> type[Provider]:
    """Return a provider whose hits act at this desk."""

    class ActionProvider(Provider):
        """Finds actions by their words."""

        async def discover(self) -> Hits:
            """Offer all."""
            for action in ACTIONS:
                yield DiscoveryHit(_line(action, keymap), partial(action.run, desk), help=action.explanation())

        async def search(self, query: str) -> Hits:
            """Offer those that match."""
            matcher = self.matcher(query)
            for action in ACTIONS:
                line = _line(action, keymap)
                if (score := matcher.match(f"{line} {action.explanation()}")) > 0:
                    yield Hit(score, matcher.highlight(line), partial(action.run, desk), help=action.explanation())

    return ActionProvider


def _line(action: type[Action], keymap: Keymap) -> str:
    return f"{action.label}  ({keymap.text_of(action)})"
