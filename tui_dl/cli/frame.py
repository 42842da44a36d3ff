"""A few lines at the end of a terminal that are redrawn in place: only what changed is written."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.display_text import cell_count, display_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Style(Enum):
    """What a piece of a line is, by the code that shows it; the theme of the terminal chooses the colour."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    GOOD = "32"
    BAD = "31"


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    """Harmless text."""
    style: Style = Style.PLAIN
    """How it is shown where there are colours."""


Line = tuple[Span, ...]

_CLEAR_REST: Final = "\x1b[K"
_CLEAR_BELOW: Final = "\x1b[J"


def fitted(line: Iterable[Span], most_cells: int) -> Line:
    """Return a line cut to this many cells."""
    spans: list[Span] = []
    left = most_cells
    for span in line:
        text = display_text(span.text, left)
        if text:
            spans.append(Span(text, span.style))
        if text != span.text:
            break
        left -= cell_count(text)
    return tuple(spans)


def plain_text(line: Iterable[Span]) -> str:
    """Return a line without styles."""
    return "".join(span.text for span in line)


class Frame:
    """What stands on the terminal now, and the text that makes it something else.

    The cursor stands behind the last line. Lines are one cell narrower than the terminal, so that none wraps; a
    terminal that became narrower since has wrapped them, which is counted on the way up.
    """

    def __init__(self, *, has_colour: bool) -> None:
        self._has_colour = has_colour
        self._lines: tuple[Line, ...] = ()

    @property
    def is_shown(self) -> bool:
        """Whether anything stands there."""
        return bool(self._lines)

    def painted(self, lines: Sequence[Line], columns: int, rows: int) -> str:
        """Return what turns the frame into these lines on a terminal of this size."""
        wanted = tuple(fitted(line, max(columns - 1, 1)) for line in lines[: max(rows - 1, 1)])
        if wanted == self._lines and not self._has_wrapped(columns):
            return ""
        is_anew = self._has_wrapped(columns)
        out = [self._way_up(columns)]
        if is_anew:
            out.append(_CLEAR_BELOW)
        for index, line in enumerate(wanted):
            if index:
                out.append("\n")
            if is_anew or index >= len(self._lines) or self._lines[index] != line:
                out.append(f"{self._styled(line)}{_CLEAR_REST}")
        if len(wanted) < len(self._lines) and not is_anew:
            # Also where the last line stays: the cursor then stands at its beginning.
            out.append(f"\r{self._styled(wanted[-1]) if wanted else ''}{_CLEAR_BELOW}")
        self._lines = wanted
        return "".join(out)

    def erased(self, columns: int) -> str:
        """Return what takes the frame away and leaves the cursor where it began."""
        if not self._lines:
            return ""
        out = f"{self._way_up(columns)}{_CLEAR_BELOW}"
        self._lines = ()
        return out

    def forget(self) -> None:
        """Leave what stands there as it is: it is no longer where it was."""
        self._lines = ()

    def _way_up(self, columns: int) -> str:
        above = sum(_rows_of(line, columns) for line in self._lines) - 1
        return f"\r\x1b[{above}A" if above > 0 else "\r"

    def _has_wrapped(self, columns: int) -> bool:
        return any(_rows_of(line, columns) > 1 for line in self._lines)

    def _styled(self, line: Line) -> str:
        if not self._has_colour:
            return plain_text(line)
        return "".join(f"\x1b[{one.style.value}m{one.text}\x1b[m" if one.style.value else one.text for one in line)


def _rows_of(line: Line, columns: int) -> int:
    cells = sum(cell_count(span.text) for span in line)
    return max(1, -(-cells // max(columns, 1)))
