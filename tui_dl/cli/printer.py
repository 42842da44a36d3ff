"""Printing that never blocks the event loop: a thread writes, status frames that come too late are dropped."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WAITING_LINES: Final = 2_000
"""Lines that may wait for a slow reader before `room()` holds whoever makes more of them."""
CLOSING_S: Final = 1.0
"""How long the end of the program waits for a reader that does not read."""
_CLEAR_LINE: Final = "\r\x1b[K"


class Printer:
    """Lines that last and one status line that is redrawn, on one stream.

    Lines are never dropped and each is flushed; of status lines only the newest is written. `on_gone` is
    called once, on the loop, when the reader has closed its end.
    """

    def __init__(self, stream: TextIO, on_gone: Callable[[], None] | None = None) -> None:
        self._stream = stream
        self._on_gone = on_gone
        self._lines: deque[str] = deque()
        self._status: str | None = None
        self._has_status_shown = False
        self._is_closing = False
        self._is_gone = False
        self._changed = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="print", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._changed:
            self._is_closing = True
            self._status = None
            self._changed.notify()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), CLOSING_S)

    def line(self, text: str) -> None:
        """Write one line, after those before it."""
        with self._changed:
            if self._is_gone:
                return
            self._lines.append(text)
            if len(self._lines) > MOST_WAITING_LINES:
                self._room.clear()
            self._changed.notify()

    def status(self, text: str) -> None:
        """Redraw the status line; an earlier one that was not written yet is dropped."""
        with self._changed:
            self._status = text
            self._changed.notify()

    async def room(self) -> None:
        """Wait until a slow reader has taken what waits."""
        await self._room.wait()

    def _run(self) -> None:
        try:
            while self._write_next():
                pass
        except (OSError, ValueError):
            with self._changed:
                self._is_gone = True
                self._lines.clear()
            self._on_loop(self._room.set)
            if self._on_gone is not None:
                self._on_loop(self._on_gone)
        self._on_loop(self._ended.set)

    def _write_next(self) -> bool:
        """Write what waits; False once everything is written and the end was asked for."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._status is not None or self._is_closing)
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), MOST_WAITING_LINES // 4))]
            status, self._status = self._status, None
            has_ended = self._is_closing and not self._lines
        # The reader may be slow: the lock is not held while we write.
        clear = _CLEAR_LINE if self._has_status_shown and (lines or status is not None or has_ended) else ""
        self._stream.write(clear + "".join(f"{line}\n" for line in lines) + (status or ""))
        self._stream.flush()
        self._has_status_shown = status is not None
        self._on_loop(self._room.set)
        return not has_ended

    def _on_loop(self, function: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)
