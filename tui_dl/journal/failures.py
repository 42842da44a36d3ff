"""Failures by reason and host: what a triage begins with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_dl.core.errors import Reason
from tui_dl.core.ports import FailureGroup
from tui_dl.core.status import Status
from tui_dl.journal.conditions import condition_of_query

if TYPE_CHECKING:
    import sqlite3

    from tui_dl.core.query import TaskQuery

_KNOWN = frozenset(Reason)


def groups_of(connection: sqlite3.Connection, query: TaskQuery) -> list[FailureGroup]:
    """Return the failed rows that match a query, by reason and host, the largest group first.

    A query that names statuses without `failed` matches none.
    """
    if query.statuses and Status.FAILED not in query.statuses:
        return []
    where, parameters = condition_of_query(replace(query, statuses=frozenset({Status.FAILED})))
    rows = connection.execute(
        f"SELECT reason, host, count(*) AS many, max(reason_text) FROM tasks WHERE {where}"  # noqa: S608  # fixed parts
        " GROUP BY reason, host ORDER BY many DESC, reason, host",
        parameters,
    )
    return [FailureGroup(_reason(word), host, count, text) for word, host, count, text in rows]


def _reason(word: str | None) -> Reason:
    """Return the reason of a row; one that another version wrote is not known here."""
    return Reason(word) if word in _KNOWN else Reason.INTERNAL
