"""Reads a list from a text, as blocks of any size would bring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_dl.core.list_formats import new_reader
from tui_dl.core.url_list import BadLine, BadLines, Line, LineCutter

if TYPE_CHECKING:
    from tui_dl.core.list_kinds import ListFormat
    from tui_dl.core.parts import Part


def read_text(
    text: str | bytes, kind: ListFormat, *, part: Part | None = None, block: int = 1 << 20
) -> list[Line | BadLine]:
    """Return what the lines of a whole list say."""
    octets = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    reader, cutter = new_reader(kind, BadLines("list"), part), LineCutter()
    found: list[Line | BadLine] = []
    for start in range(0, len(octets), block):
        found += reader.feed(cutter.feed(octets[start : start + block]))
    return found + reader.feed(cutter.finish()) + reader.finish()


def outline(found: list[Line | BadLine]) -> list[tuple[int, str]]:
    """Return each line's number and address, or for a bad one `!`."""
    return [(one.number, "!" if isinstance(one, BadLine) else one.url) for one in found]


def only_bad(found: list[Line | BadLine]) -> list[tuple[int, str]]:
    """Return number and problem of each bad line."""
    return [(one.number, one.problem) for one in found if isinstance(one, BadLine)]
