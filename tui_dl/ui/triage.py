"""Failures as triage shows them: reasons with their totals, hosts below those that are open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tui_dl.core.query import TaskQuery, Term, TermKind
from tui_dl.core.status import Status
from tui_dl.ui.term_text import exact

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tui_dl.core.errors import Reason
    from tui_dl.core.ports import FailureGroup

MOST_OPEN_ROWS: Final = 20
"""Hosts are shown at once where all of them fit about a screen."""


@dataclass(frozen=True, slots=True)
class TriageRow:
    """One line: a reason, or a host below it."""

    reason: Reason
    """Why they failed."""
    count: int
    """How many."""
    host: str | None = None
    """Host, of a line below a reason."""
    hosts: int = 0
    """How many hosts there are below a reason."""
    text: str = ""
    """What one of them says; show it sanitised."""

    @property
    def key(self) -> tuple[Reason, str | None]:
        """What it is, whatever its count: the cursor stays on it."""
        return self.reason, self.host


def triage_rows(groups: Sequence[FailureGroup], open_reasons: Collection[Reason]) -> list[TriageRow]:
    """Return the lines: reasons by their totals, the largest first, and the hosts of those that are open."""
    by_reason: dict[Reason, list[FailureGroup]] = {}
    for group in groups:
        by_reason.setdefault(group.reason, []).append(group)
    totals = {reason: sum(group.count for group in found) for reason, found in by_reason.items()}
    rows: list[TriageRow] = []
    for reason in sorted(by_reason, key=lambda reason: (-totals[reason], reason.value)):
        found = by_reason[reason]
        rows.append(TriageRow(reason, totals[reason], hosts=len(found), text=found[0].text))
        if reason in open_reasons:
            rows += [TriageRow(reason, group.count, group.host, text=group.text) for group in found]
    return rows


def group_terms(scope: Sequence[Term], row: TriageRow) -> tuple[Term, ...]:
    """Return the terms of a line within what was filtered for.

    Terms of the scope that the line is narrower than are left out: two hosts would mean either of them.
    """
    own = [Term(TermKind.STATUS, statuses=frozenset({Status.FAILED})), exact(TermKind.REASON, row.reason.value)]
    if row.host is not None:
        own.append(exact(TermKind.HOST, row.host))
    kinds = {term.kind for term in own}
    return (*(term for term in scope if term.is_negated or term.kind not in kinds), *own)


def group_query(scope: TaskQuery, row: TriageRow) -> TaskQuery:
    """Return the question for the failed downloads of a line."""
    return replace(scope, statuses=frozenset(), terms=group_terms(scope.terms, row))
