"""Which tasks a call of our own means, and which part of them it wants to see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import UsageError
from tui_dl.core.query import SortKey, TaskQuery
from tui_dl.core.wire_commands import ids_of, query_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui_dl.core.ports_control import ControlPort

TARGET_KEYS: Final = frozenset({"ids", "query", "all", "excluding_ids"})
_ORDER_KEYS: Final = frozenset({"sort", "is_descending", "has_history"})


@dataclass(frozen=True, slots=True)
class Targets:
    """Tasks by id or by a question."""

    ids: tuple[int, ...] | None
    """Ids, None where a question is asked."""
    query: TaskQuery
    """The question; ignored where there are ids."""
    excluding_ids: frozenset[int] = frozenset()
    """Rows that the question finds and that are not meant."""

    async def view(self, engine: ControlPort, offset: int, limit: int) -> Sequence[int]:
        """Return a page of their ids in order; no more is asked of the journal than the page needs."""
        if self.ids is not None:
            return self.ids[offset : offset + limit]
        left_out = len(self.excluding_ids)
        found: Sequence[int] = await engine.view(self.query, limit=offset + limit + left_out)
        if left_out:
            found = [one for one in found if one not in self.excluding_ids]
        return found[offset : offset + limit]


def targets_of(values: Mapping[str, Any], *, wants_any: bool) -> Targets:
    """Return the tasks that a call means; all where it names none. Raises `UsageError`."""
    if "ids" in values:
        if values.get("query") is not None or values.get("all"):
            raise UsageError("name ids, a query or all; one of them")
        return Targets(ids_of(values["ids"], "ids"), TaskQuery())
    if wants_any and values.get("query") is None and not values.get("all"):
        raise UsageError("name ids, a query or all")
    query = query_of(values["query"]) if values.get("query") is not None else TaskQuery()
    return Targets(None, ordered(query, values), frozenset(ids_of(values.get("excluding_ids"), "excluding_ids")))


def ordered(query: TaskQuery, values: Mapping[str, Any]) -> TaskQuery:
    """Return a question with the order that a call wants."""
    changes: dict[str, Any] = {}
    if values.get("sort") is not None:
        if values["sort"] not in tuple(SortKey):
            raise UsageError(f"sort: known are {', '.join(key.value for key in SortKey)}")
        changes["sort"] = SortKey(values["sort"])
    changes |= {key: bool(values[key]) for key in ("is_descending", "has_history") if key in values}
    return replace(query, **changes)


def page_of(values: Mapping[str, Any], *, usual: int, most: int) -> tuple[int, int]:
    """Return offset and limit of the page that a call wants. Raises `UsageError`."""
    offset, limit = values.get("offset", 0), values.get("limit", usual)
    for name, value in (("offset", offset), ("limit", limit)):
        if type(value) is not int or not 0 <= value < 1 << 40:
            raise UsageError(f"{name}: expected a whole number, 0 or more")
    return offset, min(limit, most)


def refuse_unknown(values: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raise `UsageError` for a parameter that means nothing here."""
    for name in values:
        if name not in known:
            raise UsageError(f"{name!r} is no parameter of this method; known are {', '.join(sorted(known)) or 'none'}")


PAGE_KEYS: Final = TARGET_KEYS | _ORDER_KEYS | {"offset", "limit"}
