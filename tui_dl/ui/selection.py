"""Which rows are selected: some by their ids, or all that a question finds, less those let go again."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui_dl.core.query import TaskQuery

MOST_IDS: Final = 10_000
"""Selecting all of more rows than this remembers the question, not a million ids; a longer range is kept packed."""


class Selection:
    """The selected rows of a view."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._packed = array("q")
        self._query: TaskQuery | None = None
        self._excluded: set[int] = set()

    def __contains__(self, task_id: int) -> bool:
        if task_id in self._excluded:
            return False
        return self._query is not None or task_id in self._ids or self._is_packed(task_id)

    def __bool__(self) -> bool:
        return self._query is not None or bool(self._ids) or len(self._packed) > len(self._excluded)

    def _is_packed(self, task_id: int) -> bool:
        place = bisect_left(self._packed, task_id)
        return place < len(self._packed) and self._packed[place] == task_id

    def count(self, shown: int) -> int:
        """Return how many are selected while the view shows `shown` rows."""
        if self._query is not None:
            return max(0, shown - len(self._excluded))
        return len(self._ids) + len(self._packed) - len(self._excluded)

    @property
    def ids(self) -> tuple[int, ...]:
        """The selected ids in ascending order; empty where a question is meant."""
        if not self._packed:
            return tuple(sorted(self._ids))
        if not self._ids and not self._excluded:
            return tuple(self._packed)  # in order already, and asked for with every command
        kept = (task_id for task_id in self._packed if task_id not in self._excluded)
        return tuple(sorted((*self._ids, *kept)))

    def some_ids(self, most: int) -> tuple[int, ...]:
        """Return a few of the selected ids, however many there are; none where a question is meant."""
        picked = sorted(self._ids)[:most] if len(self._ids) <= MOST_IDS else []
        return (*picked, *(one for one in self._packed[: most - len(picked)] if one not in self._excluded))

    @property
    def query(self) -> TaskQuery | None:
        """The question whose rows are selected, less `excluded`, if so."""
        return self._query

    @property
    def excluded(self) -> tuple[int, ...]:
        """Rows of the question that were let go again, in ascending order."""
        return tuple(sorted(self._excluded)) if self._query is not None else ()

    def clear(self) -> None:
        """Select nothing."""
        self._ids.clear()
        self._packed = array("q")
        self._query = None
        self._excluded.clear()

    def toggle(self, task_id: int) -> None:
        """Select or let go one row."""
        if self._query is not None or self._is_packed(task_id):
            self._excluded.symmetric_difference_update((task_id,))
        else:
            self._ids.symmetric_difference_update((task_id,))

    def add(self, task_ids: Sequence[int]) -> None:
        """Select these too."""
        if self._excluded:
            self._excluded.difference_update(task_ids)
        if self._query is not None:
            return
        if len(task_ids) > MOST_IDS:
            merged = {*self._packed, *task_ids} if self._packed else task_ids
            self._packed = array("q", sorted(merged))
            self._ids = {task_id for task_id in self._ids if not self._is_packed(task_id)}
        elif self._packed:
            self._ids.update(task_id for task_id in task_ids if not self._is_packed(task_id))
        else:
            self._ids.update(task_ids)

    def add_all(self, query: TaskQuery, shown: Iterable[int], shown_count: int) -> None:
        """Select all rows of a view: by their ids, or by its question where they are many."""
        self.clear()
        if shown_count > MOST_IDS:
            self._query = query
        else:
            self._ids.update(shown)

    def add_all_but(self, query: TaskQuery, excluded: Iterable[int]) -> None:
        """Select all rows of a question but these."""
        self.clear()
        self._query = query
        self._excluded.update(excluded)
