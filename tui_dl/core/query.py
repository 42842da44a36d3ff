"""Which rows, in which order: the question that the journal answers with an array of ids."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_dl.core.status import Status


class SortKey(StrEnum):
    """Columns by which all rows can be sorted; speed, ETA and percent sort live rows only."""

    POSITION = "position"
    NAME = "name"
    SIZE = "size"
    STATUS = "status"
    HOST = "host"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """A filter and an order. Everything empty means all rows in queue order."""

    text: str = ""
    """Case-insensitive part of the name or the address."""
    statuses: frozenset[Status] = frozenset()
    """Any of these; empty means all."""
    host: str = ""
    """Part of the host name; empty means all."""
    batch_id: int | None = None
    """Only this batch; None means all."""
    sort: SortKey = SortKey.POSITION
    """Order."""
    is_descending: bool = False
    """Whether the order is turned round."""
