"""What came of a batch so far, counted from events; bounded however long the batch is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui_dl.cli.memory import peak_memory_bytes
from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.manifest import is_gone
from tui_dl.core.media import Kind
from tui_dl.core.task import DownloadResult

if TYPE_CHECKING:
    from tui_dl.core.events import Event
    from tui_dl.core.url_list import BadLine

MOST_FAILED_URLS: Final = 1_000
"""Addresses of failed tasks that a summary names."""
MOST_EXPLAINED: Final = 50
"""Failures that are explained one by one at the end."""
MOST_PLACES: Final = 1_000
"""Pairs of reason and host that are counted at once; beyond, those with the fewest failures are forgotten."""
_OUTCOMES: Final = frozenset({EventKind.COMPLETED, EventKind.FAILED, EventKind.SKIPPED, EventKind.CANCELLED})


@dataclass(slots=True)
class Failure:
    """A failed task as it is explained at the end."""

    name: str
    """Its address, since several files may have one name; or the list and the number of its line."""
    reason: Reason
    """Documented reason."""
    text: str
    """What happened, in words."""


@dataclass(slots=True)
class Tally:
    """What came of a batch so far, counted from events."""

    began_at: float
    """Unix time of the start."""
    total: int = 0
    """Tasks asked for, bad lines included."""
    bad_lines: int = 0
    """Lines that held no usable address; they count as failed too."""
    is_list_read: bool = False
    """Whether every line was read, so that `total` is final."""
    gone: int = 0
    """Those of the failed that the server does not have."""
    outcomes: Counter[EventKind] = field(default_factory=Counter)
    """How many ended how."""
    total_bytes: int = 0
    """Bytes of completed files."""
    reasons: Counter[Reason] = field(default_factory=Counter)
    """Failures by reason."""
    places: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    """Failures by reason and host; of very many hosts those with the most."""
    failed_urls: list[str] = field(default_factory=list)
    """Addresses of failed tasks, the first `MOST_FAILED_URLS`."""
    failures: list[Failure] = field(default_factory=list)
    """The first `MOST_EXPLAINED` failures."""

    @property
    def ended(self) -> int:
        """Tasks that want nothing more."""
        return sum(self.outcomes.values())

    def count(self, event: Event) -> None:
        """Take in one event."""
        task = event.task
        if event.kind not in _OUTCOMES or task.kind is Kind.PLAYLIST:
            return
        self.outcomes[event.kind] += 1
        if event.kind is EventKind.COMPLETED:
            self.total_bytes += task.downloaded_bytes if task.total_bytes is None else task.total_bytes
        if event.kind is EventKind.FAILED:
            self.gone += is_gone(task)
            reason = task.reason or Reason.INTERNAL
            self._fail(task.url, task.url, reason, task.reason_text)
            self.places[reason, task.host] += 1
            if len(self.places) > 2 * MOST_PLACES:
                self.places = Counter(dict(self.places.most_common(MOST_PLACES)))

    def count_bad_line(self, line: BadLine) -> None:
        """Take in a line that was left out: it was asked for and failed."""
        self.total += 1
        self.bad_lines += 1
        self.outcomes[EventKind.FAILED] += 1
        self._fail(f"{line.name}:{line.number}", line.text_shown, Reason.BAD_URL, line.problem)

    def _fail(self, name: str, url: str, reason: Reason, text: str) -> None:
        self.reasons[reason] += 1
        if len(self.failed_urls) < MOST_FAILED_URLS:
            self.failed_urls.append(url)
        if len(self.failures) < MOST_EXPLAINED:
            self.failures.append(Failure(name, reason, text))

    def result(self, now: float) -> DownloadResult:
        """Return the outcome as a record."""
        return DownloadResult(
            total=self.total,
            success=self.outcomes[EventKind.COMPLETED],
            failed=self.outcomes[EventKind.FAILED],
            skipped=self.outcomes[EventKind.SKIPPED],
            cancelled=self.outcomes[EventKind.CANCELLED],
            failed_urls=list(self.failed_urls),
            total_bytes=self.total_bytes,
            duration_s=max(now - self.began_at, 0.0),
            errors_by_class={reason.value: count for reason, count in self.reasons.most_common()},
            gone=self.gone,
            peak_memory_bytes=peak_memory_bytes(),
        )
