"""From what a person chose to the question for the engine."""

from __future__ import annotations

import pytest

from tui_dl.core.query import SortKey
from tui_dl.core.status import Status, Tab, statuses_of_tab
from tui_dl.ui.columns import ORDERS, LiveSort
from tui_dl.ui.view_state import ViewState


def test_words_of_a_filter_are_told_apart() -> None:
    """`host:` and `status:` narrow, everything else is text."""
    query = ViewState().filtered("debian host:Example.ORG dvd status:failed").query()
    assert (query.text, query.host, query.statuses) == ("debian dvd", "example.org", frozenset({Status.FAILED}))


@pytest.mark.parametrize("typed", ["status:nonsense", "host:", "foo:bar"])
def test_words_that_name_nothing_stay_text(typed: str) -> None:
    """A colon alone does not make a word special."""
    assert ViewState().filtered(typed).query().text == typed


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
