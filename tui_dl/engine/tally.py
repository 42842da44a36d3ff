"""Running totals of a batch, from which a `DownloadResult` is made."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tui_dl.core.manifest import is_gone
from tui_dl.core.media import Kind
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.task import DownloadTask

MAX_FAILED_URLS: Final = 1000


class Tally:
    """Counts tasks as they end; a task that ends twice (a retry) is counted once."""

    def __init__(self) -> None:
        self._ended: Counter[Status] = Counter()
        self._errors: Counter[str] = Counter()
        self._failed_urls: dict[int, str] = {}
        self._total_bytes = 0
        self._gone = 0

    @classmethod
    def of(cls, tasks: Iterable[DownloadTask]) -> Tally:
        """Return the tally of these rows."""
        tally = cls()
        for task in tasks:
            tally.count(task)
        return tally

    def count(self, task: DownloadTask) -> None:
        """Note a task that ended; the head of a playlist is counted by its entries."""
        if task.kind is Kind.PLAYLIST:
            return
        self._ended[task.status] += 1
        if task.status is Status.COMPLETED:
            self._total_bytes += task.total_bytes or 0
        if task.status is Status.FAILED:
            self._errors[str(task.reason)] += 1
            self._gone += is_gone(task)
            if len(self._failed_urls) < MAX_FAILED_URLS:
                self._failed_urls[task.id] = task.url

    def uncount(self, task: DownloadTask) -> None:
        """Take back a task that is tried again."""
        if task.kind is Kind.PLAYLIST:
            return
        self._ended[task.status] -= 1
        if task.status is Status.FAILED:
            self._errors[str(task.reason)] -= 1
            self._gone -= is_gone(task)
            self._failed_urls.pop(task.id, None)

    @property
    def total(self) -> int:
        """Tasks that ended."""
        return self._ended.total()

    def result(self, total: int, duration_s: float) -> DownloadResult:
        """Return the outcome of `total` tasks asked for."""
        return DownloadResult(
            total=total,
            success=self._ended[Status.COMPLETED],
            failed=self._ended[Status.FAILED],
            skipped=self._ended[Status.SKIPPED],
            cancelled=self._ended[Status.CANCELLED],
            failed_urls=list(self._failed_urls.values()),
            total_bytes=self._total_bytes,
            duration_s=duration_s,
            errors_by_class={code: count for code, count in self._errors.items() if count > 0},
            gone=self._gone,
        )
