"""Printing that never blocks the event loop: a thread writes, frames that come too late are dropped."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self, TextIO

from tui_dl.cli.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_dl.cli.frame import Line
    from tui_dl.cli.terminal import Terminal

MOST_WAITING_LINES: Final = 2_000
"""Lines that may wait for a slow reader before `room()` holds whoever makes more of them."""
CLOSING_S: Final = 1.0
"""How long the end of the program waits for a reader that does not read."""


class Printer:
    """Lines that last, above a frame that is redrawn where a terminal can do that, on one stream.

    Lines are never dropped and each is flushed; of frames only the newest is drawn. `on_gone` is called once, on the
    loop, when the reader has closed its end.
    """

    def __init__(
        self, stream: TextIO, on_gone: Callable[[], None] | None = None, *, terminal: Terminal | None = None
    ) -> None:
        self._stream = stream
        self._on_gone = on_gone
        self._lines: deque[str] = deque()
        self._terminal = terminal
        self._wanted: Sequence[Line] | None = None
        self._drawn: Sequence[Line] = ()
        self._frame = Frame(has_colour=terminal is not None and terminal.has_colour)
        self._is_anew = False
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
            self._wanted = ()
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

    def frame(self, lines: Sequence[Line]) -> None:
        """Redraw the frame; an earlier one that was not drawn yet is dropped. Nothing without a terminal."""
        if self._terminal is None:
            return
        with self._changed:
            if not self._is_closing:
                self._wanted = lines
                self._changed.notify()

    def begin_anew(self) -> None:
        """Draw the next frame below whatever stands there now: somebody else wrote to the terminal."""
        with self._changed:
            self._is_anew = True

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
            self._changed.wait_for(lambda: self._lines or self._wanted is not None or self._is_closing)
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), MOST_WAITING_LINES // 4))]
            wanted, self._wanted = self._wanted, None
            if self._is_anew:
                self._is_anew = False
                self._frame.forget()
            has_ended = self._is_closing and not self._lines
        # The reader may be slow: the lock is not held while we write.
        text = self._text(lines, self._drawn if wanted is None else wanted)
        if text:
            self._stream.write(text)
            self._stream.flush()
        self._on_loop(self._room.set)
        return not has_ended

    def _text(self, lines: Sequence[str], wanted: Sequence[Line]) -> str:
        """Return what writes these lines and leaves this frame below them, in one piece: nothing flickers."""
        text = "".join(f"{line}\n" for line in lines)
        if self._terminal is None:
            return text
        self._drawn = wanted
        columns, rows = self._terminal.size()
        erased = self._frame.erased(columns) if lines or not wanted else ""
        return f"{erased}{text}{self._frame.painted(wanted, columns, rows) if wanted else ''}"

    def _on_loop(self, function: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)
