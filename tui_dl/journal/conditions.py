"""A `TaskQuery` as the `WHERE` of a statement."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.query import ANY_OF, TermKind
from tui_dl.core.status import FINISHED
from tui_dl.journal.task_rows import clean
from tui_dl.journal.transitions import words

if TYPE_CHECKING:
    import sqlite3

    from tui_dl.core.query import TaskQuery, Term

_MOST_PATTERN_CHARS: Final = 1_000
"""Longer texts go to the slow path: SQLite bounds the length of a pattern."""
_WILD: Final = re.compile(r"[*?]")
_LIKE: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_COLUMNS: Final = {
    TermKind.TEXT: ("filename", "url"),
    TermKind.HOST: ("host",),
    TermKind.NAME: ("filename",),
    TermKind.REASON: ("reason",),
    TermKind.URL: ("url",),
    TermKind.DIR: ("dir",),
}


def prepare(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that compare texts beyond ASCII."""
    connection.create_function("folded_contains", 2, _folded_contains, deterministic=True)
    connection.create_function("folded_matches", 2, _folded_matches, deterministic=True)


def _folded_contains(needle: str, text: str | None) -> bool:
    return text is not None and needle in text.casefold()


def _folded_matches(pattern: str, text: str | None) -> bool:
    return text is not None and _expression(pattern).fullmatch(text.casefold()) is not None


@lru_cache(maxsize=16)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", pattern))
    return re.compile(".*".join(parts), re.DOTALL)


def condition_of_query(query: TaskQuery) -> tuple[str, dict[str, Any]]:
    """Return the `WHERE` of a query and its parameters.

    Without a batch this is the screen's default view, unless history is asked for: finished rows of a `get` are hidden.
    """
    where = _Where()
    has_batch = any(term.kind is TermKind.BATCH and not term.is_negated for term in query.terms)
    if query.batch_id is not None:
        where.terms.append(f"batch_id = {where.parameter(query.batch_id)}")
    elif not (query.has_history or has_batch):
        where.terms.append(f"(is_get = 0 OR status NOT IN ({words(FINISHED)}))")
    if query.statuses:
        where.terms.append(f"status IN ({words(query.statuses)})")
    if query.host:
        where.terms.append(where.fits("host", query.host))
    if query.text:
        where.terms.append(f"({where.fits('filename', query.text)} OR {where.fits('url', query.text)})")
    where.add(query.terms)
    return " AND ".join(where.terms or ["TRUE"]), where.parameters


class _Where:
    """Conditions as they are gathered; all hold together."""

    def __init__(self) -> None:
        self.terms: list[str] = []
        self.parameters: dict[str, Any] = {}

    def parameter(self, value: Any) -> str:
        """Return the place that stands for a value."""
        name = f"value{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def add(self, terms: tuple[Term, ...]) -> None:
        """Take in terms: of several of a kind that excludes itself one is enough."""
        alternatives: dict[TermKind, list[str]] = {}
        for term in terms:
            condition = self._of_term(term)
            if term.is_negated:
                # What is unknown (a size, a reason) does not fit, so it stays.
                self.terms.append(f"({condition}) IS NOT TRUE")
            elif term.kind in ANY_OF:
                alternatives.setdefault(term.kind, []).append(condition)
            else:
                self.terms.append(f"({condition})")
        self.terms += [f"({' OR '.join(conditions)})" for conditions in alternatives.values()]

    def _of_term(self, term: Term) -> str:
        if term.kind is TermKind.STATUS:
            return f"status IN ({words(term.statuses)})"
        if term.kind is TermKind.SIZE:
            bounds = ((">=", term.least_bytes), ("<=", term.most_bytes))
            parts = [f"total_bytes {sign} {self.parameter(bound)}" for sign, bound in bounds if bound is not None]
            return " AND ".join(parts or ["total_bytes IS NOT NULL"])
        if term.kind is TermKind.BATCH:
            return f"batch_id IN (SELECT id FROM batches WHERE {self._fits_term('name', term)})"  # noqa: S608  # ours
        if term.kind is TermKind.REASON and term.value.isascii() and term.value.isdigit():
            # Rows of a time before the status was kept say it in words.
            shown = self.fits("reason_text", term.value)
            return f"http_status = {self.parameter(int(term.value[:9]))} OR (http_status IS NULL AND {shown})"
        return " OR ".join(self._fits_term(column, term) for column in _COLUMNS[term.kind])

    def _fits_term(self, column: str, term: Term) -> str:
        if term.is_exact:
            value = clean(term.value)
            return f"{column} = {self.parameter(value.lower() if column == 'host' else value)}"
        return self.fits(column, term.value, is_pattern=term.kind is not TermKind.TEXT)

    def fits(self, column: str, text: str, *, is_pattern: bool = False) -> str:
        """Return a case-insensitive test for a part, or of the whole by a pattern with `*` and `?`.

        `LIKE` folds ASCII only, so other letters are folded by Python, for rows that hold such.
        """
        folded = clean(text).casefold()
        is_wild = is_pattern and _WILD.search(folded) is not None
        if folded.isascii() and len(folded) <= _MOST_PATTERN_CHARS:
            escaped = folded.translate(_LIKE)
            pattern = escaped.replace("*", "%").replace("?", "_") if is_wild else f"%{escaped}%"
            return f"{column} LIKE {self.parameter(pattern)} ESCAPE '\\'"
        test = f"folded_{'matches' if is_wild else 'contains'}({self.parameter(folded)}, {column})"
        if folded.isascii():
            return test
        return f"(length({column}) < length(CAST({column} AS BLOB)) AND {test})"
