"""A task's log and what is known of hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.events import LogLine
from tui_dl.journal.records import LOG_LINES

if TYPE_CHECKING:
    from tui_dl.journal.journal import Journal


async def test_the_last_lines_of_each_task_are_kept(journal: Journal) -> None:
    """An endless retry does not fill the disk, nor push out another task's log."""
    journal.log(2, LogLine(0.5, "another's"))
    for number in range(LOG_LINES + 50):
        journal.log(1, LogLine(float(number), f"line {number}"))
        if number % 60 == 0:
            await journal.flush()
    lines = await journal.log_of(1)
    assert [line.text for line in lines] == [f"line {number}" for number in range(50, LOG_LINES + 50)]
    assert await journal.log_of(2) == (LogLine(0.5, "another's"),)


async def test_hosts_are_remembered(journal: Journal) -> None:
    """The last facts of a host count."""
    await journal.save_hosts({"h.example": {"connections": 8}}, 1.0, keep_s=10.0)
    await journal.save_hosts({"h.example": {"connections": 4}}, 2.0, keep_s=10.0)
    assert await journal.load_hosts() == {"h.example": ({"connections": 4}, 2.0)}
