"""What comes of wishes: the row of each, put together once somebody looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tui_dl.journal.task_rows import task_of

if TYPE_CHECKING:
    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.task_rows import Origin


class FreshRow(NamedTuple):
    """A row as it begins; a million are made of a list, and hardly one is looked at."""

    id: int
    """Its id."""
    position: int
    """Its place in the queue."""
    wish: NewTask
    """What is wanted."""
    origin: Origin
    """What it shares with the others of its add."""

    def task(self) -> DownloadTask:
        """Return the row."""
        return task_of(self.wish, self.id, self.position, self.origin)


class AddOutcome:
    """What came of one wish."""

    __slots__ = ("_row", "is_left", "is_new")

    def __init__(self, row: DownloadTask | FreshRow, *, is_new: bool, is_left: bool = False) -> None:
        self._row = row
        self.is_new = is_new
        """Whether the row was made by this add; False: the same address and target was there already."""
        self.is_left = is_left
        """Whether this add ended it as skipped: its target was there before the batch began."""

    @property
    def task_id(self) -> int:
        """The row's id."""
        return self._row.id

    @property
    def task(self) -> DownloadTask:
        """The row as it stands now; ours to run only if its owner is our instance."""
        if isinstance(self._row, FreshRow):
            self._row = self._row.task()
        return self._row
