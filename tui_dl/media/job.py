"""One video on its way through a lane: what was decided of it, how it ended, and whether it is still wanted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui_dl.core.errors import TuiDlError


class Cancelled(KeyboardInterrupt):
    """The video is not wanted any more; nothing of yt-dlp takes this for an error to be reported."""


class Job:
    """Made in the planning thread, worked on in a lane."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        """What is known of the video."""
        self.result: dict[str, Any] = {key: info[key] for key in ("id", "title", "extractor", "_type") if key in info}
        """What became of it: filled when it is done."""
        self.decided = threading.Event()
        """Set when it is known whether it will be downloaded, under which name and number; or when it ended."""
        self.done = threading.Event()
        """Set when nothing of it is at work any more."""
        self.error: BaseException | None = None
        """What ends the run it belongs to."""
        self.number = 0
        """How many videos were begun in the run when it was decided."""
        self.videos = 0
        """How many were looked at."""
        self.has_failed = False
        """Whether an error of it was told."""
        self.fault: TuiDlError | None = None
        """Why the engine did not get something; the last one counts."""
        self.missing: int | None = None
        """Fragments that could not be had, where a file without them is kept for later; None: it is completed so."""
        self.limit_bps = 0
        """Bytes per second of this video alone; 0: what holds for all."""
        self.connections = 0
        """Most connections for it; 0: what holds for all."""
        self._is_cancelled = threading.Event()

    def cancel(self) -> None:
        """Want it no more."""
        self._is_cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it is not wanted any more."""
        return self._is_cancelled.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if it is not wanted any more."""
        if self._is_cancelled.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep, unless it is cancelled meanwhile. Raises `Cancelled`."""
        if self._is_cancelled.wait(seconds):
            raise Cancelled
