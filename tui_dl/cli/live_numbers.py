"""What the session that runs knows of the rows beyond their journal: bytes so far, speed, time left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import TuiDlError
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.task import DownloadTask
    from tui_dl.disk.locations import Locations


_PACE: Final = ("speed_bps", "eta_s", "connections")
ANSWER_S: Final = 2.0
"""A list is of the journal: it does not wait for a session that hangs."""


@dataclass(frozen=True, slots=True)
class LiveNumbers:
    """The session at an instant; empty where none runs."""

    rows: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Rows in hand by id, as JSON objects."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows by status."""
    speed_bps: float = 0.0
    """Bytes per second, all of them."""

    def of(self, task: DownloadTask) -> DownloadTask:
        """Return a row with what is known of it now."""
        live = self.rows.get(task.id)
        if live is None:
            return task
        held, total = int(live["downloaded_bytes"]), live["total_bytes"]
        return replace(task, downloaded_bytes=held, total_bytes=total, status=Status(live["status"]))

    def speed_of(self, task_id: int) -> float:
        """Return bytes per second of one, 0 where it does not run."""
        return float(self.rows.get(task_id, {}).get("speed_bps") or 0.0)

    def eta_of(self, task_id: int) -> float | None:
        """Return the seconds left of one, None where nobody knows."""
        return self.rows.get(task_id, {}).get("eta_s")

    def pace_of(self, task_id: int) -> dict[str, Any]:
        """Return what a program may want to know of one that runs, as far as it is known."""
        row = self.rows.get(task_id, {})
        return {name: row[name] for name in _PACE if row.get(name) is not None}


NOTHING_LIVE: Final = LiveNumbers()
"""Where no session runs."""


def live_numbers(locations: Locations) -> LiveNumbers:
    """Ask the session that runs; nothing is known where none does, or where it does not answer soon."""
    from tui_dl.session.calling import Caller  # noqa: PLC0415  # many lists are of what has ended
    from tui_dl.session.lock import Card, held_by  # noqa: PLC0415  # as above
    from tui_dl.session.paths import lock_file_in  # noqa: PLC0415  # as above

    with suppress(TuiDlError):
        card = held_by(lock_file_in(locations.data))
        if isinstance(card, Card) and card.is_here:
            with Caller(card.rpc, ANSWER_S) as caller:
                snapshot = caller.call("tui_dl.snapshot")
            rows = {row["id"]: row for row in snapshot["live"]}
            return LiveNumbers(rows, snapshot["counts"], float(snapshot["speed_bps"]))
    return NOTHING_LIVE
