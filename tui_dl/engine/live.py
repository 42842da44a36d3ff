"""A task that the engine has in hand: its row, its counters, its log. The counters are plain integers on the loop."""

from __future__ import annotations

import logging
import os
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text, mask_header, mask_secrets
from tui_dl.core.events import LogLine
from tui_dl.core.rate import SpeedMeter, eta_s
from tui_dl.core.status import Status, Trigger, advance
from tui_dl.core.task import DownloadProgress, changed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui_dl.core.host_budget import HostBudget
    from tui_dl.core.ports import Transport
    from tui_dl.core.splitting import SegmentPlan
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.reading import Reading
    from tui_dl.engine.sources import Sources

logger = logging.getLogger(__name__)

LOG_LINES: Final = 200
MAX_LOG_CHARS: Final = 500
MOST_BODIES_BYTES: Final = 8 * 1024 * 1024
"""Whole small bodies in memory; with more of them the next ones go to part files piece by piece."""
ROOM_PART: Final = 4
"""With more than one such part of them in memory a slot is free again only when its body is written: a slow disk slows
the asking."""


class Traffic:
    """Bytes received by all tasks of an engine; plain integers on the loop."""

    def __init__(self) -> None:
        self.received_bytes = 0
        self._bodies: dict[int, int] = {}
        self._bodies_bytes = 0

    def takes_body(self, task_id: int, size_bytes: int) -> bool:
        """Whether a small body may be kept in memory whole; `forget_body()` ends that."""
        if self._bodies_bytes + size_bytes > MOST_BODIES_BYTES:
            return False
        self._bodies[task_id] = size_bytes
        self._bodies_bytes += size_bytes
        return True

    @property
    def has_room(self) -> bool:
        """Whether bodies that wait for the disk are so few that more may come meanwhile."""
        return self._bodies_bytes <= MOST_BODIES_BYTES // ROOM_PART

    def forget_body(self, task_id: int) -> None:
        """Note that a body was written, or did not come; a second call does nothing."""
        self._bodies_bytes -= self._bodies.pop(task_id, 0)


def _never(_name: str) -> bool:
    return False


