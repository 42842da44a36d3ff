"""Names that videos in hand go for: two that would have the same one are downloaded one after the other."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui_dl.media.job import Job

WAIT_S: Final = 0.1


class TakenNames:
    """By path without its extension: subtitles, thumbnails and parts of a video begin with it, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: dict[str, Job] = {}

    def take(self, path: str, job: Job) -> None:
        """Take a name, waiting for whoever has it; yt-dlp then finds the file there, as it does in its own order.

        Jobs take their names in order, so that nobody is waited for who waits. Raises `Cancelled`.
        """
        stem = os.path.normcase(os.path.splitext(os.path.abspath(path))[0])  # noqa: PTH100, PTH122  # text in, text out
        while True:
            with self._lock:
                owner = self._owners.setdefault(stem, job)
            if owner is job:
                return
            while not owner.done.wait(WAIT_S):
                job.check()

    def release(self, job: Job) -> None:
        """Give up all names of a job that is done."""
        with self._lock:
            self._owners = {stem: owner for stem, owner in self._owners.items() if owner is not job}
