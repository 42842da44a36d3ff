"""The actions as the palette finds them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from tui_dl.ui.actions import ACTIONS
from tui_dl.ui.key_names import keys_text

if TYPE_CHECKING:
    from textual.command import Hits

    from tui_dl.ui.action import Action, Desk


def palette_for(desk: Desk) -> type[Provider]:
    """Return a provider whose hits act at this desk."""

    class ActionProvider(Provider):
        """Finds actions by their words."""

        async def discover(self) -> Hits:
            """Offer all."""
            for action in ACTIONS:
                yield DiscoveryHit(_line(action), partial(action.run, desk), help=action.explanation())

        async def search(self, query: str) -> Hits:
            """Offer those that match."""
            matcher = self.matcher(query)
            for action in ACTIONS:
                line = _line(action)
                if (score := matcher.match(f"{line} {action.explanation()}")) > 0:
                    yield Hit(score, matcher.highlight(line), partial(action.run, desk), help=action.explanation())

    return ActionProvider


def _line(action: type[Action]) -> str:
    return f"{action.label}  ({keys_text(action)})"
