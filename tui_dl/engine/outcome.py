"""How an attempt at a task ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from tui_dl.core.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.errors import TuiDlError
    from tui_dl.core.ranges import ByteRange


class End(Enum):
    """The ways."""

    COMPLETED = auto()
    SKIPPED = auto()
    FAILED = auto()
    """With an error; whether another attempt follows is for the scheduler to say."""
    STOPPED = auto()
    """A person or the end of the process stopped it; what arrived is durable."""
    HANDED_ON = auto()
    """A playlist was read: its entries go on in its stead."""
    ASKING = auto()
    """A person is to choose before it goes on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One end with its reason."""

    end: End
    """How."""
    error: TuiDlError | None = None
    """Why it failed."""
    text: str = ""
    """Why it was skipped."""
    reason: Reason | None = Reason.TARGET_EXISTS
    """The same as a code; None where nothing stood in the way."""


class VersionChanged(Exception):  # noqa: N818  # a turn of events inside a transfer, not an error for people
    """The server holds another version than the bytes at hand; the transfer starts over or fails, as set."""

    def __init__(self, *, is_proven: bool = True) -> None:
        super().__init__()
        self.is_proven = is_proven
        """False: it may be the same, but nothing shows it."""


class BytesRefuted(Exception):  # noqa: N818  # as above
    """Some of the bytes held have not the digests of their pieces; those alone are dropped and fetched again."""

    def __init__(self, ranges: Sequence[ByteRange]) -> None:
        super().__init__()
        self.ranges = tuple(ranges)
        """What is wrong, in order."""
