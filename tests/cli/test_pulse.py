"""Rates, time left, slow and failing hosts, counted in bounded memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.cli.fake_engine import AT, SIZE_BYTES, FakeEngine, task_of
from tui_dl.cli.pulse import MOST_HOSTS, SLOW_AFTER_S, WINDOW_S, HostCounts, Pulse, slowest_hosts
from tui_dl.core.task import DownloadProgress

if TYPE_CHECKING:
    from tui_dl.core.ports import EngineSnapshot


def running(number: int, host: str, speed_bps: float, **changes: object) -> DownloadProgress:
    """Return a task that runs for long enough to be judged."""
    task = task_of(f"http://{host}/{number}", number, host=host, started_at=AT - SLOW_AFTER_S, **changes)
    return DownloadProgress(task, 250, SIZE_BYTES, speed_bps, 30.0, 1)


def snapshot_of(*live: DownloadProgress) -> EngineSnapshot:
    """Return a snapshot of these tasks."""
    speed_bps = sum(one.speed_bps for one in live)
    return replace(FakeEngine().snapshot(), live={one.task.id: one for one in live}, speed_bps=speed_bps)


def test_files_per_second_are_those_of_the_last_seconds() -> None:
    """A slow beginning is forgotten; of less than a second nothing is said."""
    pulse = Pulse()
    rates = []
    for second in range(100):
        pulse.look(100 * max(0, second - 60), AT + second)
        rates.append(pulse.files_per_s)
    assert (rates[0], rates[1], rates[-1]) == (None, 0.0, 100.0)
    assert len(pulse._looks) <= WINDOW_S + 2


def test_the_time_left_is_by_files_and_at_last_by_what_the_files_say() -> None:
    """One large file that is left decides when the batch ends."""
    pulse = Pulse()
    pulse.look(0, AT)
    pulse.look(50, AT + 5)
    live = [running(1, "a", 10.0), replace(running(2, "a", 1.0), eta_s=75.0)]
    assert pulse.eta_s(100, live) == 10.0
    assert pulse.eta_s(2, live) == 75.0
    assert pulse.eta_s(2, [live[0], replace(live[1], eta_s=None)]) is None


def test_hosts_below_the_mean_are_slow_the_waiting_ones_first() -> None:
    """What has just begun says nothing, and a host of which one task runs does not wait."""
    waiting = running(3, "busy", 0.0, due_at=AT + 20)
    mixed = (running(4, "mixed", 1.0), running(5, "mixed", 0.0, due_at=AT + 9))
    fresh = DownloadProgress(task_of("http://new/", 6, host="new", started_at=AT), 0, None)
    slow = slowest_hosts(
        snapshot_of(running(1, "quick", 900.0), running(2, "slow", 5.0), waiting, *mixed, fresh), AT, 3
    )
    assert [(one.host, one.due_at) for one in slow] == [("busy", AT + 20), ("mixed", None), ("slow", None)]


def test_one_host_is_not_slow_by_itself() -> None:
    """There is nothing to compare it with."""
    assert slowest_hosts(snapshot_of(running(1, "a", 1.0), running(2, "a", 9.0)), AT, 3) == []


def test_of_very_many_hosts_those_that_fail_most_are_kept() -> None:
    """A hundred thousand dead names take no memory."""
    counts = HostCounts()
    for number in range(20 * MOST_HOSTS):
        counts.add("often")
        counts.add(f"h{number}")
    assert counts.most_common(1) == [("often", 20 * MOST_HOSTS)]
    assert len(counts) <= 2 * MOST_HOSTS
