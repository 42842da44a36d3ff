"""Events: what the engine tells the outside. Lifecycle only; bytes and speeds are pulled, never pushed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask


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


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a task's own log: requests, answers, verdicts, errors."""

    at: float
    """Unix time."""
    text: str
    """Sanitised, secrets masked."""
