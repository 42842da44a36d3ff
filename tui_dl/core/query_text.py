"""A filter as people type it: `host:x status:failed size:>1G name:*.iso -batch:old "some words"`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.query import SortKey, TaskQuery, Term, TermKind
from tui_dl.core.sizes import parse_size
from tui_dl.core.status import FACTS, Status, statuses_named

_WORD: Final = re.compile(r'(-?)([A-Za-z]+:(?!//))?(?:"([^"]*)("|\Z)|(\S+))?', re.ASCII)
_SHOWN_CELLS: Final = 60
_BOUND: Final = re.compile(r"(>=|<=|>|<|=)?(.+)", re.DOTALL)
_NAMES: Final = {
    **{kind.value: kind for kind in TermKind},
    "folder": TermKind.DIR,
    "state": TermKind.STATUS,
    "is": TermKind.STATUS,
    "error": TermKind.REASON,
}
_LISTS: Final = frozenset({TermKind.HOST, TermKind.REASON})
"""Kinds whose values hold no comma, so that one separates alternatives; a status is read by itself."""
HELP: Final = (
    ("host:NAME", "part of the host; host:=NAME the whole, host:*.org a pattern"),
    ("status:WORD", "queued, active, waiting, paused, completed, failed, ...; several with commas"),
    ("batch:NAME", "part of the name of the add that brought it"),
    ("name:*.iso", "part of the file name, or a pattern"),
    ("size:>1G", "also >=, <, <=, and 1M..2G"),
    ("reason:404", "an HTTP status, or part of a reason code"),
    ("url: dir:", "part of the address, of the folder"),
    ('"two words"', "part of name or address; several words must all be there"),
    ("-TERM", "what does not fit the term"),
)
"""How a filter is written, for help texts."""


class BadTerm(UsageError):  # noqa: N818  # named for what it is about, beside `BadLine`
    """A filter that cannot be understood; `term` is the piece at fault."""

    def __init__(self, term: str, problem: str) -> None:
        self.term = display_text(term, _SHOWN_CELLS)
        """The piece at fault as it was typed, safe to show."""
        super().__init__(f"{self.term.removesuffix(':')}: {problem}")


@dataclass(frozen=True, slots=True)
class _Word:
    shown: str
    is_negated: bool
    key: str
    value: str
    is_quoted: bool


def parse_query(text: str, *, sort: SortKey = SortKey.POSITION, is_descending: bool = False) -> TaskQuery:
    """Return the query for a filter as it was typed, empty for all rows; raises `BadTerm`."""
    return TaskQuery(sort=sort, is_descending=is_descending, terms=parse_terms(text))


def parse_terms(text: str) -> tuple[Term, ...]:
    """Return the conditions of a filter as it was typed; raises `BadTerm` for the first piece that means nothing.

    A word with `://` is an address and no key; quotes make any words a text.
    """
    return tuple(term for word in _words(text) for term in _terms_of(word))


def _words(text: str) -> list[_Word]:
    words = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _WORD.match(text, position)
        assert match is not None  # every part of the expression may be empty, and one takes any visible letter
        if match[3] is not None and not match[4]:
            raise BadTerm(match[0], "its quotation mark is not closed")
        key = (match[2] or "").removesuffix(":").lower()
        value = match[3] if match[3] is not None else (match[5] or "")
        words.append(_Word(match[0], bool(match[1]), key, value, match[3] is not None))
        position = match.end()
    return words


def _terms_of(word: _Word) -> list[Term]:
    kind = _NAMES.get(word.key) if word.key else TermKind.TEXT
    if kind is None:
        near = get_close_matches(word.key, [kind.value for kind in TermKind], n=1) or get_close_matches(
            word.key, _NAMES, n=1
        )
        hint = f"did you mean {near[0]}: ?" if near else f"known are {', '.join(kind.value for kind in TermKind)}"
        raise BadTerm(
            word.shown, f'there is no term {word.key}: ({hint}); to search for the words, write "{word.key}:"'
        )
    if not word.value:
        raise BadTerm(word.shown, "nothing follows it")
    if kind is TermKind.STATUS:
        return [Term(kind, statuses=_statuses(word), is_negated=word.is_negated)]
    if kind is TermKind.SIZE:
        least, most = _bounds(word)
        return [Term(kind, least_bytes=least, most_bytes=most, is_negated=word.is_negated)]
    is_exact = word.value.startswith("=") and len(word.value) > 1 and kind is not TermKind.TEXT
    value = word.value[1:] if is_exact else word.value
    values = [one for one in value.split(",") if one] if kind in _LISTS else [value]
    if not values:
        raise BadTerm(word.shown, "nothing follows it")
    return [Term(kind, one, is_exact=is_exact, is_negated=word.is_negated) for one in values]


def _statuses(word: _Word) -> frozenset[Status]:
    found: frozenset[Status] = frozenset()
    for name in word.value.split(","):
        named = statuses_named(name)
        if not named:
            words = sorted(
                {status.value for status in Status} | {one for facts in FACTS.values() for one in facts.names}
            )
            near = get_close_matches(name.lower(), words, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(status.value for status in Status)}"
            raise BadTerm(word.shown, f"there is no status {display_text(name, _SHOWN_CELLS)!r}; {hint}")
        found |= named
    return found


def _bounds(word: _Word) -> tuple[int | None, int | None]:
    """Return the smallest and the largest size in bytes, both inclusive."""
    low, dots, high = word.value.partition("..")
    if dots:
        least, most = _size(word, low) if low else None, _size(word, high) if high else None
        if least is None and most is None:
            raise BadTerm(word.shown, "a size is missing, write 1M..2G")
        return least, most
    match = _BOUND.fullmatch(word.value)
    if match is None:
        raise BadTerm(word.shown, "a size is missing, write >1G")
    sign, number = match[1] or "=", _size(word, match[2])
    if sign in (">", ">="):
        return number + (sign == ">"), None
    if sign in ("<", "<="):
        return None, number - (sign == "<")
    return number, number


def _size(word: _Word, text: str) -> int:
    try:
        return parse_size(text)
    except UsageError as error:
        raise BadTerm(word.shown, error.message) from None
