"""Programs that yt-dlp starts for a video (ffmpeg and its kin): ended with it, and with this process at the latest."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from yt_dlp.utils import Popen

if TYPE_CHECKING:
    from tui_dl.media.job import Job

_WATCH: Final = 'trap "" INT TERM HUP QUIT; p=; while read -r l; do p=$l; done; [ -z "$p" ] || kill -9 $p'
"""Reads lines of process ids; when they end, as they do with us, whatever the last line named is ended."""
_jobs = threading.local()


class Children:
    """All programs of all lanes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, tuple[Any, Job]] = {}
        self._watcher: subprocess.Popen[bytes] | None = None

    def enter(self, job: Job) -> None:
        """Note that what the calling thread starts from now on belongs to a video."""
        _jobs.current = (self, job)

    def leave(self) -> None:
        """Note that it does no more."""
        _jobs.current = None

    def kill(self, job: Job) -> None:
        """End those of one video."""
        with self._lock:
            running = [process for process, owner in self._running.values() if owner is job]
        for process in running:
            _kill(process)

    def kill_all(self) -> None:
        """End all of them."""
        with self._lock:
            running = list(self._running.values())
        for process, _ in running:
            _kill(process)

    def started(self, process: Any, job: Job) -> None:
        """Take a program into care."""
        with self._lock:
            self._running[process.pid] = (process, job)
            self._tell()
        if job.is_cancelled:
            _kill(process)

    def ended(self, process: Any) -> None:
        """Let go of a program that has ended."""
        with self._lock:
            if self._running.pop(process.pid, None) is not None:
                self._tell()

    def close(self) -> None:
        """End the watcher."""
        with self._lock:
            watcher, self._watcher = self._watcher, None
            if watcher is None or watcher.stdin is None:
                return
            with suppress(OSError):
                watcher.stdin.write(b"\n")
                watcher.stdin.close()
            watcher.wait()

    def _tell(self) -> None:
        """Tell the watcher who is to be ended should this process be killed."""
        if os.name != "posix":
            return
        if self._watcher is None:
            self._watcher = subprocess.Popen(  # noqa: S603  # a fixed command
                ["/bin/sh", "-c", _WATCH],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        assert self._watcher.stdin is not None
        with suppress(OSError):
            self._watcher.stdin.write(" ".join(map(str, self._running)).encode() + b"\n")
            self._watcher.stdin.flush()


def _kill(process: Any) -> None:
    # Not its own `kill()`, which waits for the end: whoever started it does that.
    with suppress(ProcessLookupError):
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def watch_children() -> None:
    """See to it that programs that lanes start are in care; those of other threads are left alone."""
    if getattr(Popen, "_tui_dl_is_watched", False):
        return
    original_init, original_wait = Popen.__init__, Popen.wait

    def init(self: Any, *args: Any, **words: Any) -> None:
        current = getattr(_jobs, "current", None)
        if current is not None:
            current[1].check()
        original_init(self, *args, **words)
        if current is not None:
            self._tui_dl_care = current[0]
            current[0].started(self, current[1])

    def wait(self: Any, *args: Any, **words: Any) -> Any:
        code = original_wait(self, *args, **words)
        if (care := getattr(self, "_tui_dl_care", None)) is not None:
            care.ended(self)
        return code

    Popen.__init__, Popen.wait = init, wait
    Popen._tui_dl_is_watched = True
