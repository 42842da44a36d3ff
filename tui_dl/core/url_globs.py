"""Addresses that stand for many, as curl writes them: `[001-100]`, `[a-z]`, `[0-100:10]`, `{one,two}`.

What does not have exactly this shape is left as it is, an IPv6 address in its brackets above all; a backslash before a
bracket or a brace takes its meaning away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_ADDRESSES: Final = 10_000_000
"""Addresses that one pattern may stand for."""
_PIECE: Final = re.compile(
    r"(?P<escaped>\\[\[\]{}])"
    r"|\[(?P<low>[0-9]{1,18})-(?P<high>[0-9]{1,18})(?::(?P<step>[0-9]{1,9}))?\]"
    r"|\[(?P<from>[a-z])-(?P<to>[a-z])(?::(?P<by>[0-9]{1,2}))?\]"
    r"|\[(?P<From>[A-Z])-(?P<To>[A-Z])(?::(?P<By>[0-9]{1,2}))?\]"
    r"|\{(?P<words>(?:[^{}\\]|\\.)*,(?:[^{}\\]|\\.)*)\}"
)
_COMMA: Final = re.compile(r"(?<!\\),")
_ESCAPED: Final = re.compile(r"\\(.)")
_OFF: Final = "write a backslash before the bracket, or --no-glob, if it is meant as it stands"


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers in steps, padded with zeros."""

    numbers: range
    width: int

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> str:
        return f"{self.numbers[place]:0{self.width}}"


@dataclass(frozen=True, slots=True)
class UrlGlob:
    """A pattern, understood."""

    text: str
    """As it was typed."""
    _between: tuple[str, ...]
    """What stands before, between and behind the choices."""
    _choices: tuple[Sequence[str] | _Numbers, ...]
    """At least one."""

    @property
    def count(self) -> int:
        """Addresses that it stands for."""
        return prod(len(one) for one in self._choices)

    def address(self, place: int) -> str:
        """Return one of them, from 0; the last choice runs fastest."""
        words = []
        for choice in reversed(self._choices):
            place, at = divmod(place, len(choice))
            words.append(choice[at])
        pieces = [self._between[0]]
        for word, behind in zip(reversed(words), self._between[1:], strict=True):
            pieces += (word, behind)
        return "".join(pieces)

    def __iter__(self) -> Iterator[str]:
        """Yield all of them, one at a time."""
        return map(self.address, range(self.count))


def parse_glob(text: str) -> UrlGlob | None:
    """Return the pattern in a typed address, None where there is none; raises `UsageError` for a senseless one."""
    between, choices, at = [""], [], 0
    for match in _PIECE.finditer(text):
        between[-1] += text[at : match.start()]
        at = match.end()
        if match["escaped"]:
            between[-1] += match["escaped"][1]
        else:
            choices.append(_choice(match))
            between.append("")
    if not choices:
        return None
    between[-1] += text[at:]
    glob = UrlGlob(text, tuple(between), tuple(choices))
    if glob.count > MOST_ADDRESSES:
        raise UsageError(f"it stands for {glob.count:,} addresses, and {MOST_ADDRESSES:,} is the most; {_OFF}")
    return glob


def unescaped(text: str) -> str:
    """Return an address without choices as it is meant: without the backslashes that took meanings away."""
    return _PIECE.sub(lambda match: match["escaped"][1] if match["escaped"] else match[0], text)


def _choice(match: re.Match[str]) -> Sequence[str] | _Numbers:
    if match["words"] is not None:
        return tuple(_ESCAPED.sub(r"\1", word) for word in _COMMA.split(match["words"]))
    if match["low"] is not None:
        low, high, step = match["low"], match["high"], int(match["step"] or 1)
        _check_order(match, int(low), int(high), step)
        width = len(low) if low.startswith("0") and len(low) > 1 else 0
        return _Numbers(range(int(low), int(high) + 1, step), width)
    first, last, by = (match["from"], match["to"], match["by"]) if match["from"] else match.group("From", "To", "By")
    step = int(by or 1)
    _check_order(match, ord(first), ord(last), step)
    return tuple(map(chr, range(ord(first), ord(last) + 1, step)))


def _check_order(match: re.Match[str], low: int, high: int, step: int) -> None:
    if low > high:
        raise UsageError(f"{match[0]} runs backwards; {_OFF}")
    if step == 0:
        raise UsageError(f"{match[0]} has a step of 0; {_OFF}")
