"""Rows that stand by: in queue order, and no host's many rows in the way of another's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.task import DownloadTask
from tui_dl.engine.ready_queue import ReadyQueue


def make(number: int, host: str, *, priority: int = 0) -> DownloadTask:
    """Return a row."""
    return DownloadTask(number, f"http://{host}/{number}", "/d", "f", host=host, position=number, priority=priority)


def queue_of(*tasks: DownloadTask) -> ReadyQueue:
    """Return a queue of these rows."""
    queue = ReadyQueue()
    queue.extend(tasks)
    return queue


def taken(queue: ReadyQueue, *full: str) -> list[int]:
    """Take all that may go while these hosts are full."""
    found = []
    while (task := queue.take(lambda host: host not in full, lambda _task: True)) is not None:
        found.append(task.id)
    return found


def test_rows_go_in_order() -> None:
    """As they were put in."""
    queue = queue_of(make(1, "a"), make(2, "b"), make(3, "a"))
    assert taken(queue) == [1, 2, 3]
    assert not queue


def test_rows_of_a_full_host_let_others_pass_and_keep_their_order() -> None:
    """Once it bears more they go first, as they came first."""
    queue = queue_of(make(1, "a"), make(2, "a"), make(3, "b"), make(4, "c"))
    task = queue.take(lambda host: host != "a", lambda _task: True)
    assert task is not None
    assert task.id == 3
    assert list(queue.hosts_aside) == ["a"]
    assert taken(queue) == [1, 2, 4]


def test_priority_goes_first_among_those_that_stand_aside() -> None:
    """Whichever host is free first."""
    queue = queue_of(make(1, "a"), make(2, "b", priority=1))
    assert taken(queue, "a", "b") == []
    assert taken(queue) == [2, 1]


def test_a_row_that_may_not_start_keeps_its_place() -> None:
    """Its host's next one goes instead."""
    queue = queue_of(make(1, "a"), make(2, "a"))
    task = queue.take(lambda _host: True, lambda one: one.id != 1)
    assert task is not None
    assert task.id == 2
    assert taken(queue) == [1]


def test_each_host_is_looked_at_once_however_many_rows_it_has() -> None:
    """Thousands of rows that stand aside cost nothing at the next look."""
    queue = queue_of(*(make(number, "a") for number in range(1000)))
    asked: list[str] = []

    def is_full(host: str) -> bool:
        asked.append(host)
        return False

    for _ in range(3):
        asked.clear()
        queue.take(is_full, lambda _task: True)
    assert asked == ["a"]


@given(
    rows=st.lists(st.sampled_from("abc"), max_size=12),
    full=st.lists(st.sets(st.sampled_from("abc")), max_size=12),
)
def test_every_row_is_taken_once_and_each_hosts_in_order(rows: list[str], full: list[set[str]]) -> None:
    """Whatever hosts are full in between."""
    queue = queue_of(*(make(number, host) for number, host in enumerate(rows)))
    found = [number for hosts in full for number in taken(queue, *hosts)] + taken(queue)
    assert sorted(found) == list(range(len(rows)))
    for host in "abc":
        own = [number for number in found if rows[number] == host]
        assert own == sorted(own)


def hosts_of(queue: ReadyQueue) -> set[str] | None:
    """Return the hosts of all rows where they are known."""
    hosts = queue.hosts_sorted
    return None if hosts is None else set(hosts)


def test_hosts_are_known_once_all_rows_stand_aside() -> None:
    """While some were not looked at nobody can tell."""
    queue = queue_of(make(1, "a"), make(2, "b"), make(3, "a"))
    assert hosts_of(queue) is None
    assert taken(queue, "a", "b") == []
    assert hosts_of(queue) == {"a", "b"}
    assert taken(queue, "a") == [2]
    assert hosts_of(queue) == {"a"}
