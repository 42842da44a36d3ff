"""Lists in CSV and TSV: the first line names the columns, a quoted field may run over several lines (RFC 4180)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from tui_dl.core.columns import Columns, has_address_column
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import MOST_ROW_BYTES, BadLine, BadLines, Line, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui_dl.core.parts import Part

DELIMITERS: Final = ",;\t|"
_MOST_ROW_LINES: Final = 1000
"""A quote that is not closed for so many lines is a slip of the pen."""
_UNCLOSED: Final = "the quote is not closed"


class TableLines:
    """Reads such a list. `delimiters` are the characters that may stand between its columns."""

    def __init__(
        self, bad: BadLines, part: Part | None = None, *, delimiters: str = DELIMITERS, start: int = 1
    ) -> None:
        self._bad: Final = bad
        self._part: Final = part
        self._delimiters = delimiters
        self._columns: Columns | None = None
        self._next = start
        self._row: list[str] = []
        """Lines of a row whose quote is open."""
        self._row_chars = 0

    @property
    def is_holding(self) -> bool:
        """Whether a row waits: never for another row's sake."""
        return False

    def feed(self, lines: Sequence[bytes]) -> list[Line | BadLine]:
        """Return what the next lines say. Raises `UsageError` where the first of them names no column for addresses."""
        found: list[Line | BadLine] = []
        texts = decoded(lines, MOST_ROW_BYTES)
        if self._columns is not None and not self._row and (rows := self._simple(texts)) is not None:
            for number, (row, text) in enumerate(zip(rows, texts, strict=True), self._next):
                self._add(number, row, text or "", found)
            self._next += len(lines)
            return found
        for text, octets in zip(texts, lines, strict=True):
            self._take(text, octets, found)
            self._next += 1
        return found

    def finish(self) -> list[Line | BadLine]:
        """Return what became of a row whose quote was never closed."""
        found: list[Line | BadLine] = []
        while self._row:
            self._give_up(self._next - len(self._row), found)
        return found

    def _simple(self, texts: Sequence[str | None]) -> list[list[str]] | None:
        """Return a row for each line at once; None where that cannot be."""
        simple = [text for text in texts if text is not None and '"' not in text]
        if len(simple) < len(texts):
            return None
        try:
            rows = list(csv.reader(simple, delimiter=self._delimiters))
        except csv.Error:
            return None
        return rows if len(rows) == len(texts) else None

    def _take(self, text: str | None, octets: bytes, found: list[Line | BadLine]) -> None:
        number = self._next
        if text is None:
            self._give_up_all(number, found)
            if self._part is None or self._part.has(number):
                found.append(self._bad.of_octets(number, octets, MOST_ROW_BYTES))
        elif self._columns is None:
            self._take_head(number, text.strip(), found)
        else:
            self._take_row(number, text, found)

    def _take_head(self, number: int, text: str, found: list[Line | BadLine]) -> None:
        if not text or text.startswith("#"):
            return
        self._columns, self._delimiters = _head(text, self._delimiters)
        if not has_address_column(self._columns.names):
            self._take_row(number, text, found)

    def _take_row(self, number: int, text: str, found: list[Line | BadLine]) -> None:
        """Take a line, which may go on with a row that was begun."""
        self._row.append(text)
        self._row_chars += len(text)
        start = number + 1 - len(self._row)
        if start < number and text.count('"') % 2 == 0:
            row = None
        else:
            try:
                row = _parsed(self._row, self._delimiters)
            except csv.Error as error:
                self._refuse(start, self._row, str(error), found)
                return
        if row is not None:
            whole = "\n".join(self._row)
            self._row, self._row_chars = [], 0
            self._add(start, row, whole, found)
        elif len(self._row) > _MOST_ROW_LINES or self._row_chars > MOST_ROW_BYTES:
            self._give_up_all(number + 1, found)

    def _refuse(self, number: int, row: list[str], problem: str, found: list[Line | BadLine]) -> None:
        self._row, self._row_chars = [], 0
        if self._part is None or self._part.has(number):
            found.append(self._bad.of_text(number, row[0], problem))

    def _give_up_all(self, end: int, found: list[Line | BadLine]) -> None:
        """Give up rows whose quotes are open before line `end`."""
        while self._row:
            self._give_up(end - len(self._row), found)

    def _give_up(self, start: int, found: list[Line | BadLine]) -> None:
        """Report the line whose quote is open, and read those after it anew."""
        first, *others = self._row
        self._refuse(start, [first], _UNCLOSED, found)
        for number, text in enumerate(others, start + 1):
            self._take_row(number, text, found)

    def _add(self, number: int, row: list[str], text: str, found: list[Line | BadLine]) -> None:
        if not any(row) or (self._part is not None and not self._part.has(number)):
            return
        columns = self._columns
        assert columns is not None
        try:
            found.append(columns.line(number, row))
        except UsageError as error:
            found.append(self._bad.of_text(number, text, error.message))


class _Row:
    """Hands a row's lines to the parser and remembers whether it wanted more."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)
        self.wants_more = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.wants_more = True
            raise StopIteration
        return line + "\n"


def _parsed(lines: Sequence[str], delimiter: str) -> list[str] | None:
    """Return the fields of a row, None if its last quote is open. Raises `csv.Error`."""
    source = _Row(lines)
    row = next(csv.reader(source, delimiter=delimiter), [])
    return None if source.wants_more else row


def names_columns(text: str) -> bool:
    """Whether a first line names columns, one of them for addresses."""
    # an address may hold anything, a column's name holds no address
    return "://" not in text and any(has_address_column(_fields(text, delimiter)) for delimiter in DELIMITERS)


def _head(text: str, delimiters: str) -> tuple[Columns, str]:
    """Return the columns that a first line names, and what separates them.

    A first line that holds an address itself is a row: then that column has the addresses, and columns are numbered.
    """
    for delimiter in delimiters:
        if has_address_column(names := _fields(text, delimiter)):
            return Columns(names), delimiter
    for delimiter in delimiters:
        fields = _fields(text, delimiter)
        if len(fields) > 1 or delimiter == delimiters[-1]:
            url = next((place for place, field in enumerate(fields) if "://" in field[:9]), None)
            if url is not None:
                names = [f"column{place}" for place in range(1, len(fields) + 1)]
                return Columns(names, url_column=url), delimiter
    shown = display_text(text, 60)
    raise UsageError(f"the first line names no column url: {shown!r}; name the columns there, or use --input-format")


def _fields(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
