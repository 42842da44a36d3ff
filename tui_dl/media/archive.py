"""The download archive: yt-dlp's text file, one for all lanes, and safe beside other processes that write it."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yt_dlp.utils import locked_file

if TYPE_CHECKING:
    from tui_dl.media.job import Job


class SharedArchive:
    """What was downloaded, by yt-dlp's ids; looks into the file again whenever somebody wrote to it."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._ids: set[str] = set()
        self._seen: tuple[int, int] | None = None
        self._busy: dict[str, Job] = {}
        self._look()

    def __bool__(self) -> bool:
        """Whether there is an archive: yt-dlp asks an empty one, too."""
        return self._path is not None

    def __contains__(self, archive_id: object) -> bool:
        with self._lock:
            self._look()
            return archive_id in self._ids

    def add(self, archive_id: str) -> None:
        """Record an id, unless another process did so meanwhile. Raises `OSError`."""
        with self._lock:
            if self._path is None:
                return
            with locked_file(self._path, "a", encoding="utf-8") as file:
                self._look()
                if archive_id not in self._ids:
                    file.write(archive_id + "\n")
            self._ids.add(archive_id)
            self._look()

    def _look(self) -> None:
        """Read the file if it changed."""
        if self._path is None:
            return
        with suppress(FileNotFoundError):
            status = Path(self._path).stat()
            if (seen := (status.st_size, status.st_mtime_ns)) == self._seen:
                return
            with Path(self._path).open(encoding="utf-8") as file:
                self._ids |= {line.strip() for line in file}
            self._seen = seen

    # -- what is on its way --------------------------------------------------------------------------------------------

    def begin(self, archive_id: str | None, job: Job) -> None:
        """Note that a video is being downloaded: whoever meets it again waits for that."""
        if archive_id:
            with self._lock:
                self._busy.setdefault(archive_id, job)

    def busy_with(self, archive_id: Any, job: Job | None) -> Job | None:
        """Return the other job that downloads a video now, None for none."""
        with self._lock:
            other = self._busy.get(archive_id)
            return None if other is job else other

    def end(self, job: Job) -> None:
        """Note that a job is done."""
        with self._lock:
            self._busy = {key: one for key, one in self._busy.items() if one is not job}
