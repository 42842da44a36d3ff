"""Where changes of state become durable and known: journal first, then the listeners."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tui_dl.core.display_text import mask_url
from tui_dl.core.errors import FileSystemError
from tui_dl.core.events import Event, EventKind, LateEvent
from tui_dl.core.status import FINISHED
from tui_dl.engine.listening import Listeners
from tui_dl.engine.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.core.events import HasTask
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.live import LiveTask
    from tui_dl.journal.journal import Journal

logger = logging.getLogger(__name__)


async def save_rows(journal: Journal, tasks: Sequence[DownloadTask]) -> None:
    """Record rows, durably.

    Where the journal's own disk refuses, the journal keeps them and tries again: a file that has its final name stays
    completed, and a stop stays a stop.
    """
    try:
        await journal.save_many(tasks)
    except FileSystemError as error:
        logger.warning("%d rows are recorded later: %s", len(tasks), error)
        for task in tasks:
            journal.save_soon(task)


class Ledger:
    """Saves rows, tells listeners, keeps the totals."""

    def __init__(self, journal: Journal, wall_clock: Callable[[], float]) -> None:
        self.journal = journal
        self.tally = Tally()
        self.changes = 0
        """Grows with every change of a row that is in hand."""
        self._wall_clock = wall_clock
        self._listeners = Listeners()

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` for each event; the returned function ends that."""
        return self._listeners.subscribe(listener)

    def tell(self, kind: EventKind, task: DownloadTask) -> None:
        """Tell every listener; one that fails does not keep the others from hearing it."""
        if task.status in FINISHED and kind is not EventKind.REMOVED:
            self.tally.count(task)
        self.pass_on(kind, task)

    def tell_added(self, rows: Sequence[HasTask]) -> None:
        """Tell every listener of rows that were added and wait for their turn."""
        if logger.isEnabledFor(logging.INFO):
            for row in rows:
                self.pass_on(EventKind.ADDED, row.task)
            return
        self.changes += len(rows)
        if self._listeners.are_there:
            at = self._wall_clock()
            for row in rows:
                self._listeners.tell(LateEvent(EventKind.ADDED, row, at))

    def pass_on(self, kind: EventKind, task: DownloadTask) -> None:
        """Tell every listener of a step that ends nothing, whatever the row says already."""
        self.changes += 1
        if logger.isEnabledFor(logging.INFO):
            why = f" ({task.reason_text})" if task.reason is not None else ""
            logger.info("%s: %s %s%s", task.id, kind, mask_url(task.url), why)
        self._listeners.tell(Event(kind, task, self._wall_clock()))

    async def record(self, lives: Sequence[LiveTask], kind: EventKind) -> None:
        """Save a change of each durably, all at once, then tell them."""
        await save_rows(self.journal, [live.task for live in lives])
        for live in lives:
            self._saved(live)
            self.tell(kind, live.task)

    def record_soon(self, live: LiveTask, kind: EventKind) -> None:
        """Tell a change at once and let the journal group it."""
        self.journal.save_soon(live.task)
        self._saved(live)
        self.tell(kind, live.task)

    def keep_story(self, live: LiveTask) -> None:
        """Let the journal keep the log of a completed task, if there is more to tell than one request."""
        if live.has_story:
            self._keep_log(live)

    def _saved(self, live: LiveTask) -> None:
        live.stored = live.task
        self._keep_log(live)

    def _keep_log(self, live: LiveTask) -> None:
        for line in live.take_lines():
            self.journal.log(live.task.id, line)
