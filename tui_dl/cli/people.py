"""Progress for people on standard error: a status line on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import REASONS
from tui_dl.core.events import EventKind
from tui_dl.core.task import Flag
from tui_dl.ui.format import duration, units_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.cli.batch import Tally
    from tui_dl.cli.printer import Printer
    from tui_dl.core.errors import Reason
    from tui_dl.core.events import Event
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress, DownloadResult, DownloadTask
    from tui_dl.core.url_list import BadLine

PIPE_LINE_EVERY_S: Final = 10.0
"""How often progress is told where no terminal can redraw it."""
_FLAG_WORDS: Final = {
    Flag.LENGTH_UNVERIFIED: "length unverified",
    Flag.VERSION_UNVERIFIED: "version unverified",
    Flag.RESTARTED: "changed on the server, fetched anew",
    Flag.INSECURE: "server not verified",
}


class PeopleReporter:
    """Tells a person how a batch goes."""

    def __init__(self, printer: Printer, *, is_terminal: bool, units: str, shown: Callable[[str], str]) -> None:
        self._printer = printer
        self._is_terminal = is_terminal
        self._units = units_named(units)
        self._shown = shown
        self._told_at = 0.0

    def on_event(self, event: Event, progress: DownloadProgress | None) -> None:  # noqa: ARG002  # the port's shape
        """Write a line for each task that ended or has to wait."""
        words = self._words(event.kind, event.task)
        if words:
            self.note(words)

    def _words(self, kind: EventKind, task: DownloadTask) -> str:
        name = task.filename or mask_secrets(task.url)
        if kind is EventKind.COMPLETED:
            size = self._units.size(task.total_bytes if task.total_bytes is not None else task.downloaded_bytes)
            notes = "".join(f", {_FLAG_WORDS[flag]}" for flag in sorted(task.flags))
            return f"done     {task.path or name} ({size}{notes})"
        if kind is EventKind.SKIPPED:
            return f"skipped  {name}: {task.reason_text or 'it is there already'}"
        if kind is EventKind.FAILED:
            return f"failed   {name}: {_reason_words(task)}"
        if kind in (EventKind.WAITING, EventKind.RETRYING) and task.reason is not None:
            return f"waits    {name}: {_reason_words(task)}"
        return f"{kind.value:<8} {name}" if kind in (EventKind.PAUSED, EventKind.CANCELLED) else ""

    def on_bad_line(self, line: BadLine, at: float) -> None:  # noqa: ARG002  # the port's shape
        """Write that a line of the list was left out."""
        self.note(f"failed   {line.message}")

    def on_tick(self, snapshot: EngineSnapshot, tally: Tally, at: float) -> None:
        """Redraw the status line, or write it as a line of its own now and then."""
        words = self._shown(self._status(snapshot, tally))
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns
            self._printer.status(display_text(words, max(columns - 1, 1)))
        elif at - self._told_at >= PIPE_LINE_EVERY_S:
            self._told_at = at
            self._printer.line(words)

    def _status(self, snapshot: EngineSnapshot, tally: Tally) -> str:
        failed = tally.outcomes[EventKind.FAILED]
        parts = [
            f"{tally.ended} of {tally.total}",
            f"{self._units.speed(snapshot.speed_bps)}",
            f"{failed} failed" if failed else "",
        ]
        live = sorted(snapshot.live.values(), key=lambda one: one.task.position)
        if len(live) == 1 and (progress := live[0]).percentage is not None:
            left = f", {duration(progress.eta_s)} left" if progress.eta_s is not None else ""
            parts.append(f"{progress.percentage:.0f} % of {self._units.size(progress.total_bytes or 0)}{left}")
        if live:
            parts.append(live[0].task.filename + (f" and {len(live) - 1} more" if len(live) > 1 else ""))
        return " · ".join(part for part in (*parts, *snapshot.notices) if part)

    async def room(self) -> None:
        """Wait until the reader has taken what was written."""
        await self._printer.room()

    def closing(self, tally: Tally, result: DownloadResult) -> None:
        """Write the failures with their way out, then one line that sums up."""
        for failure in tally.failures:
            for line in explain(failure.name, failure.reason, failure.text):
                self.note(line)
        more = result.failed - len(tally.failures)
        if more > 0:
            self.note(f"... and {more} more failures")
        self.note(self._sum(result))

    def note(self, text: str) -> None:
        """Write one line."""
        self._printer.line(self._shown(text))

    def _sum(self, result: DownloadResult) -> str:
        open_count = result.total - result.success - result.failed - result.skipped - result.cancelled
        counts = (
            (result.success, "done"),
            (result.failed, "failed"),
            (result.skipped, "skipped"),
            (result.cancelled, "cancelled"),
            (open_count, "unfinished"),
        )
        said = ", ".join(f"{number} {word}" for number, word in counts if number) or "nothing to do"
        size = self._units.size(result.total_bytes)
        return f"{said} · {size} in {result.duration_s:.1f} s"


def explain(name: str, reason: Reason, text: str) -> tuple[str, str]:
    """Return what happened, with its reason code, and the way out."""
    facts = REASONS[reason]
    return f"{mask_secrets(name)}: {mask_secrets(text) or facts.meaning} [{reason}]", f"    {facts.hint}"


def _reason_words(task: DownloadTask) -> str:
    if task.reason_text:
        return mask_secrets(task.reason_text)
    return REASONS[task.reason].meaning if task.reason is not None else "no reason given"
