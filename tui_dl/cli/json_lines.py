"""Events for programs: one JSON object a line on standard output, a summary as the last."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.task_lines import task_line

if TYPE_CHECKING:
    from tui_dl.cli.printer import Printer
    from tui_dl.cli.tally import Tally
    from tui_dl.core.events import Event
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress, DownloadResult
    from tui_dl.core.url_list import BadLine

TOLD: Final = frozenset(EventKind) - {EventKind.RESUMED, EventKind.REMOVED}
"""Events that programs are told; the others are the screen's."""

PROGRESS_EVERY_S: Final = 0.95
"""Least time between two lines of progress, a little less than the second that is promised: looks come unevenly."""


class JsonReporter:
    """Writes what happens to a batch as JSON lines."""

    wants_progress = True

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._turns = count()
        self._told_at = 0.0

    def on_event(self, event: Event, progress: DownloadProgress | None, tally: Tally) -> None:  # noqa: ARG002  # the port's shape
        """Write one step."""
        if event.kind in TOLD:
            self._write(task_line(event.kind.value, event.task, progress, event.at))

    def on_bad_line(self, line: BadLine, at: float) -> None:
        """Write that a line was left out, as a failure without an id."""
        reason = Reason.BAD_URL.value
        self._write({"event": "failed", "url": line.text_shown, "status": "failed", "reason": reason, "at": at})

    def on_tick(self, snapshot: EngineSnapshot, tally: Tally, at: float) -> None:  # noqa: ARG002  # the port's shape
        """Write how one of the live tasks stands; they take turns, so that there is at most one line a second."""
        if snapshot.live and at - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = at
            live = list(snapshot.live.values())
            progress = live[next(self._turns) % len(live)]
            self._write(task_line("progress", progress.task, progress, at))

    async def room(self) -> None:
        """Wait until the reader has taken what was written."""
        await self._printer.room()

    def summary(self, result: DownloadResult, at: float) -> None:
        """Write the last line."""
        self._write(summary_line(result, at))

    def _write(self, line: dict[str, Any]) -> None:
        # ASCII alone: neither an escape sequence nor a lone surrogate gets through.
        self._printer.line(json.dumps(line, ensure_ascii=True, separators=(",", ":")))


def summary_line(result: DownloadResult, at: float) -> dict[str, Any]:
    """Return the object that ends the output."""
    return {
        "event": "summary",
        "total": result.total,
        "success": result.success,
        "failed": result.failed,
        "skipped": result.skipped,
        "cancelled": result.cancelled,
        "gone": result.gone,
        "failed_urls": result.failed_urls,
        "total_bytes": result.total_bytes,
        "duration_s": round(result.duration_s, 3),
        "files_per_s": round(result.files_per_s, 3),
        "mean_bps": round(result.mean_bps, 1),
        "mean_file_bytes": round(result.mean_file_bytes, 1),
        "success_rate": round(result.success_rate, 6),
        "peak_memory_bytes": result.peak_memory_bytes,
        "errors_by_class": result.errors_by_class,
        "at": at,
    }
