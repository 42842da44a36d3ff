"""Events: what the engine tells the outside. Lifecycle only; bytes and speeds are pulled, never pushed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask


class HasTask(Protocol):
    """Something that can say what a row is."""

    @property
    def task(self) -> DownloadTask:
        """The row."""
        ...


class EventKind(StrEnum):
    """What happened to a task."""

    ADDED = "added"
    STARTED = "started"
    WAITING = "waiting"
    RETRYING = "retrying"
    PAUSED = "paused"
    RESUMED = "resumed"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a task; never dropped."""

    kind: EventKind
    """What happened."""
    task: DownloadTask
    """The task after it happened."""
    at: float
    """Unix time."""


class LateEvent(Event):
    """An event whose row is put together once somebody looks at it: of a million that are added hardly one is."""

    __slots__ = ("_row",)
    _row: HasTask

    def __init__(self, kind: EventKind, row: HasTask, at: float) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "_row", row)
        object.__setattr__(self, "at", at)

    @property
    def task(self) -> DownloadTask:
        """The task after it happened."""
        return self._row.task


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a task's own log: requests, answers, verdicts, errors."""

    at: float
    """Unix time."""
    text: str
    """Sanitised, secrets masked."""
