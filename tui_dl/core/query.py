"""Which rows, in which order: the question that the journal answers with an array of ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tui_dl.core.status import Status


class SortKey(StrEnum):
    """Columns by which all rows can be sorted; speed, ETA and percent sort live rows only."""

    POSITION = "position"
    NAME = "name"
    SIZE = "size"
    STATUS = "status"
    HOST = "host"
    ADDED = "added"
    FINISHED = "finished"
    """When they ended; rows that did not come first."""


class TermKind(StrEnum):
    """What a term looks at; the word before its colon."""

    TEXT = "text"
    """Part of the name or the address; written without a word before it."""
    HOST = "host"
    """Part of the host name."""
    STATUS = "status"
    """`Term.statuses`."""
    BATCH = "batch"
    """Part of the name of the add that brought it."""
    NAME = "name"
    """Part of the file name."""
    REASON = "reason"
    """Part of a reason code, or an HTTP status."""
    SIZE = "size"
    """`Term.least_bytes` and `Term.most_bytes`; rows of unknown length have no size."""
    URL = "url"
    """Part of the address."""
    DIR = "dir"
    """Part of the folder."""


ANY_OF: frozenset[TermKind] = frozenset(
    {TermKind.HOST, TermKind.STATUS, TermKind.BATCH, TermKind.NAME, TermKind.REASON}
)
"""Of several terms of these kinds that are not negated one is enough; of the others all must hold."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a query."""

    kind: TermKind
    """What it looks at."""
    value: str = ""
    """What is looked for, case-insensitive; with `*` or `?` in it a pattern for the whole, except in texts."""
    statuses: frozenset[Status] = frozenset()
    """Any of these, for STATUS."""
    least_bytes: int | None = None
    """Smallest size that fits, for SIZE; None for no bound."""
    most_bytes: int | None = None
    """Largest size that fits, for SIZE; None for no bound."""
    is_exact: bool = False
    """Whether `value` is the whole, letter by letter."""
    is_negated: bool = False
    """Whether rows that fit it are left out."""


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
    """Only this batch, its history included; None means all."""
    sort: SortKey = SortKey.POSITION
    """Order."""
    is_descending: bool = False
    """Whether the order is turned round."""
    terms: tuple[Term, ...] = ()
    """Further conditions, as `query_text.parse_terms()` reads them; see `ANY_OF` for how they go together."""
    has_history: bool = False
    """Whether finished rows of a `get` are asked for, too; the screen's default view hides them."""

    is_tree: bool = False
    """Whether entries of playlists stand below their head, in their own order; else each stands where the order puts
    it. Of filtered rows those stand below their head whose head is found, too."""
    closed_ids: tuple[int, ...] = ()
    """Heads whose entries are left out of a tree."""

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for less than all rows of the default view or of the history."""
        return bool(self.text or self.statuses or self.host or self.terms or self.batch_id is not None)


def allowed_statuses(query: TaskQuery) -> frozenset[Status]:
    """Return the statuses that a query lets through, all its terms together."""
    allowed = query.statuses or frozenset(Status)
    wanted = [term for term in query.terms if term.kind is TermKind.STATUS and not term.is_negated]
    if wanted:
        allowed &= frozenset[Status]().union(*(term.statuses for term in wanted))
    for term in query.terms:
        if term.kind is TermKind.STATUS and term.is_negated:
            allowed -= term.statuses
    return allowed


def without_statuses(query: TaskQuery) -> TaskQuery:
    """Return the query with all that it says of statuses left out."""
    terms = tuple(term for term in query.terms if term.kind is not TermKind.STATUS)
    return replace(query, statuses=frozenset(), terms=terms)
