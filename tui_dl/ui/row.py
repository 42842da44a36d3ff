"""One row of the table as it is drawn: its record and progress, how things are drawn now, and what a piece means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tui_dl.core.media import Kind
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadProgress, DownloadTask
    from tui_dl.ui.format import Units
    from tui_dl.ui.glyphs import Glyphs


class Role(StrEnum):
    """What a piece of a row means; the table has a style for each."""

    NAME = "name"
    QUIET = "quiet"
    NUMBER = "number"
    DONE = "done"
    OPEN = "open"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is shown."""

    task: DownloadTask
    """The newest record known."""
    progress: DownloadProgress | None = None
    """How it stands now, for bar and status; None unless it is live."""
    numbers: DownloadProgress | None = None
    """How it stood when the numbers were last taken over; they change less often than the bar."""

    @property
    def downloaded_bytes(self) -> int:
        """Bytes that arrived."""
        return self.progress.downloaded_bytes if self.progress else self.task.downloaded_bytes

    @property
    def total_bytes(self) -> int | None:
        """Length, None while unknown."""
        return self.progress.total_bytes if self.progress else self.task.total_bytes

    @property
    def percentage(self) -> float | None:
        """0 to 100, None while the length is unknown."""
        if self.task.status is Status.COMPLETED:
            return 100.0
        if self.progress is not None and self.progress.fraction is not None:
            return 100.0 * self.progress.fraction
        if self.task.kind is Kind.PLAYLIST:
            facts = self.task.facts
            return 100.0 * facts.done_count / facts.chosen_count if facts.chosen_count else None
        total_bytes = self.total_bytes
        if total_bytes is None:
            return None
        return 100.0 * min(self.downloaded_bytes, total_bytes) / total_bytes if total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are drawn now."""

    glyphs: Glyphs
    """Drawing characters of the terminal."""
    units: Units
    """Units of sizes and speeds."""
    now: float
    """Unix time, for waits that count down."""
    max_retries: int
    """Attempts that the settings allow a task."""
    is_tree: bool = True
    """Whether entries of playlists stand below their head."""
    closed: frozenset[int] = frozenset()
    """Heads whose entries are hidden."""
    refresh_key: str = "e"
    """Key for another address, as it is shown."""


Piece = tuple[str, Role]
"""A text and its meaning."""
