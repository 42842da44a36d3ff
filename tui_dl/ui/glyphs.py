"""The drawing characters: one set for UTF-8 terminals, one for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import ascii_text, display_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Everything that is drawn and is no text; each character one cell wide."""

    is_ascii: bool
    """Whether names too are shown in ASCII alone."""
    full: str
    """A cell of a bar that is done."""
    half: str
    """Half a cell done."""
    rest: str
    """A cell still to do."""
    levels: str
    """A graph's heights, lowest first."""
    held: str
    """Part of a file that is held."""
    partly: str
    """Part of a file of which some is held."""
    flight: str
    """Part of a file that a connection fetches."""
    missing: str
    """Part of a file that nobody has begun."""
    cursor: str
    """Left edge of the current row."""
    mark: str
    """Left edge of a selected row."""
    down: str
    """In front of the total speed."""
    connections: str
    """Head of the column of connections."""
    dot: str
    """Between two facts."""
    rule: str
    """A horizontal line."""
    ascending: str
    """Beside the head of the sorted column."""
    descending: str
    """The same, turned round."""
    ellipsis: str
    """End of a text that was cut."""
    alert: str
    """In front of a lasting condition."""
    high: str
    """In front of a name of high priority."""
    low: str
    """In front of a name of low priority."""
    opened: str
    """In front of a playlist whose entries are shown."""
    closed: str
    """In front of a playlist whose entries are hidden."""
    branch: str
    """In front of an entry of a playlist."""
    chosen: str
    """In the mark of what is wanted."""

    def text(self, untrusted: str) -> str:
        """Return text from outside as one safe line of this set's characters."""
        return ascii_text(untrusted) if self.is_ascii else display_text(untrusted)

    def bar(self, fraction: float, width: int) -> tuple[str, str]:
        """Return the done and the open part of a bar `width` cells wide, in half-cell steps."""
        halves = min(2 * width, max(0, int(fraction * 2 * width)))
        done = self.full * (halves // 2) + (self.half if halves % 2 else "")
        return done, self.rest * (width - len(done))

    def graph(self, values: Sequence[float], width: int) -> str:
        """Return the last `width` values as a line of heights, scaled to the highest; never taller for noise."""
        shown = values[-width:] if width > 0 else ()
        peak = max(shown, default=0.0)
        if peak <= 0:
            return ""
        top = len(self.levels) - 1
        return "".join(self.levels[min(top, max(0, round(value / peak * top)))] for value in shown)


UNICODE: Final = Glyphs(
    is_ascii=False,
    full="━",
    half="╸",
    rest="─",
    levels="▁▂▃▄▅▆▇█",
    held="█",
    partly="▒",
    flight="▓",
    missing="░",
    cursor="▸",
    mark="●",
    down="↓",
    connections="⇄",
    dot="·",
    rule="─",
    ascending="▴",
    descending="▾",
    ellipsis="…",
    alert="▲",
    high="↑",
    low="↓",
    opened="▾",
    closed="▸",
    branch="│",
    chosen="✓",
)
ASCII: Final = Glyphs(
    is_ascii=True,
    full="=",
    half="-",
    rest=".",
    levels="_.-:=+*#",
    held="#",
    partly="+",
    flight=">",
    missing=".",
    cursor=">",
    mark="*",
    down="v",
    connections="#",
    dot="-",
    rule="-",
    ascending="^",
    descending="v",
    ellipsis="~",
    alert="!",
    high="^",
    low="v",
    opened="v",
    closed=">",
    branch="|",
    chosen="x",
)

POOR_TERMINALS: Final = ("linux", "vt100", "vt102", "vt220", "ansi")
"""Terminals whose fonts lack half of the characters, whatever the locale says."""


def is_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale and the terminal show more than ASCII.

    Python turns a C locale into UTF-8 by setting LC_CTYPE for itself (PEP 538); that says nothing of the terminal.
    """
    if environment.get("TERM", "") in POOR_TERMINALS:
        return False
    lang = environment.get("LANG", "")
    ctype = environment.get("LC_CTYPE", "")
    if ctype in ("C.UTF-8", "C.utf8", "UTF-8") and lang in ("", "C", "POSIX"):
        ctype = ""
    chosen = environment.get("LC_ALL", "") or ctype or lang
    return chosen.casefold().replace("-", "").endswith("utf8") or ".utf8" in chosen.casefold().replace("-", "")


def glyphs_for(environment: Mapping[str, str], *, wants_ascii: bool) -> Glyphs:
    """Return the set for a terminal."""
    return ASCII if wants_ascii or not is_utf8(environment) else UNICODE
