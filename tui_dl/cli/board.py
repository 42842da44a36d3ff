"""The lines that a person watches while a batch runs: how far, how fast, where it is slow, where it fails."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tui_dl.cli.frame import Line, Span, Style
from tui_dl.cli.pulse import HostCounts, Pulse, slowest_hosts
from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import REASONS
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status
from tui_dl.ui.format import count, duration, percent, wait_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui_dl.cli.tally import Tally
    from tui_dl.core.events import Event
    from tui_dl.core.ports import EngineSnapshot
    from tui_dl.core.task import DownloadProgress
    from tui_dl.ui.format import Units

FEW_TASKS: Final = 5
"""So many tasks have a line each."""
MOST_LARGE: Final = 3
"""Large files of a long batch that have a line each."""
LARGE_BYTES: Final = 16 * 1024 * 1024
"""From this size on a file of a long batch is watched by itself."""
MOST_HOSTS: Final = 3
"""Hosts that a line names."""
MOST_BAR_CELLS: Final = 24
"""Longest bar; a narrow terminal has a shorter one, then none."""
MOST_NAME_CELLS: Final = 40
LEAST_COLUMNS: Final = 50
"""A terminal that is no wider has no bars."""
_BARS: Final = {True: ("━", "─"), False: ("#", "-")}
_DOT: Final = " · "
_USUAL_COLUMNS: Final = 100


class Board:
    """Makes the frame of a terminal, and the one line of a pipe."""

    def __init__(self, units: Units, *, has_utf8: bool) -> None:
        self._units = units
        self._full, self._empty = _BARS[has_utf8]
        self._pulse = Pulse()
        self._failing = HostCounts()
        self._columns = _USUAL_COLUMNS

    def hear(self, event: Event) -> None:
        """Count where tasks fail."""
        if event.kind is EventKind.FAILED:
            self._failing.add(event.task.host)

    def look(self, tally: Tally, at: float) -> None:
        """Take in how far it is; before each picture."""
        self._pulse.look(tally.ended, at)

    def line(self, snapshot: EngineSnapshot, tally: Tally) -> str:
        """Return one line for a log."""
        live = _running(snapshot)
        done = f"{count(tally.ended)} of {self._total(tally)}"
        parts = [done, *self._pace(snapshot, tally), _failures(tally), _waiting(snapshot)]
        if len(live) == 1 and tally.total == 1:
            parts = [self._one(live[0])]
        return _DOT.join(part for part in (*parts, *snapshot.notices) if part)

    def lines(self, snapshot: EngineSnapshot, tally: Tally, at: float, columns: int = _USUAL_COLUMNS) -> list[Line]:
        """Return the frame for a terminal of this width."""
        self._columns = columns
        live = _running(snapshot)
        is_short = tally.total <= FEW_TASKS
        lines = [] if tally.total == 1 else [self._whole(snapshot, tally), *self._counts(snapshot, tally)]
        if not is_short:
            lines += self._slow(snapshot, at)
            lines += self._failing_hosts()
        wanted = live[:FEW_TASKS] if is_short else _large(live)
        lines += [self._file(one) for one in wanted]
        lines += [(Span(notice, Style.BAD),) for notice in snapshot.notices]
        return lines or [(Span("connecting" if tally.total else "reading the list", Style.FAINT),)]

    def _whole(self, snapshot: EngineSnapshot, tally: Tally) -> Line:
        share = tally.ended / tally.total if tally.total else 0.0
        shown = percent(100 * share if tally.is_list_read else min(100 * share, 99))
        done = f" {shown:>5}  {count(tally.ended)} of {self._total(tally)}"
        return (*self._bar(share), Span(_DOT.join((done, *self._pace(snapshot, tally)))))

    def _pace(self, snapshot: EngineSnapshot, tally: Tally) -> list[str]:
        rate = self._pulse.files_per_s
        left = tally.total - tally.ended
        eta_s = self._pulse.eta_s(left, snapshot.live.values()) if left else None
        parts = (
            f"{rate:,.0f} files/s" if rate is not None and rate >= 10 else f"{rate:.1f} files/s" if rate else "",
            self._units.speed(snapshot.speed_bps),
            f"{duration(eta_s)} left" if eta_s is not None and tally.is_list_read else "",
        )
        return [part for part in parts if part]

    def _total(self, tally: Tally) -> str:
        return f"{count(tally.total)}{'' if tally.is_list_read else '+'}"

    def _counts(self, snapshot: EngineSnapshot, tally: Tally) -> Iterator[Line]:
        running = sum(one.task.status is not Status.WAITING for one in snapshot.live.values())
        good = f"{count(tally.outcomes[EventKind.COMPLETED])} done"
        skipped = tally.outcomes[EventKind.SKIPPED]
        others = [f"{count(number)} {word}" for number, word in ((skipped, "skipped"), (running, "running")) if number]
        others += [waiting] if (waiting := _waiting(snapshot)) else []
        failed = _failures(tally)
        spans = [Span(" "), Span(good, Style.GOOD)]
        if failed:
            spans += [Span(_DOT), Span(failed, Style.BAD)]
        yield (*spans, Span("".join(f"{_DOT}{one}" for one in others)))

    def _slow(self, snapshot: EngineSnapshot, at: float) -> Iterator[Line]:
        words = []
        for one in slowest_hosts(snapshot, at, MOST_HOSTS):
            if one.due_at is not None:
                words.append(f"{one.host} waits {wait_time(max(one.due_at - at, 0.0))}")
            else:
                words.append(f"{one.host} {self._units.speed(one.each_bps) or '0 B/s'}")
        if words:
            yield (Span(" slowest ", Style.FAINT), Span(_DOT.join(words)))

    def _failing_hosts(self) -> Iterator[Line]:
        if len(self._failing):
            words = [f"{host} {count(number)}" for host, number in self._failing.most_common(MOST_HOSTS)]
            yield (Span(" failing ", Style.FAINT), Span(_DOT.join(words)))

    def _file(self, progress: DownloadProgress) -> Line:
        share = (progress.percentage or 0.0) / 100
        return (*self._bar(share), Span(f" {self._one(progress)}"))

    def _one(self, progress: DownloadProgress) -> str:
        task = progress.task
        # Known first: a line that is cut must still say which file it is of.
        name = display_text(task.filename or mask_secrets(task.url), min(MOST_NAME_CELLS, self._columns // 3))
        if task.status is Status.WAITING:
            return f"{name}: waits, {mask_secrets(task.reason_text)}"
        size = self._units.size(progress.downloaded_bytes)
        if progress.total_bytes is not None:
            size = f"{percent(progress.percentage)} of {self._units.size(progress.total_bytes)}"
        parts = (
            name,
            size,
            self._units.speed(progress.speed_bps),
            f"{duration(progress.eta_s)} left" if progress.eta_s is not None else "",
            f"{progress.connections} connections" if progress.connections > 1 else "",
        )
        return _DOT.join(part for part in parts if part)

    def _bar(self, share: float) -> tuple[Span, ...]:
        cells = min(MOST_BAR_CELLS, (self._columns - LEAST_COLUMNS) // 2)
        if cells <= 0:
            return ()
        full = round(cells * min(max(share, 0.0), 1.0))
        return Span(f" {self._full * full}", Style.GOOD), Span(self._empty * (cells - full), Style.FAINT)


def failed_words(failed: int, gone: int) -> str:
    """Return how many failed, and how many of them the server does not have; empty for none."""
    if not failed:
        return ""
    return f"{count(failed)} failed" + (f" ({'' if gone == failed else f'{count(gone)} '}gone)" if gone else "")


def _failures(tally: Tally) -> str:
    return failed_words(tally.outcomes[EventKind.FAILED], tally.gone)


def _waiting(snapshot: EngineSnapshot) -> str:
    """Return how many tasks in hand wait, and why most of them do; empty for none."""
    reasons = Counter(one.task.reason for one in snapshot.live.values() if one.task.status is Status.WAITING)
    if not reasons:
        return ""
    ((reason, _),) = reasons.most_common(1)
    return f"{count(reasons.total())} waiting" + (f": {REASONS[reason].meaning}" if reason is not None else "")


def _running(snapshot: EngineSnapshot) -> list[DownloadProgress]:
    return sorted(snapshot.live.values(), key=lambda one: one.task.position)


def _large(live: list[DownloadProgress]) -> list[DownloadProgress]:
    large = [one for one in live if (one.total_bytes or one.downloaded_bytes) >= LARGE_BYTES]
    # By position, not by size: a line keeps its place.
    return large[:MOST_LARGE]
