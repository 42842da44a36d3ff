"""What a host allows: learned from its refusals, forgotten slowly, obeyed by all tasks."""

from __future__ import annotations

import pytest

from tui_dl.core.host_budget import (
    GOODS_TO_REGROW,
    MEMORY_S,
    MIN_GAP_AFTER_REFUSAL_S,
    REGROW_AFTER_S,
    UNANSWERED_S,
    Crowds,
    HostBudget,
)


def with_open(count: int) -> HostBudget:
    """Return a budget with so many connections at work since 0."""
    budget = HostBudget()
    for _ in range(count):
        budget.answered(budget.opened(0.0))
    return budget


def test_a_host_never_met_is_asked_by_one_first() -> None:
    """Then by one more at a time, each after the last was answered, and from four on by twice as many."""
    budget = HostBudget()
    may_have = []
    for _ in range(7):
        while budget.can_start(0.0):
            budget.opened(0.0)
        may_have.append(budget.open_connections)
        budget.answered(budget.open_connections)
    assert may_have == [1, 2, 3, 4, 8, 16, 32]


def test_a_request_without_answer_holds_up_no_others() -> None:
    """After a while the next one is sent all the same."""
    budget = HostBudget()
    budget.opened(0.0)
    assert not budget.can_start(UNANSWERED_S - 0.01)
    assert budget.can_start(UNANSWERED_S)


def test_a_fresh_host_allows_what_the_setting_says() -> None:
    """Only further connections of split tasks are bounded by `--per-host`."""
    budget = with_open(8)
    assert budget.can_start(0.0)
    assert not budget.can_grow(0.0, 8)
    assert budget.can_grow(0.0, 9)


def test_connections_that_are_coming_count() -> None:
    """What was decided in this tick is not decided again."""
    budget = with_open(5)
    for _ in range(3):
        budget.closed()
    assert budget.can_grow(0.0, 4, coming=1)
    assert not budget.can_grow(0.0, 4, coming=2)


def test_a_refusal_teaches_one_less_than_there_were() -> None:
    """The refused one is still counted when it is noted."""
    budget = with_open(5)
    budget.refused(0.0, pause_s=None)
    assert budget.learned_connections == 4
    assert not budget.can_start(0.0)
    budget.closed()
    budget.closed()
    assert budget.can_start(0.0)


def test_a_later_refusal_never_raises_what_is_borne() -> None:
    """More open connections at the second refusal are no proof that they work."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    for _ in range(5):
        budget.opened(0.0)
    budget.refused(0.0, pause_s=None)
    assert budget.learned_connections == 2


def test_at_least_one_connection_is_borne() -> None:
    """A host that refuses everything is asked by one at a time."""
    budget = with_open(1)
    budget.refused(0.0, pause_s=None)
    assert budget.learned_connections == 1


def test_it_grows_again_slowly() -> None:
    """One more after a minute without a refusal, and one more after the next."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    assert not budget.can_start(REGROW_AFTER_S - 1)
    assert budget.can_start(REGROW_AFTER_S) is False
    assert budget.learned_connections == 3
    assert budget.can_start(2 * REGROW_AFTER_S)
    assert budget.learned_connections == 4


@pytest.mark.parametrize("per_host", [1, 4, 8])
def test_what_was_learned_bounds_the_setting_and_the_setting_what_was_learned(per_host: int) -> None:
    """The smaller one counts."""
    budget = with_open(5)
    assert budget.allowed(per_host) == per_host
    budget.refused(0.0, pause_s=None)
    assert budget.allowed(per_host) == min(per_host, 4)


def test_a_pause_holds_every_request() -> None:
    """Until its end nobody may start or grow; a shorter one does not shorten it."""
    budget = HostBudget()
    budget.pause(100.0, 30.0)
    budget.pause(101.0, 1.0)
    assert budget.wait_s(110.0) == 20.0
    assert not budget.can_start(110.0)
    assert not budget.can_grow(110.0, 8)
    assert budget.can_start(130.0)


def paced() -> HostBudget:
    """Return a budget of a host that asked for patience at 100, by the answer to a request of that instant."""
    budget = HostBudget()
    budget.opened(100.0)
    budget.pause(100.0, 0.0, sent_at=100.0)
    return budget


def test_after_a_429_requests_keep_their_distance() -> None:
    """At most one a second; each good answer halves that, until nothing is left of it."""
    budget = paced()
    assert budget.wait_s(100.0) == MIN_GAP_AFTER_REFUSAL_S
    assert budget.wait_s(100.0 + MIN_GAP_AFTER_REFUSAL_S) == 0.0
    budget.answered_well()
    assert budget.wait_s(100.0) == MIN_GAP_AFTER_REFUSAL_S / 2
    for _ in range(10):
        budget.answered_well()
    assert budget.wait_s(100.0) == 0.0


