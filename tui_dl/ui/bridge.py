"""Between engine and screen: events become messages, snapshots are taken at the screen's own rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.events import Event
    from tui_dl.core.ports import EnginePort, EngineSnapshot

TICK_S: Final = 0.25
"""Bars, statuses and counts follow at most this often."""
TICKS_PER_NUMBERS: Final = 2
"""Speeds, times and percentages change at 2 Hz: faster than that nobody reads."""
TICKS_PER_NUMBERS_REMOTE: Final = 4
"""Over SSH at 1 Hz, since each change travels."""
TICKS_UNFOCUSED: Final = 4
"""A window that nobody looks at is drawn once a second."""


class Bridge:
    """Subscribes to the engine and pulls from it; knows no widget. Nothing here happens per chunk of a download."""

    class Happened(Message):
        """Lifecycle events since the last tick, oldest first; none is dropped."""

        def __init__(self, events: tuple[Event, ...]) -> None:
            super().__init__()
            self.events = events

    class Ticked(Message):
        """A snapshot that differs from the last one."""

        def __init__(self, snapshot: EngineSnapshot, *, has_numbers: bool) -> None:
            super().__init__()
            self.snapshot = snapshot
            self.has_numbers = has_numbers
            """Whether speeds, times and percentages are to change too."""

    def __init__(self, port: EnginePort, post: Callable[[Message], object], *, is_remote: bool) -> None:
        self._port = port
        self._post = post
        self._ticks_per_numbers = TICKS_PER_NUMBERS_REMOTE if is_remote else TICKS_PER_NUMBERS
        self._events: list[Event] = []
        self._ticks = 0
        self._shown: EngineSnapshot | None = None
        self._has_old_numbers = False
        self.has_focus = True
        """Whether the terminal's window has the focus, as far as it tells."""
        self._unsubscribe = port.subscribe(self._events.append)

    def close(self) -> None:
        """End the subscription."""
        self._unsubscribe()

    def tick(self, *, is_forced: bool = False) -> None:
        """Look at the engine, `TICK_S` after the last time; `is_forced` shows all of it at once."""
        self._ticks += 1
        if not is_forced and not self.has_focus and self._ticks % TICKS_UNFOCUSED:
            return
        if self._events:
            events = tuple(self._events)
            self._events.clear()
            self._post(self.Happened(events))
        snapshot = self._port.snapshot()
        has_numbers = is_forced or not self._ticks % self._ticks_per_numbers
        if snapshot != self._shown or (has_numbers and self._has_old_numbers) or snapshot.live:
            self._has_old_numbers = not has_numbers
            self._shown = snapshot
            self._post(self.Ticked(snapshot, has_numbers=has_numbers))
