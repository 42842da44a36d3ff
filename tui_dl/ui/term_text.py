"""Terms written as a person types them, for the filter bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.query import Term, TermKind

if TYPE_CHECKING:
    from collections.abc import Iterable


def terms_text(terms: Iterable[Term]) -> str:
    """Return what `core.query_text.parse_terms()` reads as these terms."""
    return " ".join(term_text(term) for term in terms)


def term_text(term: Term) -> str:
    """Return one term as it is typed."""
    sign = "-" if term.is_negated else ""
    if term.kind is TermKind.STATUS:
        value = ",".join(sorted(status.value for status in term.statuses))
    elif term.kind is TermKind.SIZE:
        least, most = term.least_bytes, term.most_bytes
        value = f"{'' if least is None else least}..{'' if most is None else most}"
    else:
        # There is no way to write a quotation mark within others: any character there is near enough.
        value = f"{'=' if term.is_exact else ''}{term.value}".replace('"', "?")
    if term.kind is TermKind.TEXT:
        return f'{sign}"{value}"' if _needs_quotes(value) or ":" in value or value.startswith("-") else f"{sign}{value}"
    return f'{sign}{term.kind.value}:"{value}"' if _needs_quotes(value) else f"{sign}{term.kind.value}:{value}"


def exact(kind: TermKind, value: str) -> Term:
    """Return the term for a value letter by letter."""
    return Term(kind, value, is_exact=True)


def _needs_quotes(value: str) -> bool:
    return not value or any(char.isspace() for char in value)
