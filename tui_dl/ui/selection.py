"""Which rows are selected: some by their ids, or all that a question finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.query import TaskQuery

MOST_IDS: Final = 10_000
"""Selecting all of more rows than this remembers the question, not a million ids."""


class Selection:
    """The selected rows of a view."""

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._query: TaskQuery | None = None

    def __contains__(self, task_id: int) -> bool:
        return self._query is not None or task_id in self._ids

    def __bool__(self) -> bool:
        return self._query is not None or bool(self._ids)

    def count(self, shown: int) -> int:
        """Return how many are selected while the view shows `shown` rows."""
        return shown if self._query is not None else len(self._ids)

    @property
    def ids(self) -> tuple[int, ...]:
        """The selected ids in ascending order; empty where a question is meant."""
        return tuple(sorted(self._ids))

    @property
    def query(self) -> TaskQuery | None:
        """The question whose rows are all selected, if so."""
        return self._query

    def clear(self) -> None:
        """Select nothing."""
        self._ids.clear()
        self._query = None

    def toggle(self, task_id: int, shown: Iterable[int]) -> None:
        """Select or let go one row; `shown` is asked only if all were selected."""
        if self._query is not None:
            self._query = None
            self._ids.update(shown)
        self._ids.symmetric_difference_update((task_id,))

    def add(self, task_ids: Iterable[int]) -> None:
        """Select these too."""
        if self._query is None:
            self._ids.update(task_ids)

    def add_all(self, query: TaskQuery, shown: Iterable[int], shown_count: int) -> None:
        """Select all rows of a view: by their ids, or by its question where they are many."""
        self.clear()
        if shown_count > MOST_IDS:
            self._query = query
        else:
            self._ids.update(shown)

    def forget(self, task_ids: Iterable[int]) -> None:
        """Let go of rows that are gone."""
        self._ids.difference_update(task_ids)
