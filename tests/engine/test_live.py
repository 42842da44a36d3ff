"""The view of a task in hand: made anew while anything moves, kept while it waits."""

from __future__ import annotations

from tui_dl.core.status import Trigger
from tui_dl.core.task import DownloadTask
from tui_dl.engine.live import LiveTask


def waiting_task() -> LiveTask:
    """Return one that began and waits."""
    live = LiveTask(DownloadTask(1, "http://h/f", "/d", "f"), wall_clock=lambda: 0.0)
    live.step(Trigger.START)
    live.step(Trigger.WAIT)
    return live


def test_a_task_that_waits_is_looked_at_once() -> None:
    """Thousands may wait while the screen asks four times a second."""
    live = waiting_task()
    assert live.progress(1.0) is live.progress(2.0)


def test_a_change_of_a_task_that_waits_is_seen() -> None:
    """Of its row, its bytes and its length."""
    live = waiting_task()
    live.progress(1.0)
    live.change(reason_text="later")
    assert live.progress(1.0).task.reason_text == "later"
    live.received_bytes = 7
    assert live.progress(1.0).downloaded_bytes == 7
    live.total_bytes = 70
    assert live.progress(1.0).total_bytes == 70


def test_the_speed_of_a_task_that_waits_runs_out() -> None:
    """What moved just before is not kept as it was then."""
    live = waiting_task()
    live.meter_now(1.0)
    live.received_bytes = 1_000_000
    live.meter_now(2.0)
    assert live.progress(2.0).speed_bps > 0
    assert live.progress(60.0).speed_bps == 0


def test_a_task_that_goes_on_is_seen_as_it_runs() -> None:
    """Each view is a new one."""
    live = waiting_task()
    live.progress(1.0)
    live.step(Trigger.START)
    assert live.progress(1.0).task is live.task
    assert live.progress(1.0) is not live.progress(1.0)
