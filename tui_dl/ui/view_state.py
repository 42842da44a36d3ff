"""What the person chose to see: tab, filter and order; and the question to the engine that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.status import Status, Tab, statuses_named, statuses_of_tab
from tui_dl.ui.columns import ORDERS, LiveSort

if TYPE_CHECKING:
    from collections.abc import Mapping

TABS: Final = tuple(Tab)


@dataclass(frozen=True, slots=True)
class ViewState:
    """Choices of the main screen."""

    tab: Tab = Tab.ALL
    """Tab shown."""
    filter: str = ""
    """Filter as it was typed."""
    order: SortKey | LiveSort = SortKey.POSITION
    """Column sorted by."""
    is_descending: bool = False
    """Whether the order is turned round."""

    def query(self) -> TaskQuery:
        """Return the question; live orders are laid over the order of the queue."""
        text, host, named = _read_filter(self.filter)
        tab_statuses = frozenset[Status]() if self.tab is Tab.ALL else statuses_of_tab(self.tab)
        is_live = isinstance(self.order, LiveSort)
        return TaskQuery(
            text=text,
            host=host,
            statuses=named or tab_statuses,
            sort=SortKey.POSITION if isinstance(self.order, LiveSort) else self.order,
            is_descending=self.is_descending and not is_live,
        )

    def ordered_by(self, order: SortKey | LiveSort) -> ViewState:
        """Sort by a column; by the same one again turns the order round. Speeds begin with the highest."""
        if order is self.order:
            return self.reversed()
        return replace(self, order=order, is_descending=order in (LiveSort.SPEED, LiveSort.PERCENT))

    def next_order(self) -> ViewState:
        """Sort by the next of `ORDERS`."""
        return self.ordered_by(ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)])

    def reversed(self) -> ViewState:
        """Turn the order round."""
        return replace(self, is_descending=not self.is_descending)

    def on_tab(self, tab: Tab) -> ViewState:
        """Show a tab."""
        return replace(self, tab=tab)

    def stepped(self, step: int) -> ViewState:
        """Show the tab so many places on, round the ends."""
        return self.on_tab(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    def filtered(self, text: str) -> ViewState:
        """Filter by what was typed."""
        return replace(self, filter=text.strip())


def _read_filter(typed: str) -> tuple[str, str, frozenset[Status]]:
    """Split `debian host:example status:failed` into text, host and statuses; words that name nothing stay text."""
    words: list[str] = []
    host = ""
    statuses: frozenset[Status] = frozenset()
    for word in typed.split():
        key, colon, rest = word.partition(":")
        if colon and rest and key.casefold() == "host":
            host = rest.casefold()
        elif colon and key.casefold() == "status" and (named := statuses_named(rest)):
            statuses |= named
        else:
            words.append(word)
    return " ".join(words), host, statuses


def tab_counts(counts: Mapping[Status, int]) -> dict[Tab, int]:
    """Return how many rows each tab shows."""
    return {tab: sum(counts.get(status, 0) for status in statuses_of_tab(tab)) for tab in Tab}
