"""What a list of addresses yields, line by line: usable lines and bad ones, each with its number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tui_dl.core.addresses import MOST_URL_CHARS, shown_url, wire_url
from tui_dl.core.display_text import display_text, mask_secrets
from tui_dl.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LINE_BYTES: Final = MOST_URL_CHARS
"""Longest line that is taken where a line is an address."""
MOST_ROW_BYTES: Final = 1024 * 1024
"""Longest line that is taken where a line is a row; of a longer one only the beginning is kept, for the message."""

_SHOWN_CELLS: Final = 80
_SHOWN_CHARS: Final = 1024


def check_url(text: str, *, is_typed: bool = False) -> str:
    """Return a typed address as it goes on the wire; raise `UsageError` that names it without its secrets.

    Blanks around it are dropped. It must be `http://` or `https://` with a host, a port of 1 to 65535 if any, no white
    space or control character inside, at most 64 KiB. User info stays: `addresses.split_userinfo()` takes it off.
    `is_typed`: a person gave it, so that `ftp://`, `ftps://` and `ftpes://` are taken, too.
    """
    if not isinstance(text, str):  # a program gave it
        raise UsageError(f"expected an address as text, not {shown_url(repr(text))}")
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


class ListReader(Protocol):
    """Understands the lines of one format; every list has a reader of its own, which counts the lines."""

    @property
    def is_holding(self) -> bool:
        """Whether an address waits that should be taken, by `finish()`, where no further line comes for a while."""
        ...

    def feed(self, lines: Sequence[bytes]) -> list[Line | BadLine]:
        """Return what the next lines say. Raises `UsageError` where the whole list cannot be meant as it is."""
        ...

    def finish(self) -> list[Line | BadLine]:
        """Return what waits; more lines may come all the same."""
        ...


class BadLines:
    """Makes the reports of one list."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = display_text(name, _SHOWN_CELLS)

    def of_text(self, number: int, text: str, problem: str) -> BadLine:
        """Report a line that was understood as text."""
        return BadLine(number, shown_line(text), display_text(problem), self.name)

    def of_octets(self, number: int, octets: bytes, most_bytes: int) -> BadLine:
        """Report a line that is too long, or no text."""
        is_long = len(octets) > most_bytes
        problem = f"the line is longer than {most_bytes // 1024} KiB" if is_long else "bytes that are not UTF-8"
        return self.of_text(number, octets[:_SHOWN_CHARS].decode("utf-8", "replace"), problem)


def shown_line(text: str) -> str:
    """Return the beginning of a line, safe to show."""
    return display_text(mask_secrets(text[:_SHOWN_CHARS].strip()), _SHOWN_CELLS)


def decoded(lines: Sequence[bytes], most_bytes: int) -> Sequence[str | None]:
    """Return lines as text without their ends; None for one that is not UTF-8 or too long."""
    if lines and max(map(len, lines)) <= most_bytes:
        try:
            return b"\n".join(lines).decode().split("\n")
        except UnicodeDecodeError:
            pass
    return [_decoded(line, most_bytes) for line in lines]


def _decoded(line: bytes, most_bytes: int) -> str | None:
    if len(line) > most_bytes and len(line.removesuffix(b"\r")) > most_bytes:
        return None
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


class LineCutter:
    """Cuts blocks of a file into lines; memory stays bounded however long a line is."""

    __slots__ = ("_most", "_open")

    def __init__(self, most_line_bytes: int = MOST_ROW_BYTES) -> None:
        # three bytes beyond the limit are over-long even if two of them are a line end
        self._most: Final = most_line_bytes + 3
        self._open = bytearray()

    def feed(self, block: bytes) -> list[bytes]:
        """Return the lines that a block completes, without LF; an over-long one is cut to just beyond the limit."""
        first, *others = block.split(b"\n")
        self._extend(first)
        if not others:
            return []
        last = others.pop()
        if len(block) > self._most:
            others = [line[: self._most] for line in others]
        done = [bytes(self._open), *others]
        self._open.clear()
        self._extend(last)
        return done

    def finish(self) -> list[bytes]:
        """Return the last line if it had no line end."""
        last = [bytes(self._open)] if self._open else []
        self._open.clear()
        return last

    def _extend(self, piece: bytes) -> None:
        self._open += piece[: max(0, self._most - len(self._open))]
