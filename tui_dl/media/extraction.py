"""Processes that extract: pages are read by pure Python, which in a thread would starve the transfers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tui_dl.media.portable import cookies_of, portable_params

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tui_dl.media.remote import Asked

MOST_WORKERS: Final = 2
"""Processes at once; more only while playlists that are being read hold some."""
MOST_HELD: Final = 8
LEAVE_S: Final = 1.0


class WorkerEnded(Exception):  # noqa: N818  # the address is extracted here instead
    """A process ended before its answer."""


class ExtractionWorker:
    """One process, asked by one thread at a time."""

    def __init__(self, params: dict[str, Any], colours: dict[str, Any], plugin_dirs: list[str] | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_dl.media.extractor_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.fresh_cookies: list[list[Any]] = []
        """Cookies that it is to be told of."""
        self.known_cookies: dict[str, list[Any]] = {}
        """Cookies that it has."""
        self.send({"params": params, "colours": colours, "plugin_dirs": plugin_dirs})

    def send(self, message: dict[str, Any]) -> None:
        """Send one message. Raises `WorkerEnded`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise WorkerEnded from None

    def receive(self) -> dict[str, Any]:
        """Return the next message. Raises `WorkerEnded`."""
        assert self._process.stdout is not None
        try:
            line = self._process.stdout.readline()
            message: dict[str, Any] = json.loads(line)
        except (OSError, ValueError):
            raise WorkerEnded from None
        return message

    def kill(self) -> None:
        """End it at once, whatever it does and has started; safe to call from any thread."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it and collect what is left of it."""
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVE_S)


class Extraction:
    """All processes of a run; made when the first is wanted."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._idle: list[ExtractionWorker] = []
        self._all: list[ExtractionWorker] = []
        self._held = 0
        self._first: tuple[dict[str, Any], dict[str, Any], list[str] | None] | None = None
        self._is_closed = False
        self._asked: dict[str, Asked] = {}
        self.count = 0
        """Addresses that processes extracted."""

    def can_take(self, params: Mapping[str, Any]) -> bool:
        """Whether extracting elsewhere is the same: not where a person's function decides how often it is retried."""
        functions = params.get("retry_sleep_functions") or {}
        return not self._is_closed and "extractor" not in functions and not params.get("debug_printtraffic")

    def is_asked(self, url: str) -> bool:
        """Whether an address was asked for before its turn."""
        return url in self._asked

    def note_asked(self, url: str, asked: Asked) -> None:
        """Keep what comes of an address until its turn."""
        self._asked[url] = asked

    def asked_before(self, url: str) -> Asked | None:
        """Return what was asked for before its turn, once; None for nothing."""
        return self._asked.pop(url, None)

    def prepare(self, ydl: Any) -> None:
        """Start a process that will be wanted soon: what it loads takes a second."""
        with self._condition:
            if not self._all and not self._is_closed and self.can_take(ydl.params):
                self._idle.append(self._start(ydl))

    def take(self, ydl: Any) -> ExtractionWorker:
        """Return a process that nobody else asks until it is given back; waits for one."""
        with self._condition:
            while not self._idle and len(self._all) >= min(MOST_HELD, MOST_WORKERS + self._held):
                self._condition.wait()
                if self._is_closed:
                    raise WorkerEnded
            if self._is_closed:
                raise WorkerEnded
            worker = self._idle.pop() if self._idle else self._start(ydl)
        jar = cookies_of(ydl.cookiejar)
        worker.fresh_cookies = [values for key, values in jar.items() if worker.known_cookies.get(key) != values]
        worker.known_cookies = jar
        return worker

    def _start(self, ydl: Any) -> ExtractionWorker:
        if self._first is None:
            colours = dict(ydl._allow_colors.items_)
            self._first = (portable_params(ydl.params), colours, _plugin_dirs())
        worker = ExtractionWorker(*self._first)
        self._all.append(worker)
        return worker

    def give_back(self, worker: ExtractionWorker, *, is_usable: bool) -> None:
        """Let others ask a process; one that is in an unknown state is ended."""
        with self._condition:
            if is_usable and not self._is_closed:
                self._idle.append(worker)
            elif worker in self._all:
                self._all.remove(worker)
            self._condition.notify()
        if not is_usable:
            worker.close()

    def hold(self, worker: ExtractionWorker, pages: Iterator[Any]) -> Iterator[Any]:
        """Yield the entries of a playlist, while its process may be beyond the usual number."""
        with self._condition:
            self._held += 1
            self._condition.notify()
        is_whole = False
        try:
            yield from pages
            is_whole = True
        finally:
            with self._condition:
                self._held -= 1
            self.give_back(worker, is_usable=is_whole)

    def close(self) -> None:
        """End all."""
        with self._condition:
            self._is_closed = True
            workers, self._all, self._idle = self._all, [], []
            self._condition.notify_all()
        for worker in workers:
            worker.close()


def _plugin_dirs() -> list[str] | None:
    try:
        from yt_dlp.globals import plugin_dirs  # noqa: PLC0415  # older versions have none
    except ImportError:
        return None
    return list(plugin_dirs.value)
