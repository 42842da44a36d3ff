"""From what a person chose to the question for the engine."""

from __future__ import annotations

import pytest

from tui_dl.core.query import SortKey
from tui_dl.core.query_text import BadTerm, parse_terms
from tui_dl.core.status import Tab, statuses_of_tab
from tui_dl.ui.columns import ORDERS, LiveSort
from tui_dl.ui.view_state import ViewState


def test_a_filter_asks_for_its_terms() -> None:
    """What was typed is kept as it was typed, and asked for as it was understood."""
    state = ViewState().filtered("  debian host:Example.ORG ")
    assert state.filter == "debian host:Example.ORG"
    assert state.query().terms == parse_terms("debian host:Example.ORG")


def test_a_filter_that_means_nothing_is_refused() -> None:
    """A term that there is not names itself, and no state comes of it."""
    with pytest.raises(BadTerm) as refused:
        ViewState().filtered("iso status:nonsense")
    assert refused.value.term == "status:nonsense"


def test_a_status_that_is_typed_goes_before_the_tab() -> None:
    """On the tab of failures `status:paused` shows paused rows; `-status:paused` narrows the tab."""
    on_failed = ViewState(tab=Tab.FAILED)
    assert on_failed.filtered("status:paused").query().statuses == frozenset()
    assert on_failed.filtered("-status:paused").query().statuses == statuses_of_tab(Tab.FAILED)


@pytest.mark.parametrize(("typed", "has_history"), [("batch:films", True), ("-batch:films", False), ("films", False)])
def test_a_batch_shows_its_history(typed: str, has_history: bool) -> None:
    """Who names a batch means finished rows of `get`, too."""
    assert ViewState().filtered(typed).query().has_history is has_history


def test_a_tab_asks_for_its_statuses() -> None:
    """The tab of failures asks for what it counts."""
    assert ViewState(tab=Tab.FAILED).query().statuses == statuses_of_tab(Tab.FAILED)


def test_live_orders_leave_the_queue_in_order() -> None:
    """Speed is no order of the journal: it is asked for the order of the queue."""
    query = ViewState(order=LiveSort.SPEED, is_descending=True).query()
    assert (query.sort, query.is_descending) == (SortKey.POSITION, False)


def test_sorting_goes_through_all_orders() -> None:
    """The key for sorting comes back to where it began."""
    state = ViewState()
    seen = []
    for _step in ORDERS:
        state = state.next_order()
        seen.append(state.order)
    assert seen == [*ORDERS[1:], ORDERS[0]]


def test_the_same_column_again_turns_round() -> None:
    """A second click on a head turns the order round."""
    state = ViewState().ordered_by(SortKey.NAME).ordered_by(SortKey.NAME)
    assert (state.order, state.is_descending) == (SortKey.NAME, True)
