"""The cell diff between Textual's compositor and the terminal: only cells that changed are written."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import split_graphemes
from textual._compositor import ChopsUpdate, LayoutUpdate

from tui_dl.ui.terminal.look import PLAIN, Look, LookBook, leap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.strip import Strip

GAP_CELLS: Final = 4
"""Unchanged cells between two changes that cost no more to write again than to jump over."""

KNOWN_WIDTHS: Final = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x2FF),
    (0x370, 0x482),
    (0x48A, 0x52F),
    (0x2010, 0x2027),
    (0x20A0, 0x20BF),
    (0x2190, 0x21FF),
    (0x2500, 0x25FC),
    (0x2800, 0x28FF),
    (0x3001, 0x3029),
    (0x3041, 0x3096),
    (0x30A0, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xFF01, 0xFF60),
)
"""Code points that every terminal gives the same width as rich does. After any other the cursor is placed anew."""


JOINER: Final = "\u200d"
"""Joins emoji into one; not printable by Python's book, harmless on a terminal."""


@lru_cache(maxsize=4096)
def has_known_width(cell: str) -> bool:
    """Tell whether terminals agree on how many columns `cell` takes."""
    return len(cell) == 1 and any(low <= ord(cell) <= high for low, high in KNOWN_WIDTHS)


@lru_cache(maxsize=4096)
def split_cells(text: str) -> tuple[str, ...]:
    """Split into one string a column: a wide character is followed by empty ones, marks stay with their base.

    Control characters, which should never come so far, have no width for rich and end here.
    """
    if text.isascii() and text.isprintable():
        return tuple(text)
    cells: list[str] = []
    spans, _width = split_graphemes(text)
    for start, end, width in spans:
        shown = "".join(char for char in text[start:end] if char.isprintable() or char == JOINER)
        if width:
            cells.append(shown or "?")
            cells.extend([""] * (width - 1))
        elif cells:
            base = next(i for i in range(len(cells) - 1, -1, -1) if cells[i])
            cells[base] += shown
    return tuple(cells)


class DiffUpdate:
    """What the terminal shows, cell by cell, and the way from there to the compositor's next update.

    Holds for one size and one colour system. `has_content` is False until a full update was drawn; before that a
    partial one cannot be compared with anything.
    """

    def __init__(self, columns: int, rows: int, color_system: str | None) -> None:
        self.columns = columns
        """Width of the terminal in cells."""
        self.rows = rows
        """Height of the terminal in cells."""
        self.has_content = False
        """Whether the shadow speaks for the whole terminal."""
        self._book = LookBook(color_system)
        self._lines = [_Line(["\0"] * columns, [PLAIN] * columns) for _ in range(rows)]  # NUL equals nothing drawn
        self._strips: list[dict[int, Strip]] = [{} for _ in range(rows)]

    def render(self, update: LayoutUpdate | ChopsUpdate) -> str:
        """Draw `update` into the shadow and give the text that does the same to the terminal, or nothing."""
        pen = _Pen()
        if isinstance(update, LayoutUpdate):
            self.has_content = True
            for y, strips in enumerate(update.strips, update.region.y):
                self._draw_line(y, _placed(update.region.x, strips), pen)
        else:
            for y, strips_of_line in _changed_chops(update):
                self._draw_line(y, strips_of_line, pen)
        return pen.text()

    def _draw_line(self, y: int, strips: Iterable[tuple[int, Strip]], pen: _Pen) -> None:
        """Put the strips into a copy of line `y`, write the difference, keep the copy."""
        if not 0 <= y < self.rows:
            return
        known = self._strips[y]
        fresh = [(x, strip) for x, strip in strips if known.get(x) is not strip]
        if not fresh:
            return
        line = _Line(self._lines[y].cells.copy(), self._lines[y].looks.copy())
        for x, strip in fresh:
            end = self._paste(line, x, strip)
            for other in [at for at, held in known.items() if at < end and at + held.cell_length > x]:
                del known[other]
            known[x] = strip
        _write_changes(pen, y, self._lines[y], line)
        self._lines[y] = line

    def _paste(self, line: _Line, x: int, strip: Strip) -> int:
        """Put `strip` at column `x`; wide characters that it halves become spaces, as on the terminal."""
        new_cells: list[str] = []
        new_looks: list[Look] = []
        for segment in strip:
            if segment.control:
                continue
            split = split_cells(segment.text)
            new_cells += split
            new_looks += [self._book.look(segment.style)] * len(split)
        del new_cells[self.columns - x :], new_looks[self.columns - x :]
        end = x + len(new_cells)
        _blank_halves(line.cells, x, end)
        line.cells[x:end] = new_cells
        line.looks[x:end] = new_looks
        return end


