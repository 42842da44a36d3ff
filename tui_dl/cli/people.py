"""Words for people on standard error: a frame on a terminal, a line now and then in a pipe, and how it ended."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from tui_dl.cli.board import Board, failed_words
from tui_dl.cli.frame import Span
from tui_dl.core.display_text import mask_secrets
from tui_dl.core.errors import REASONS
from tui_dl.core.events import EventKind
from tui_dl.core.task import Flag
from tui_dl.ui.format import count, duration, units_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.cli.printer import Printer
    from tui_dl.cli.tally import Tally
    from tui_dl.cli.terminal import Terminal
    from tui_dl.core.errors import Reason
    from tui_dl.core.events import Event
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress, DownloadResult, DownloadTask
    from tui_dl.core.url_list import BadLine

PIPE_LINE_EVERY_S: Final = 10.0
"""How often progress is told where no terminal can redraw it."""
MOST_NOTED: Final = 50
"""A batch of more tasks is told by numbers: its single files have no lines of their own."""
MOST_FAILURES_NOTED: Final = 20
"""Failures of such a batch that still have a line each, and that are explained one by one at the end."""
MOST_REASONS: Final = 10
"""Reasons that the end explains where there are more failures than that."""
MOST_HOSTS: Final = 3
"""Hosts that it names with each."""
_FLAG_WORDS: Final = {
    Flag.LENGTH_UNVERIFIED: "length unverified",
    Flag.VERSION_UNVERIFIED: "version unverified",
    Flag.RESTARTED: "changed on the server, fetched anew",
    Flag.INSECURE: "server not verified",
}
_KEY: Final = "with r"
_AGAIN: Final = "with the same command"
_OF_FILES: Final = frozenset({EventKind.COMPLETED, EventKind.SKIPPED, EventKind.WAITING, EventKind.RETRYING})
"""What is told of single files in a short batch alone."""


class PeopleReporter:
    """Tells a person how a batch goes."""

    wants_progress = False

    def __init__(
        self,
        printer: Printer,
        *,
        terminal: Terminal | None,
        units: str,
        shown: Callable[[str], str],
        is_verbose: bool = False,
    ) -> None:
        """Draw a frame where there is a terminal; `is_verbose`: tell of every file of the longest batch."""
        self._printer = printer
        self._terminal = terminal
        self._units = units_named(units)
        self._shown = shown
        self._is_verbose = is_verbose
        self._board = Board(self._units, has_utf8=terminal is not None and terminal.has_utf8)
        self._told_at = 0.0
        self._noted_failures = 0

    def on_event(self, event: Event, progress: DownloadProgress | None, tally: Tally) -> None:  # noqa: ARG002  # the port's shape
        """Write a line for each task that ended or has to wait, unless there are too many of them."""
        self._board.hear(event)
        is_short = self._is_verbose or tally.total <= MOST_NOTED
        if event.kind in _OF_FILES and not is_short:
            return
        if event.kind is EventKind.FAILED:
            self._noted_failures += 1
            if not is_short and self._noted_failures > MOST_FAILURES_NOTED:
                if self._noted_failures == MOST_FAILURES_NOTED + 1:
                    self.note("further failures are counted, and summed up at the end; -v tells of each")
                return
        words = self._words(event.kind, event.task, is_short=tally.total <= MOST_NOTED)
        if words:
            self.note(words)

    def _words(self, kind: EventKind, task: DownloadTask, *, is_short: bool) -> str:
        # Of many files several may have one name.
        name = (task.filename if is_short else "") or mask_secrets(task.url)
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
        """Write that a line of the list was left out, for the first ones."""
        self._noted_failures += 1
        if self._is_verbose or self._noted_failures <= MOST_NOTED:
            self.note(f"failed   {line.message}")
        elif self._noted_failures == MOST_NOTED + 1:
            self.note("further bad lines are counted; -v tells of each, and so does --failed-list")

    def on_tick(self, snapshot: EngineSnapshot, tally: Tally, at: float) -> None:
        """Redraw the frame, or write a line now and then."""
        self._board.look(tally, at)
        if self._terminal is not None:
            lines = self._board.lines(snapshot, tally, at, self._terminal.size()[0])
            self._printer.frame([tuple(Span(self._shown(text), style) for text, style in line) for line in lines])
        elif at - self._told_at >= PIPE_LINE_EVERY_S:
            # The first one after a while: a short run needs none.
            if self._told_at:
                self.note(self._board.line(snapshot, tally))
            self._told_at = at

    def working(self, text: str) -> None:
        """Show what is done after the last download."""
        self._printer.frame([(Span(self._shown(text)),)])

    async def room(self) -> None:
        """Wait until the reader has taken what was written."""
        await self._printer.room()

    def closing(self, tally: Tally, result: DownloadResult) -> None:
        """Write the failures with their way out, then what sums up."""
        self._printer.frame(())
        if result.failed > MOST_FAILURES_NOTED:
            self._sum_up_failures(tally, result)
        else:
            for _, alike in groupby(tally.failures, lambda failure: failure.reason):
                # One way out for those that stand together: a list of bad lines would repeat it below each.
                *earlier, last = [explain(one.name, one.reason, one.text) for one in alike]
                for line in (*(words for words, _ in earlier), *last):
                    self.note(line)
        self.note(self._sum(result))

    def _sum_up_failures(self, tally: Tally, result: DownloadResult) -> None:
        """Write the failures by reason, with the hosts that have the most of each."""
        for reason, number in tally.reasons.most_common(MOST_REASONS):
            facts = REASONS[reason]
            hosts = Counter({host: many for (why, host), many in tally.places.items() if why is reason and host})
            named = ", ".join(f"{host} {count(many)}" for host, many in hosts.most_common(MOST_HOSTS))
            where = f" at {named}" if named else ""
            self.note(f"{count(number)} x {facts.meaning} [{reason}]{where}")
            self.note(f"    {_way_out(facts.hint)}")
        self.note(f"{count(result.failed)} failed; `tui-dl ls --failed --group` and --failed-list FILE name them")

    def note(self, text: str) -> None:
        """Write one line."""
        self._printer.line(self._shown(text))

    def _sum(self, result: DownloadResult) -> str:
        open_count = result.total - result.success - result.failed - result.skipped - result.cancelled
        others = ((result.skipped, "skipped"), (result.cancelled, "cancelled"), (open_count, "unfinished"))
        counts = (
            f"{count(result.success)} done" if result.success else "",
            failed_words(result.failed, result.gone),
            *(f"{count(number)} {word}" for number, word in others if number),
        )
        said = ", ".join(one for one in counts if one) or "nothing to do"
        parts = [said, f"{self._units.size(result.total_bytes)} in {_took(result.duration_s)}"]
        if result.success > 1:
            parts += [
                self._units.speed(result.mean_bps),
                f"{result.files_per_s:,.1f} files/s",
                f"{self._units.size(result.mean_file_bytes)} each",
            ]
        if result.success > MOST_NOTED and result.peak_memory_bytes is not None:
            parts.append(f"{self._units.size(result.peak_memory_bytes)} of memory")
        return " · ".join(part for part in parts if part)


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def explain(name: str, reason: Reason, text: str) -> tuple[str, str]:
    """Return what happened, with its reason code, and the way out."""
    facts = REASONS[reason]
    return f"{mask_secrets(name)}: {mask_secrets(text) or facts.meaning} [{reason}]", f"    {_way_out(facts.hint)}"


def _way_out(hint: str) -> str:
    """Return a hint for somebody without the screen: there is no key, and the same command tries again what failed."""
    return hint.replace(_KEY, _AGAIN)


def _reason_words(task: DownloadTask) -> str:
    if task.reason_text:
        return mask_secrets(task.reason_text)
    return REASONS[task.reason].meaning if task.reason is not None else "no reason given"
