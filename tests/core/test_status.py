"""One table decides what may follow what; everything that reads it agrees."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.status import (
    FACTS,
    FINISHED,
    LIVE,
    TRANSITIONS,
    UNFINISHED,
    IllegalTransition,
    Status,
    Tab,
    Trigger,
    advance,
    can_advance,
    sources_of,
    statuses_named,
    statuses_of_tab,
    way_to,
)

PERSON = {Trigger.PAUSE, Trigger.RESUME, Trigger.CANCEL, Trigger.RETRY, Trigger.DESELECT, Trigger.OFFER}


@pytest.mark.parametrize(("status", "trigger"), list(product(Status, Trigger)))
def test_the_step_and_the_query_agree(status: Status, trigger: Trigger) -> None:
    """`advance()` succeeds exactly for the statuses that a bulk action would touch."""
    is_legal = status in sources_of(trigger)
    assert can_advance(status, trigger) == is_legal
    if is_legal:
        assert advance(status, trigger) is TRANSITIONS[trigger][status]
    else:
        with pytest.raises(IllegalTransition) as caught:
            advance(status, trigger)
        assert (caught.value.status, caught.value.trigger) == (status, trigger)


@pytest.mark.parametrize("trigger", list(Trigger))
def test_a_trigger_has_one_target(trigger: Trigger) -> None:
    """A bulk action can write one status for all its rows."""
    assert len(set(TRANSITIONS[trigger].values())) == 1
    assert len(sources_of(trigger)) == len(TRANSITIONS[trigger])


@given(st.lists(st.sampled_from(Trigger), max_size=40))
def test_any_order_of_triggers_leaves_a_legal_status(triggers: list[Trigger]) -> None:
    """A refused step changes nothing; finished work moves only by a person's hand, and paused by nobody else's."""
    status = Status.PENDING
    for trigger in triggers:
        before = status
        try:
            status = advance(status, trigger)
        except IllegalTransition:
            continue
        assert isinstance(status, Status)
        if before in FINISHED or before is Status.PAUSED or status in {Status.PAUSED, Status.CANCELLED}:
            assert trigger in PERSON | {Trigger.REOPEN}


def test_completed_work_is_final() -> None:
    """Nothing takes a whole file back; a playlist alone may be reopened."""
    assert [trigger for trigger in Trigger if can_advance(Status.COMPLETED, trigger)] == [Trigger.REOPEN]


@pytest.mark.parametrize(("start", "target"), list(product(Status, Status)))
def test_a_playlist_gets_anywhere_by_legal_steps(start: Status, target: Status) -> None:
    """Whatever becomes of its entries, the table has a way for the head."""
    status = start
    for trigger in way_to(start, target):
        status = advance(status, trigger)
    assert status is target


def test_every_open_status_can_pause_cancel_and_fail() -> None:
    """A person can always stop what is under way, and an error can always end it."""
    for status in UNFINISHED - {Status.PAUSED}:
        assert all(can_advance(status, trigger) for trigger in (Trigger.PAUSE, Trigger.CANCEL, Trigger.FAIL))


def test_every_status_can_be_reached() -> None:
    """No status is a word without a way to it."""
    reached = {Status.PENDING}
    while fresh := {TRANSITIONS[t][s] for t in Trigger for s in reached if can_advance(s, t)} - reached:
        reached |= fresh
    assert reached == set(Status)


def test_statuses_are_divided_once() -> None:
    """Finished and unfinished part all statuses; live ones are unfinished."""
    assert set(Status) == FINISHED | UNFINISHED
    assert not FINISHED & UNFINISHED
    assert LIVE < UNFINISHED


def test_every_status_has_one_tab_besides_all() -> None:
    """The tabs' counts add up to the count of all."""
    assert statuses_of_tab(Tab.ALL) == set(Status)
    listed = [status for tab in Tab if tab is not Tab.ALL for status in statuses_of_tab(tab)]
    assert sorted(listed) == sorted(Status)


def test_every_status_is_found_by_its_words() -> None:
    """The word on the screen, the word of the journal and the other names all lead to it; nonsense to nothing."""
    for status in Status:
        for word in (status.value, FACTS[status].label.upper(), *FACTS[status].names):
            assert status in statuses_named(word)
    assert statuses_named("nonsense") == frozenset()
