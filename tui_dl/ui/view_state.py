"""What the person chose to see: tab, filter and order; and the question to the engine that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import SortKey, TaskQuery, Term, TermKind
from tui_dl.core.query_text import parse_terms
from tui_dl.core.status import Status, Tab, statuses_of_tab
from tui_dl.ui.columns import COLUMNS, ORDERS, LiveSort

if TYPE_CHECKING:
    from collections.abc import Mapping

TABS: Final = tuple(Tab)
HIGHEST_FIRST: Final = frozenset({LiveSort.SPEED, LiveSort.PERCENT, LiveSort.CONNECTIONS})
"""Orders that begin with the highest."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """Choices of the main screen."""

    tab: Tab = Tab.ALL
    """Tab shown."""
    filter: str = ""
    """Filter as it was typed."""
    terms: tuple[Term, ...] = ()
    """The same, as it was understood."""
    order: SortKey | LiveSort = SortKey.POSITION
    """Column sorted by."""
    is_descending: bool = False
    """Whether the order is turned round."""
    closed: frozenset[int] = frozenset()
    """Playlists whose entries are hidden."""

    @property
    def is_tree(self) -> bool:
        """Whether entries stand below their playlist; in live orders each has its own place."""
        return not isinstance(self.order, LiveSort)

    def query(self) -> TaskQuery:
        """Return the question; live orders are laid over the order of the queue. A status typed goes before the tab.

        Whoever names a batch means all of it, also what a run of `get` has finished.
        """
        kinds = {term.kind for term in self.terms if not term.is_negated}
        is_all = self.tab is Tab.ALL or TermKind.STATUS in kinds
        return TaskQuery(
            terms=self.terms,
            statuses=frozenset[Status]() if is_all else statuses_of_tab(self.tab),
            sort=SortKey.POSITION if isinstance(self.order, LiveSort) else self.order,
            is_descending=self.is_descending and self.is_tree,
            has_history=TermKind.BATCH in kinds,
            is_tree=self.is_tree,
            closed_ids=tuple(sorted(self.closed)) if self.is_tree else (),
        )

    def flat_query(self) -> TaskQuery:
        """Return the question for what is counted or written rather than shown: nothing is hidden in it."""
        return replace(self.query(), is_tree=False, closed_ids=())

    def is_same_view(self, other: ViewState) -> bool:
        """Whether both show the same rows, but for those of closed playlists."""
        return replace(self, closed=other.closed) == other

    def folded(self, head_id: int) -> ViewState:
        """Close a playlist that is open, and the other way round."""
        return replace(self, closed=self.closed ^ {head_id})

    @property
    def is_sorted_unseen(self) -> bool:
        """Whether the rows are sorted by what no column shows."""
        if self.order is SortKey.POSITION:
            return self.is_descending
        return all(column.sort is not self.order for column in COLUMNS)

    def ordered_by(self, order: SortKey | LiveSort) -> ViewState:
        """Sort by a column; by the same one again turns the order round. What moves begins with the highest."""
        if order is self.order:
            return self.reversed()
        return replace(self, order=order, is_descending=order in HIGHEST_FIRST)

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
        """Filter by what was typed; raises `BadTerm`."""
        text = text.strip()
        return replace(self, filter=text, terms=parse_terms(text))


def tab_counts(counts: Mapping[Status, int]) -> dict[Tab, int]:
    """Return how many rows each tab shows."""
    return {tab: sum(counts.get(status, 0) for status in statuses_of_tab(tab)) for tab in Tab}
