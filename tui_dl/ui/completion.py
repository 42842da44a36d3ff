"""What a filter that is being typed can go on with: the terms there are, and the values known of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import REASONS
from tui_dl.core.query import TermKind
from tui_dl.core.status import FACTS, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OFFERED: Final = (TermKind.HOST, TermKind.STATUS, TermKind.BATCH, TermKind.SIZE, TermKind.NAME, TermKind.REASON)
"""Terms that are offered first; the others are understood, too."""
ALL_TERMS: Final = (*OFFERED, TermKind.URL, TermKind.DIR)
STATUS_WORDS: Final = tuple(
    dict.fromkeys(
        (
            *("active", "queued", "paused", "failed", "done"),
            *(word for status in Status for word in (status.value, *FACTS[status].names)),
        )
    )
)
"""What may follow `status:`, the usual ones first."""
EXAMPLES: Final = {
    TermKind.SIZE: ">1G  <=10M  1M..2G",
    TermKind.NAME: "*.iso, or a part of the name",
    TermKind.HOST: "part of the host, *.org, =whole",
    TermKind.BATCH: "part of the name of the add",
    TermKind.REASON: "404, or part of a reason code",
    TermKind.URL: "part of the address",
    TermKind.DIR: "part of the folder",
}
"""What is written where nothing known fits."""
MOST_CANDIDATES: Final = 40
"""More than a line shows; a hundred thousand hosts are not gone through for it."""


@dataclass(frozen=True, slots=True)
class Known:
    """Values that the screen knows of."""

    hosts: Sequence[str] = ()
    """Hosts of rows looked at, most usual first."""
    batches: Sequence[str] = ()
    """Names of batches, newest first."""
    reasons: Sequence[str] = field(default_factory=lambda: tuple(reason.value for reason in REASONS))
    """Reason codes."""
    themes: Sequence[str] = ()
    """Names of themes."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What can follow at the cursor."""

    start: int
    """Where the word begins that is replaced."""
    candidates: tuple[str, ...] = ()
    """Whole words that may take its place, best first."""
    example: str = ""
    """What is written there, where no candidate fits."""

    def applied(self, text: str, cursor: int) -> tuple[str, int]:
        """Return the text with the first candidate in it, and where the cursor stands then."""
        word = self.candidates[0]
        if not word.endswith((":", "=")):
            word += " "
        return text[: self.start] + word + text[cursor:].lstrip(), self.start + len(word)


def complete(text: str, cursor: int, known: Known) -> Completion:
    """Return what can follow in `text` at `cursor`."""
    start = word_start(text, cursor)
    word = text[start:cursor]
    sign = "-" if word.startswith("-") else ""
    key, colon, value = word[len(sign) :].partition(":")
    if not colon:
        wanted = key.casefold()
        terms = OFFERED if not wanted else ALL_TERMS
        found = [f"{sign}{kind.value}:" for kind in terms if kind.value.startswith(wanted)]
        return Completion(start, tuple(found))
    kind = next((kind for kind in ALL_TERMS if kind.value == key.casefold()), None)
    if kind is None:
        return Completion(start)
    head, comma, last = value.rpartition(",")
    values = _values(kind, last.strip('"=').casefold(), known)
    return Completion(
        start,
        tuple(f"{sign}{kind.value}:{head}{comma}{_quoted(one)}" for one in values),
        EXAMPLES.get(kind, "") if not values else "",
    )


def is_term_begun(text: str, cursor: int) -> bool:
    """Whether the word at the cursor may become a term: a `stat` is rather half a `status:` than a word to look for."""
    word = text[word_start(text, cursor) : cursor].removeprefix("-").casefold()
    return bool(word) and any(kind.value.startswith(word) for kind in ALL_TERMS)


def word_start(text: str, cursor: int) -> int:
    """Return where the word at the cursor begins; blanks within quotation marks belong to it."""
    start, is_quoted = 0, False
    for index, char in enumerate(text[:cursor]):
        if char == '"':
            is_quoted = not is_quoted
        elif char.isspace() and not is_quoted:
            start = index + 1
    return start


def _values(kind: TermKind, begun: str, known: Known) -> list[str]:
    choices: Iterable[str] = {
        TermKind.STATUS: STATUS_WORDS,
        TermKind.HOST: known.hosts,
        TermKind.BATCH: known.batches,
        TermKind.REASON: known.reasons,
    }.get(kind, ())
    fitting = [one for one in choices if begun in one.casefold()]
    fitting.sort(key=lambda one: not one.casefold().startswith(begun))
    # What stands there already is no offer.
    return [] if [begun] == [one.casefold() for one in fitting] else fitting[:MOST_CANDIDATES]


def _quoted(value: str) -> str:
    return f'"{value}"' if any(char.isspace() for char in value) else value
