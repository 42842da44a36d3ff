"""What reads the lines of each format of lists; where nobody said which, the first line that says anything does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tui_dl.core.address_lines import AddressLines
from tui_dl.core.addresses import ABSOLUTE
from tui_dl.core.json_rows import JsonRows
from tui_dl.core.list_kinds import ListFormat
from tui_dl.core.table_lines import TableLines, names_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.parts import Part
    from tui_dl.core.url_list import BadLine, BadLines, Line, ListReader

_ARRAY: Final = re.compile(r'\[\s*(?:[{"]|$)')
"""How one array of JSON begins: no list of lines, and what reads JSON says what to do with it."""


def new_reader(kind: ListFormat, bad: BadLines, part: Part | None = None, *, start: int = 1) -> ListReader:
    """Return what understands the lines of a list of this format, which is one of lines."""
    if kind is ListFormat.PLAIN:
        return AddressLines(bad, part, has_options=False, start=start)
    if kind is ListFormat.ARIA2:
        return AddressLines(bad, part, start=start)
    if kind is ListFormat.CSV:
        return TableLines(bad, part, start=start)
    if kind is ListFormat.TSV:
        return TableLines(bad, part, delimiters="\t", start=start)
    if kind is ListFormat.JSONL:
        return JsonRows(bad, part, start=start)
    return _Sniffing(bad, part, start)


class _Sniffing:
    """Waits for the first line that says anything, and leaves the list to the reader that it calls for."""

    def __init__(self, bad: BadLines, part: Part | None, start: int) -> None:
        self._bad = bad
        self._part = part
        self._next = start
        self._reader: ListReader | None = None

    @property
    def is_holding(self) -> bool:
        return self._reader is not None and self._reader.is_holding

    def feed(self, lines: Sequence[bytes]) -> list[Line | BadLine]:
        if self._reader is None:
            skipped = 0
            while skipped < len(lines) and _says_nothing(lines[skipped]):
                skipped += 1
            lines = lines[skipped:]
            self._next += skipped
            if not lines:
                return []
            self._reader = new_reader(_sniffed(lines[0]), self._bad, self._part, start=self._next)
        return self._reader.feed(lines)

    def finish(self) -> list[Line | BadLine]:
        return [] if self._reader is None else self._reader.finish()


def _says_nothing(line: bytes) -> bool:
    bare = line.strip()
    return not bare or bare.startswith(b"#")


def _sniffed(line: bytes) -> ListFormat:
    text = line.decode("utf-8", "replace").strip()
    if text.startswith("{") or _ARRAY.match(text):
        return ListFormat.JSONL
    if names_columns(text):
        return ListFormat.CSV
    first, *others = text.split("\t")
    # An address with mirrors begins with one: this is a row, as the lists of pictures with their captions have.
    is_row = "://" not in first and any(ABSOLUTE.match(one) for one in others)
    return ListFormat.TSV if is_row else ListFormat.ARIA2
