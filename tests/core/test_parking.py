"""When a host is parked, probed and given up."""

from __future__ import annotations

import pytest

from tui_dl.core.errors import ContentError, FileSystemError, HttpError, NetworkError, Reason, TuiDlError
from tui_dl.core.parking import (
    ANSWERED_FAILURES_TO_PARK,
    FAILURES_TO_PARK,
    FIRST_PAUSE_S,
    MOST_GIVEN_UP,
    MOST_PAUSE_S,
    MOST_STREAKS,
    TASKS_TO_PARK,
    Parking,
    is_wholesale,
)

HOST = "a.example"
REFUSED = NetworkError(Reason.CONNECT_REFUSED, is_retryable=True)
FORBIDDEN = HttpError(Reason.FORBIDDEN, status=403)


def parked_at(now: float, park_time_s: float = 300.0) -> Parking:
    """Return one whose host was parked at an instant."""
    parking = Parking(park_time_s)
    assert [parking.failed(HOST, key, REFUSED, now) for key in range(FAILURES_TO_PARK)].count(True) == 1
    return parking


def probe(parking: Parking, key: int, now: float, error: TuiDlError = REFUSED) -> None:
    """Let a probe fail."""
    assert parking.can_start(HOST, now)
    parking.started(HOST, key)
    assert not parking.can_start(HOST, now), "one probe at a time"
    parking.failed(HOST, key, error, now)
    parking.ended(HOST, key)


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (NetworkError(Reason.DNS_FAILED), True),
        (NetworkError(Reason.CONNECT_TIMEOUT), True),
        (NetworkError(Reason.STALLED), True),
        (HttpError(Reason.SERVER_ERROR, status=500), True),
        (FORBIDDEN, True),
        (HttpError(Reason.NOT_FOUND, status=404), False),
        (HttpError(Reason.GONE, status=410), False),
        (HttpError(Reason.TOO_MANY_REQUESTS, status=429), False),
        (NetworkError(Reason.PROXY_FAILED), False),
        (ContentError(Reason.DIGEST_MISMATCH), False),
        (FileSystemError(Reason.DISK_FULL), False),
    ],
)
def test_what_may_be_the_fault_of_a_whole_host(error: TuiDlError, is_it: bool) -> None:
    """A missing file, a proxy and our own disk are not."""
    assert is_wholesale(error) is is_it


def test_many_failures_of_several_tasks_in_a_row_park_a_host() -> None:
    """Neither one task that fails often, nor failures with an answer of use between them."""
    parking = Parking(300)
    assert not any(parking.failed(HOST, 1, REFUSED, 0.0) for _ in range(5 * FAILURES_TO_PARK))
    parking.works(HOST)
    for _ in range(20):
        assert not any(parking.failed(HOST, key, REFUSED, 0.0) for key in range(FAILURES_TO_PARK - 1))
        parking.works(HOST)
    assert not any(parking.failed(HOST, key, REFUSED, 0.0) for key in range(FAILURES_TO_PARK - 1))
    assert parking.failed(HOST, TASKS_TO_PARK, REFUSED, 0.0)
    assert parking.can_start("b.example", 0.0)
    assert not parking.can_start(HOST, 0.0)


def test_answers_that_may_be_meant_for_one_address_count_less() -> None:
    """A 403 is what some hosts say of a file that is not there."""
    parking = Parking(300)
    verdicts = [parking.failed(HOST, key, FORBIDDEN, 0.0) for key in range(ANSWERED_FAILURES_TO_PARK)]
    assert verdicts == [False] * (ANSWERED_FAILURES_TO_PARK - 1) + [True]


def test_a_parked_host_is_tried_by_one_task_after_doubling_pauses() -> None:
    """Until the time is up, when one more probe comes; all others wait."""
    parking = parked_at(1000.0)
    at = 1000.0
    pauses = []
    for key in range(6):
        wait_s = parking.wait_s(HOST, at)
        pauses.append(wait_s)
        assert not parking.can_start(HOST, at + wait_s - 0.01)
        at += wait_s
        probe(parking, key, at)
    assert pauses == [5.0, 10.0, 20.0, 40.0, 80.0, 145.0]
    assert at == 1300.0
    assert parking.is_to_be_given_up(HOST, at)
    assert parking.parked[HOST].failures == FAILURES_TO_PARK + 6


def test_pauses_have_a_bound() -> None:
    """However long a person is ready to wait."""
    parking = parked_at(0.0, park_time_s=86_400)
    at = 0.0
    for key in range(20):
        at += parking.wait_s(HOST, at)
        probe(parking, key, at)
    assert parking.wait_s(HOST, at) == MOST_PAUSE_S


def test_failures_of_tasks_that_were_on_their_way_move_no_probe() -> None:
    """They began before the host was parked."""
    parking = parked_at(0.0)
    assert parking.failed(HOST, 99, REFUSED, 1.0)
    assert parking.wait_s(HOST, 1.0) == FIRST_PAUSE_S - 1.0


def test_a_probe_that_was_stopped_makes_room_for_another() -> None:
    """A person may pause just that one."""
    parking = parked_at(0.0)
    parking.started(HOST, 1)
    parking.ended(HOST, 1)
    assert parking.can_start(HOST, FIRST_PAUSE_S)


def test_a_host_that_answers_is_as_one_never_parked() -> None:
    """Its next failures are counted from nothing."""
    parking = parked_at(0.0)
    assert parking.works(HOST)
    assert not parking.works(HOST)
    assert parking.can_start(HOST, 0.0)
    assert not parking.failed(HOST, 1, REFUSED, 0.0)


def test_what_was_added_before_a_host_was_given_up_is_not_tried() -> None:
    """What comes later is, and all is once a person wants it."""
    parking = parked_at(0.0)
    assert HOST in parking.give_up(HOST, 5000.0)
    assert "given up" in parking.given_up_before(HOST, 4999.0)
    assert parking.given_up_before(HOST, 5001.0) == ""
    assert parking.can_start(HOST, 0.0)
    parking.try_again(HOST)
    assert parking.given_up_before(HOST, 4999.0) == ""


def test_with_nothing_else_to_do_the_last_probe_comes_at_once() -> None:
    """Where the time was over long ago, as other hosts had work."""
    parking = parked_at(0.0, park_time_s=10)
    assert parking.hasten(9.0) == []
    probe(parking, 1, 5.0)
    parking.parked[HOST].until_at = 100.0
    assert parking.hasten(11.0) == [HOST]
    assert parking.can_start(HOST, 11.0)


def test_nobody_is_parked_where_a_person_does_not_want_it() -> None:
    """`--park-time 0`."""
    parking = Parking(0)
    assert not any(parking.failed(HOST, key, REFUSED, 0.0) for key in range(100))
    assert not parking._streaks


def test_what_is_known_of_hosts_is_bounded() -> None:
    """A list may name a hundred thousand dead ones."""
    parking = Parking(300)
    for number in range(2 * MOST_STREAKS):
        parking.failed(f"h{number}", number, REFUSED, 0.0)
    assert len(parking._streaks) == MOST_STREAKS
    for number in range(MOST_GIVEN_UP + 10):
        for key in range(FAILURES_TO_PARK):
            parking.failed(f"g{number}", key, REFUSED, 0.0)
        parking.give_up(f"g{number}", 1.0)
    assert len(parking.known_hosts()) == MOST_GIVEN_UP
