"""Tells a person who looks elsewhere that the queue has ended or that something failed, by way of the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tui_dl.core.events import EventKind
from tui_dl.core.status import UNFINISHED, Status
from tui_dl.ui.format import count
from tui_dl.ui.terminal import sequences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tui_dl.core.events import Event

HOLD_S: Final = 1.0
"""Between what happened and what is said: a list that is being added has moments without work."""
BETWEEN_S: Final = 30.0
"""Least time between two notes about failures while the queue goes on."""
AWAY_S: Final = 60.0
"""Without a key for so long a person counts as away where the terminal tells nothing of its focus."""
OFF: Final = "off"
BELL: Final = "bell"
BOTH: Final = "both"
_MOVING: Final = UNFINISHED - {Status.PAUSED}
_WORDS: Final = {EventKind.COMPLETED: "completed", EventKind.FAILED: "failed", EventKind.SKIPPED: "skipped"}
"""What ends a queue; a person who pauses or cancels the last one knows."""


class Notifier:
    """Hears of ends, and writes at most one note a while; nothing at all while the person looks."""

    def __init__(
        self, how: str, write: Callable[[str], object], environment: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._how = how
        self._write = write
        self._is_in_tmux = bool(environment.get("TMUX"))
        self._clock = clock
        self._ends: Counter[EventKind] = Counter()
        self._failed_at = float("-inf")
        self._key_at = clock()
        self._has_focus: bool | None = None

    @property
    def is_away(self) -> bool:
        """Whether nobody looks, as far as the terminal tells."""
        if self._has_focus is None:
            return self._clock() - self._key_at >= AWAY_S
        return not self._has_focus

    def take_focus(self, *, has_focus: bool) -> None:
        """Take in what the terminal says of its focus."""
        self._has_focus = has_focus
        if has_focus:
            self._ends.clear()

    def take_key(self) -> None:
        """Take in that somebody types."""
        self._key_at = self._clock()
        self._ends.clear()

    def note(self, events: Iterable[Event]) -> bool:
        """Take in what happened; return whether to `look()` in `HOLD_S`."""
        if self._how == OFF:
            return False
        ends = [one.kind for one in events if one.kind in _WORDS]
        self._ends.update(ends)
        return bool(ends)

    def look(self, counts: Mapping[Status, int]) -> None:
        """Say what there is to say, if the person is away."""
        left = sum(counts.get(status, 0) for status in _MOVING)
        now = self._clock()
        if not self._ends or not self.is_away:
            return
        said = ", ".join(f"{count(self._ends[kind])} {word}" for kind, word in _WORDS.items() if self._ends[kind])
        if not left:
            self._tell(f"tui-dl: done, {said}")
        elif self._ends[EventKind.FAILED] and now - self._failed_at >= BETWEEN_S:
            self._failed_at = now
            self._tell(f"tui-dl: {count(self._ends[EventKind.FAILED])} failed, {count(left)} to go")
        else:
            return
        self._ends.clear()

    def _tell(self, text: str) -> None:
        written = ""
        if self._how != BELL:
            note = sequences.notice(text)
            written = sequences.through_tmux(note) if self._is_in_tmux else note
        if self._how in (BELL, BOTH):
            written += sequences.BELL
        self._write(written)