def test_a_pace_that_was_refused_is_not_taken_up_again() -> None:
    """Requests stay twice as far apart as when it refused; after a while without refusal the pace is tried anew."""
    budget = paced()
    budget.answered_well()
    budget.opened(101.0)
    budget.pause(101.0, 0.0, sent_at=101.0)
    assert budget.gap_s == MIN_GAP_AFTER_REFUSAL_S
    for _ in range(10):
        budget.answered_well()
    assert budget.gap_s == 1.0
    budget.can_start(101.0 + REGROW_AFTER_S)
    budget.answered_well()
    assert budget.gap_s == 0.5


def test_refusals_of_one_burst_are_one_lesson() -> None:
    """Answers to requests that were sent before the first refusal was known say nothing of the pace since."""
    budget = paced()
    budget.answered_well()
    budget.pause(100.1, 0.0, sent_at=99.9)
    assert budget.least_gap_s == 0.0


def working(count: int) -> HostBudget:
    """Return a budget with so many connections that bring bodies."""
    budget = with_open(count)
    for _ in range(count):
        budget.started_work()
    return budget


def test_what_worked_at_the_same_time_is_no_crowd() -> None:
    """A refusal among as many connections as were seen to work is the fault of its own address."""
    budget = working(2)
    budget.closed(was_working=True)
    budget.opened(1.0)
    assert not budget.is_of_the_crowd()
    budget.opened(1.0)
    assert budget.is_of_the_crowd()


def test_a_doubtful_refusal_is_forgotten_by_good_answers() -> None:
    """Others are not held down for long because one address is forbidden."""
    budget = working(1)
    for _ in range(4):
        budget.opened(0.0)
    budget.refused(0.0, pause_s=None, is_sure=False)
    assert budget.learned_connections == 4
    for _ in range(2 * GOODS_TO_REGROW):
        budget.answered_well()
    assert budget.learned_connections == 6


def test_a_sure_refusal_is_not() -> None:
    """It takes time to grow again."""
    budget = with_open(5)
    budget.refused(0.0, pause_s=None)
    for _ in range(100):
        budget.answered_well()
    assert budget.learned_connections == 4


def test_what_is_forbidden_alone_frees_the_others() -> None:
    """The file was meant, not the crowd: what doubt had taught is forgotten, and no 403 is doubted again."""
    budget = working(1)
    budget.opened(0.0)
    budget.refused(0.0, pause_s=None, is_sure=False)
    assert budget.bound == 1
    budget.learn_crowds(1.0, Crowds.BORNE)
    assert budget.learned_connections is None
    assert not budget.is_of_the_crowd()


def test_what_was_refused_again_is_tried_later_and_later() -> None:
    """Each time that one connection more is refused doubles the time until the next try."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    budget.can_start(REGROW_AFTER_S)
    assert budget.learned_connections == 3
    budget.refused(REGROW_AFTER_S, pause_s=None)
    assert budget.learned_connections == 2
    budget.can_start(2.9 * REGROW_AFTER_S)
    assert budget.learned_connections == 2
    budget.can_start(3 * REGROW_AFTER_S)
    assert budget.learned_connections == 3


def test_all_is_forgotten_after_an_hour() -> None:
    """What was not refused again for so long is as if never met."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    budget.learn_no_ranges(1.0)
    assert budget.can_start(1.0 + MEMORY_S)
    assert budget.learned_connections is None
    assert not budget.refuses_ranges
    assert budget.changed_at is None


def test_admitted_tasks_count_before_they_ask() -> None:
    """Several that start at the same instant do not exceed what is borne."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    budget.closed()
    budget.closed()
    assert budget.can_admit(0.0)
    budget.admit(0.0)
    assert not budget.can_admit(0.0)


def test_what_was_admitted_is_sent_though_others_are_to_come() -> None:
    """Or several that read their part files for long would be sent back when they are done."""
    budget = with_open(3)
    budget.refused(0.0, pause_s=None)
    for _ in range(3):
        budget.closed()
        budget.admit(0.0)
    assert not budget.can_start(0.0)
    assert budget.can_send(0.0)


def test_a_person_bounds_a_hosts_connections_and_tasks() -> None:
    """They bound single-connection tasks as well as split ones."""
    budget = HostBudget(most_connections=2, most_tasks=1)
    assert budget.allowed(8) == 2
    budget.answered(budget.opened(0.0))
    assert budget.can_start(0.0)
    budget.answered(budget.opened(0.0))
    assert not budget.can_start(0.0)
    budget.closed()
    budget.admit(0.0)
    assert not budget.can_admit(0.0)


def test_opening_and_closing_balance() -> None:
    """The count is what is at work."""
    budget = with_open(3)
    for _ in range(3):
        budget.closed()
    assert budget.open_connections == 0
