"""The rows that a command on many means: those of a question less some, or very many ids."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import TaskQuery, allowed_statuses, without_statuses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.status import Status

_ANY: Final = TaskQuery(has_history=True)
"""Leaves out no row whose id is named."""


class Everything(Collection[int]):
    """Holds every id."""

    def __contains__(self, _key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Meant:
    """Which rows a bulk command is for."""

    query: TaskQuery = field(default_factory=TaskQuery)
    """Rows that match; their order does not matter."""
    excluding_ids: Collection[int] = ()
    """Rows of them that are not meant."""
    ids: Sequence[int] | None = None
    """Only these of them, in ascending order; None for all."""

    @property
    def is_all(self) -> bool:
        """Whether no row is left out but for its status."""
        return self.ids is None and not without_statuses(self.query).is_filtered

    def has(self, task_id: int, status: Status | None = None) -> bool:
        """Whether a row may be meant, in this status if it is known, as far as that can be told without the journal."""
        if task_id in self.excluding_ids or (status is not None and status not in allowed_statuses(self.query)):
            return False
        if self.ids is None:
            return True
        place = bisect_left(self.ids, task_id)
        return place < len(self.ids) and self.ids[place] == task_id


def meant_by(command: Command) -> Meant:
    """Return what a command on many rows is for."""
    if command.query is not None:
        return Meant(command.query, frozenset(command.excluding_ids))
    return Meant(_ANY, ids=sorted(command.ids))
