"""What is said of a command on many rows: while it goes on, and when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.commands import CommandName
from tui_dl.ui.format import count

if TYPE_CHECKING:
    from tui_dl.core.ports import WorkView

BULK_ROWS: Final = 1_000
"""From here on a command says what it does, what it did, and asks before it cancels."""

_WORDS: Final = {
    CommandName.ADD: ("adding", "added"),
    CommandName.PAUSE: ("pausing", "paused"),
    CommandName.RESUME: ("resuming", "resumed"),
    CommandName.TOGGLE_PAUSE: ("pausing or resuming", "paused or resumed"),
    CommandName.TOGGLE_ALL: ("pausing or resuming", "paused or resumed"),
    CommandName.CANCEL: ("cancelling", "cancelled"),
    CommandName.DELETE_PART: ("deleting part files of", "cancelled, part files deleted"),
    CommandName.RETRY: ("retrying", "to be tried again"),
    CommandName.RETRY_FAILED: ("retrying", "to be tried again"),
    CommandName.CLEAR_FINISHED: ("removing", "removed, undo brings back"),
    CommandName.UNDO: ("bringing back", "brought back"),
    CommandName.MOVE_UP: ("moving", "moved"),
    CommandName.MOVE_DOWN: ("moving", "moved"),
}
_ANY: Final = ("changing", "changed")


def work_words(work: WorkView) -> str:
    """Return `pausing 812,000 of 1,000,000`; without the first number while none is known."""
    verb = _WORDS.get(work.name, _ANY)[0]
    return f"{verb} {count(work.done)} of {count(work.total)}" if work.done else f"{verb} {count(work.total)}"


def done_words(name: CommandName, changed: int) -> str:
    """Return `812,000 paused`."""
    return f"{count(changed)} {_WORDS.get(name, _ANY)[1]}"
