"""Addresses from people: one that was typed, and lists of a million, line by line, each bad one named by its number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui_dl.core.addresses import MOST_URL_CHARS, wire_url
from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_LINE_BYTES: Final = MOST_URL_CHARS
"""Longest line that is taken; of a longer one nothing is kept but its beginning for the message."""

_SHOWN_CELLS: Final = 80
_SHOWN_CHARS: Final = 1024
_TOO_LONG: Final = f"the line is longer than {MOST_LINE_BYTES // 1024} KiB"


def check_url(text: str, *, is_typed: bool = False) -> str:
    """Return a typed address as it goes on the wire; raise `UsageError` that names it without its secrets.

    Blanks around it are dropped. It must be `http://` or `https://` with a host, a port of 1 to 65535 if any, no white
    space or control character inside, at most 64 KiB. User info stays: `addresses.split_userinfo()` takes it off.
    `is_typed`: a person gave it, so that `ftp://`, `ftps://` and `ftpes://` are taken, too.
    """
    return wire_url(text.strip(), is_typed=is_typed)


class Line(NamedTuple):
    """One usable line of a list, whatever its format; a tuple, since a million of them are made."""

    number: int
    """Line number, from 1; of the address where further lines speak of it, of the row in a table."""
    url: str
    """The address, checked, as it goes on the wire; user info may stand in it."""
    name: str = ""
    """File name that the list gives, without folders, not yet made safe; empty for none."""
    dir: str = ""
    """Folder that the list gives, relative or absolute; empty for none."""
    checksum: str = ""
    """Digest that the file must have, checked, as `core.digests.Digest` writes it; empty for none."""
    headers: tuple[tuple[str, str], ...] = ()
    """Request headers of this address alone, checked."""
    mirrors: tuple[str, ...] = ()
    """Further addresses of the same file, checked, without user info."""
    extra: tuple[tuple[str, Any], ...] = ()
    """Columns that we do not know, in the list's order; values as JSON knows them."""
    asked: tuple[tuple[str, Any], ...] = ()
    """Further fields of `core.task.TaskOptions` that the list gives, by name."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """One line of a list that cannot be used."""

    number: int
    """Line number, from 1."""
    text_shown: str
    """Its beginning, safe to show."""
    problem: str
    """What is wrong with it, in words, safe to show."""
    name: str = ""
    """Name of the list, safe to show."""

    @property
    def message(self) -> str:
        """One line for a person: where, and what."""
        return f"{self.name}:{self.number}: {self.problem}"


def parse_lines(lines: Iterable[str], *, name: str, start: int = 1) -> Iterator[Line | BadLine]:
    """Yield each line of a list as it comes: its address or its defect. Blank lines and `#` comments are skipped.

    Line ends (LF, CRLF) and a byte order mark on line 1 are dropped. `start` is the number of the first line, for lists
    that arrive in pieces; `name` is how messages call the list.
    """
    shown_name = display_text(name, _SHOWN_CELLS)
    for number, line in enumerate(lines, start):
        if len(line) > MOST_LINE_BYTES + len("\r\n"):
            yield BadLine(number, _shown(line), _TOO_LONG, shown_name)
            continue
        text = (line.removeprefix("\ufeff") if number == 1 else line).strip()
        if text and not text.startswith("#"):
            yield _parsed(number, text, shown_name)


def parse_bytes_lines(lines: Iterable[bytes], *, name: str, start: int = 1) -> Iterator[Line | BadLine]:
    """Yield the lines of a list in UTF-8 as `parse_lines()` does; bytes that are not UTF-8 make a bad line."""
    for number, octets in enumerate(lines, start):
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            yield _undecodable(number, octets, display_text(name, _SHOWN_CELLS))
        else:
            yield from parse_lines((text,), name=name, start=number)


def _parsed(number: int, text: str, name: str) -> Line | BadLine:
    try:
        return Line(number, wire_url(text, is_typed=True))
    except UsageError as error:
        return BadLine(number, _shown(text), display_text(error.message), name)


def _undecodable(number: int, octets: bytes, name: str) -> BadLine:
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        problem = "the list is UTF-16; save it as UTF-8"
    elif len(octets) > MOST_LINE_BYTES:
        problem = _TOO_LONG
    else:
        problem = "bytes that are not UTF-8"
    return BadLine(number, _shown(octets[:_SHOWN_CHARS].decode("utf-8", "replace")), problem, name)


def _shown(text: str) -> str:
    return display_text(mask_secrets(text[:_SHOWN_CHARS].strip()), _SHOWN_CELLS)


class LineCutter:
    """Cuts blocks of a file into lines; memory stays bounded however long a line is."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = bytearray()

    def feed(self, block: bytes) -> list[bytes]:
        """Return the lines that a block completes, without LF; an over-long one is cut to just beyond the limit."""
        first, *others = block.split(b"\n")
        self._extend(first)
        if not others:
            return []
        done = [bytes(self._open), *(line[: MOST_LINE_BYTES + 3] for line in others[:-1])]
        self._open.clear()
        self._extend(others[-1])
        return done

    def finish(self) -> list[bytes]:
        """Return the last line if it had no line end."""
        last = [bytes(self._open)] if self._open else []
        self._open.clear()
        return last

    def _extend(self, piece: bytes) -> None:
        # three bytes beyond the limit are over-long even if two of them are a line end
        self._open += piece[: max(0, MOST_LINE_BYTES + 3 - len(self._open))]