class LiveTask:
    """One task in hand. Its status changes through `step()` alone."""

    def __init__(self, task: DownloadTask, *, wall_clock: Callable[[], float], traffic: Traffic | None = None) -> None:
        self.task = task
        """The row as it is now; the journal may lag behind for small files."""
        self.stored = task
        """The row as the journal holds it."""
        self.received_bytes = task.downloaded_bytes
        """Bytes received and handed on, over all attempts."""
        self.total_bytes = task.total_bytes
        """Length, None while unknown."""
        self._meter: SpeedMeter | None = None
        self.peak_bps = 0.0
        self.connections: list[Reading] = []
        """Connections at work."""
        self.plan: SegmentPlan | None = None
        """Ranges of the running transfer; None outside of one."""
        self.active_s = 0.0
        """Seconds that its attempts ran since it was taken in hand."""
        self.sources: Sources | None = None
        """Addresses of the running transfer; None outside of one."""
        self.local_waits = 0
        """Attempts in a row that a local condition (full disk, quota, descriptors) ended without progress."""
        self.may_be_named = False
        """Whether an earlier attempt may have given the file its final name without recording it."""
        self.admitted_to: HostBudget | None = None
        """Host that its first request is counted at already, until that is sent."""
        self.waits_for = ""
        """Host, other than that of its address, that it waits for; empty for none."""
        self.is_doubted = False
        """Whether it was forbidden while others of its host worked: then alone it may be given."""
        self.has_refetched = False
        """Whether its bytes differed from the digest already, so that it was fetched once more."""
        self.liars: set[str] = set()
        """Addresses that sent wrong bytes; asked no more while the task is in hand."""
        self.transport: Transport | None = None
        """What carries its requests; None: what carries all others."""
        self._notes: deque[tuple[float, str | Callable[[], str]]] = deque(maxlen=LOG_LINES)
        self.stage = ""
        """What is done beside the transfer, in words."""
        self.fraction: float | None = None
        """How far it is, where bytes do not tell it."""
        self.seeks_media: Callable[[str], bool] = _never
        """Whether a page of this name is wanted for the media on it, and not itself."""
        self.answer_headers: Mapping[str, str] = {}
        """Headers of the first answer as they came; `shown_headers()` makes them fit to be seen."""
        self.conditions: Mapping[str, str] = {}
        """Headers by which the server says that nothing changed since an earlier download; empty for none."""
        self._metered_bytes = self.received_bytes
        self._wall_clock = wall_clock
        self._traffic = traffic or Traffic()
        self._at_rest: DownloadProgress | None = None

    def step(self, trigger: Trigger, **changes: Any) -> DownloadTask:
        """Advance the status and change the row with it; raises `IllegalTransition`."""
        changes["status"] = advance(self.task.status, trigger)
        self.task = changed(self.task, changes)
        return self.task

    def change(self, **changes: Any) -> DownloadTask:
        """Change the row without touching its status."""
        self.task = changed(self.task, changes)
        return self.task

    def complete(self, path: str) -> DownloadTask:
        """Advance to completed: the file has its final name, durably."""
        self.rewind(self.total_bytes or 0)
        options = self.task.options
        if options.restarts or options.announced:
            options = replace(options, restarts=False, announced="")
        return self.step(
            Trigger.COMPLETE,
            path=path,
            part_path="",
            filename=os.path.basename(path),  # noqa: PTH119  # text in, text out
            total_bytes=self.total_bytes,
            downloaded_bytes=self.total_bytes or 0,
            reason=None,
            reason_text="",
            due_at=None,
            retry_count=0,
            options=options,
            finished_at=self._wall_clock(),
        )

    def arrive(self) -> None:
        """Note that its first request is sent now, or that none will be."""
        if self.admitted_to is not None:
            self.admitted_to.coming -= 1
            self.admitted_to = None

    def note(self, text: str) -> None:
        """Add a line to the log; text from outside is made safe when it is taken out."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: %s", self.task.id, text)
        self._notes.append((self._wall_clock(), text))

    def note_later(self, make: Callable[[], str]) -> None:
        """Add a line to the log whose text is made when somebody reads it."""
        if logger.isEnabledFor(logging.DEBUG):
            self.note(make())
        else:
            self._notes.append((self._wall_clock(), make))

    def shown_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of the first answer, made safe, secrets masked."""
        return tuple(
            (display_text(name), display_text(mask_header(name, value))) for name, value in self.answer_headers.items()
        )

    def lines(self) -> tuple[LogLine, ...]:
        """Return the log, made safe, secrets masked; done here because few logs are ever read."""
        made = ((at, text if isinstance(text, str) else text()) for at, text in self._notes)
        return tuple(LogLine(at, display_text(mask_secrets(text), MAX_LOG_CHARS)) for at, text in made)

    @property
    def has_story(self) -> bool:
        """Whether the log tells more than that one request was answered."""
        return len(self._notes) > 1

    def take_lines(self) -> tuple[LogLine, ...]:
        """Return the log and begin a new one."""
        lines = self.lines()
        self._notes.clear()
        return lines

    @property
    def meter(self) -> SpeedMeter:
        """Its speed; made when somebody asks, for a small file is here before."""
        if self._meter is None:
            self._meter = SpeedMeter()
        return self._meter

    @property
    def is_metered(self) -> bool:
        """Whether its speed is known, or can be."""
        return self._meter is not None or bool(self.connections)

    def receive(self, count_bytes: int) -> None:
        """Count bytes that have arrived."""
        self.received_bytes += count_bytes
        self._traffic.received_bytes += count_bytes

    def meter_now(self, now: float) -> int:
        """Feed the meter with what arrived since the last call; return it, in bytes."""
        fresh = max(0, self.received_bytes - self._metered_bytes)
        self._metered_bytes = self.received_bytes
        self.meter.add(fresh, now)
        self.peak_bps = max(self.peak_bps, self.meter.speed_bps(now))
        return fresh

    def rewind(self, held_bytes: int) -> None:
        """Set the counter to what is held; what was received beyond it is no progress."""
        self.received_bytes = self._metered_bytes = held_bytes

    def unreceive(self, count_bytes: int) -> None:
        """Count bytes no longer that turned out wrong."""
        self.rewind(max(0, self.received_bytes - count_bytes))

    def progress(self, now: float) -> DownloadProgress:
        """Return the frozen view of this instant; the same one while it waits, as thousands may do."""
        known, sizes = self._at_rest, (self.received_bytes, self.total_bytes)
        if known is not None and known.task is self.task and (known.downloaded_bytes, known.total_bytes) == sizes:
            return known
        speed_bps = 0.0 if self._meter is None else self._meter.speed_bps(now)
        left = None if self.total_bytes is None else self.total_bytes - self.received_bytes
        seen = DownloadProgress(
            task=self.task,
            downloaded_bytes=self.received_bytes,
            total_bytes=self.total_bytes,
            speed_bps=speed_bps,
            eta_s=None if left is None else eta_s(left, speed_bps),
            connections=len(self.connections),
            stage=self.stage,
            fraction=self.fraction,
        )
        self._at_rest = seen if self.task.status is Status.WAITING and not (speed_bps or self.connections) else None
        return seen
