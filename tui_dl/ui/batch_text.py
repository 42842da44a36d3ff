"""What is said of a batch: how it stands, or how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.status import UNFINISHED, Status
from tui_dl.ui.format import count, duration

if TYPE_CHECKING:
    from tui_dl.core.ports import BatchView
    from tui_dl.ui.row import Look


def unfinished_of(batch: BatchView) -> int:
    """Return how many rows of it still want something."""
    return sum(batch.counts.get(status, 0) for status in UNFINISHED)


def summary_text(batch: BatchView, look: Look) -> str:
    """Return `films: 98 of 100 done, 2 failed, 4.20 GiB in 1:40, 43.0 MiB/s`, safe to show."""
    parts = [f"{count(batch.counts.get(Status.COMPLETED, 0))} of {count(batch.total)} done"]
    ends = (Status.FAILED, Status.SKIPPED, Status.CANCELLED)
    parts += [f"{count(number)} {status.value}" for status in ends if (number := batch.counts.get(status, 0))]
    if left := unfinished_of(batch):
        parts.append(f"{count(left)} to do")
    if batch.started_at is not None and batch.finished_at is not None:
        took_s = max(0.0, batch.finished_at - batch.started_at)
        parts.append(f"{look.units.size(batch.total_bytes)} in {duration(took_s)}")
        if took_s >= 1 and (speed := look.units.speed(batch.total_bytes / took_s)):
            parts.append(speed)
    return f"{look.glyphs.text(batch.name) or 'added'}: {', '.join(parts)}"
