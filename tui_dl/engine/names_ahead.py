"""Looks names up ahead of their tasks' turn: no slot is spent on a name that is slow to be found, or is not there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import DEFAULT_PORTS, is_ip_address
from tui_dl.engine.known_names import FOUND_S, MOST_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp.abc import AbstractResolver

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.client_options import ClientOptions

MOST_AT_ONCE: Final = 48
"""Look-ups ahead at once: the system's resolver has 64 threads, and those are for running tasks, too."""
MOST_EXPECTED: Final = 1024
"""Names whose turn may come; of more the latest are left to their tasks."""
AGAIN_S: Final = FOUND_S / 2
"""So long a host is not looked up again: while a list is added the same rows come to hand all the time."""
HOLD_S: Final = 2.0
"""So long a task is held back for its name; a slower look-up is the task's own matter, and fails with its reason."""


class NamesAhead:
    """Of the rows that are at hand, looks up the names of those that are reached without a proxy."""

    def __init__(
        self, names: AbstractResolver, options: ClientOptions, clock: Callable[[], float], on_answer: Callable[[], None]
    ) -> None:
        """`names` remembers its answers for whoever connects; `on_answer` is told whenever a task may be able to go."""
        self._names, self._options, self._clock, self._on_answer = names, options, clock, on_answer
        self._expected_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._queue: asyncio.Queue[tuple[str, str, int]] = asyncio.Queue()
        self._workers: set[asyncio.Task[None]] = set()

    def expect(self, tasks: Iterable[DownloadTask]) -> None:
        """Look up the names of rows whose turn comes."""
        now = self._clock()
        for task in tasks:
            asked_at = self._asked_at.get(task.host)
            if (asked_at is not None and now - asked_at < AGAIN_S) or len(self._expected_at) >= MOST_EXPECTED:
                continue
            self._asked_at[task.host] = now
            place = self._place(task)
            if place is not None and task.host not in self._expected_at:
                self._expected_at[task.host] = now
                self._queue.put_nowait((task.host, *place))
        while len(self._asked_at) > MOST_NAMES:
            del self._asked_at[next(iter(self._asked_at))]
        while self._queue.qsize() > 0 and len(self._workers) < min(MOST_AT_ONCE, len(self._expected_at)):
            worker = asyncio.ensure_future(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def is_held(self, host: str) -> bool:
        """Whether a host's name is being looked up, so that a slot is better given to another."""
        expected_at = self._expected_at.get(host)
        return expected_at is not None and self._clock() - expected_at < HOLD_S

    @property
    def is_busy(self) -> bool:
        """Whether any name is being looked up."""
        return bool(self._expected_at)

    async def aclose(self) -> None:
        """Look up no more."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _place(self, task: DownloadTask) -> tuple[str, int] | None:
        """Return name and port that a task will ask for, None where it will not, or not by us."""
        scheme = task.url.partition(":")[0].lower()
        name, colon, digits = task.host.partition(":")
        is_ours = scheme in DEFAULT_PORTS and not task.host.startswith("[")
        if not is_ours or not name or is_ip_address(name):
            return None
        if self._options.proxies.proxies and self._options.proxies.proxy_for(task.url) is not None:
            return None
        return name, int(digits) if colon and digits.isdecimal() else DEFAULT_PORTS[scheme]

    async def _work(self) -> None:
        """Look up what waits, one name after the other, until nothing does."""
        while self._queue.qsize() > 0:
            host, name, port = self._queue.get_nowait()
            try:
                # What went wrong is told by the task whose name it is.
                with suppress(OSError, UnicodeError):
                    await self._names.resolve(name, port, self._options.family)
            finally:
                del self._expected_at[host]
            self._on_answer()