def _blank_halves(cells: list[str], start: int, end: int) -> None:
    """Blank what remains of wide characters that straddle the borders of `start` to `end`."""
    if start < end and start < len(cells) and not cells[start]:
        at = start - 1
        while at >= 0 and not cells[at]:
            cells[at] = " "
            at -= 1
        if at >= 0:
            cells[at] = " "
    while start < end < len(cells) and not cells[end]:
        cells[end] = " "
        end += 1


def _placed(x: int, strips: Iterable[Strip]) -> Iterator[tuple[int, Strip]]:
    """Give each strip of a line with its column."""
    for strip in strips:
        yield x, strip
        x += strip.cell_length


def _changed_chops(update: ChopsUpdate) -> Iterator[tuple[int, list[tuple[int, Strip]]]]:
    """Give the pieces of each line that an update's spans touch; they are whole, so they are drawn whole."""
    for y, x1, x2 in update.spans:
        pieces = zip(update.chop_ends[y], update.chops[y].items(), strict=False)
        yield y, [(x, strip) for end, (x, strip) in pieces if strip is not None and x < x2 and end > x1]


def _write_changes(pen: _Pen, y: int, before: _Line, after: _Line) -> None:
    """Write the runs of cells that differ."""
    if before == after:
        return
    cells = after.cells
    changed = [
        x
        for x, (cell, look) in enumerate(zip(cells, after.looks, strict=True))
        if cell != before.cells[x] or look is not before.looks[x]
    ]
    done = 0
    for x in changed:
        if x < done:
            continue
        start = x
        while start > done and not cells[start]:  # never begin within a wide character
            start -= 1
        if pen.is_at(done, y) and _is_cheap_to_rewrite(range(done, start), after, pen.look):
            for gap_x in range(done, start):
                pen.put(gap_x, after)
        pen.move_to(start, y)
        done = pen.put(start, after)


def _is_cheap_to_rewrite(gap: range, line: _Line, look: Look) -> bool:
    """Tell whether writing the unchanged cells of `gap` again costs no more than jumping over them."""
    return len(gap) <= GAP_CELLS and all(
        line.cells[x].isascii() and line.cells[x] and line.looks[x] is look for x in gap
    )


class _Line(NamedTuple):
    """One line of the terminal, a string and a look for each column."""

    cells: list[str]
    """What stands in each column; empty where the wide character before it goes on."""
    looks: list[Look]
    """How each column looks."""


class _Pen:
    """Collects text for the terminal and knows where its cursor stands and which look is in force."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._x = self._y = -1
        self._is_sure = False
        self.look = PLAIN
        """The look in force; every frame begins and ends in the plain one."""

    def is_at(self, x: int, y: int) -> bool:
        """Tell whether the cursor is known to stand at column `x` of line `y`."""
        return self._is_sure and self._x == x and self._y == y

    def move_to(self, x: int, y: int) -> None:
        """Place the cursor, by the shortest way that holds on every terminal."""
        if self.is_at(x, y):
            return
        ahead = x - self._x
        if self._is_sure and self._y == y and ahead > 0:
            self._parts.append("\x1b[C" if ahead == 1 else f"\x1b[{ahead}C")
        else:
            self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        self._x, self._y, self._is_sure = x, y, True

    def put(self, x: int, line: _Line) -> int:
        """Write the cell at `x` of a line, where the cursor stands, and give the column after it."""
        cells = line.cells
        cell, look = cells[x], line.looks[x]
        end = x + 1
        while end < len(cells) and not cells[end]:
            end += 1
        if look is not self.look:
            self._parts.append(leap(self.look, look))
            self.look = look
        if not has_known_width(cell):
            # A terminal that takes the character for narrower would leave an old half beside it.
            self._parts.append(" " * (end - x) + f"\x1b[{self._y + 1};{x + 1}H")
            self._is_sure = False
        self._parts.append(cell or " ")
        self._x = end
        if end >= len(cells):
            self._is_sure = False  # the cursor waits at the border; where it counts as being differs
        return end

    def text(self) -> str:
        """Give what was collected, ending in the plain look; nothing if nothing changed."""
        if self.look is not PLAIN:
            self._parts.append(leap(self.look, PLAIN))
        return "".join(self._parts)
