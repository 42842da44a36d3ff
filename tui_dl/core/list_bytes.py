"""The bytes of a list as UTF-8, block by block: unpacked where they are packed, re-coded where they are UTF-16."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from tui_dl.core.list_unpacking import BLOCK_BYTES, MAGIC, Unpacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MARKS: Final = {
    codecs.BOM_UTF8: "",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order marks and codings; a longer mark stands before the one that it begins with."""
_LOOK_BYTES: Final = 4
"""Bytes that show a coding which has no mark."""


class ListBytes:
    """Draws from `source(most) -> bytes`, which may wait and returns nothing at the end."""

    def __init__(self, source: Callable[[int], bytes]) -> None:
        self._source = source
        self._unpacking: Unpacking | None = None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._first: bytes | None = None
        self._damage = ""

    @property
    def damage(self) -> str:
        """Why there is no more, in words; empty where nothing is wrong."""
        return self._damage or (self._unpacking.damage if self._unpacking else "")

    def read(self) -> bytes:
        """Return the next bytes, about a block of them; nothing at the end.

        Raises `UsageError` where the list's packing needs what is not installed, and what the source raises.
        """
        while not self._damage:
            block = self._block()
            octets = self._as_utf8(block)
            if octets or not block:
                return octets
        return b""

    def _block(self) -> bytes:
        if self._first is None:
            self._begin()
        block, self._first = self._first, b""
        return block or self._draw()

    def _draw(self) -> bytes:
        return self._unpacking.read() if self._unpacking else self._source(BLOCK_BYTES)

    def _begin(self) -> None:
        """Look at the first bytes; of a pipe no more are waited for than are needed to tell."""
        self._first = _first_bytes(self._draw, (*MAGIC, *_MARKS))
        if self._first.startswith(MAGIC):
            self._unpacking = Unpacking(self._source, self._first)
            self._first = _first_bytes(self._draw, _MARKS)
        mark = next(filter(self._first.startswith, _MARKS), b"")
        codec = _MARKS.get(mark) or _unmarked(self._first)
        self._decoder = codecs.getincrementaldecoder(codec)("surrogatepass") if codec else None
        self._first = self._first.removeprefix(mark)

    def _as_utf8(self, block: bytes) -> bytes:
        if self._decoder is None:
            return block
        try:
            text: str = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            self._damage = "not text from here on; what follows is missing"
            return b""
        return text.encode("utf-8", "surrogatepass")


def _first_bytes(read: Callable[[], bytes], marks: Iterable[bytes]) -> bytes:
    """Return what comes first: more than one read's where that could still become one of the marks."""
    head = read()
    while head and any(len(head) < len(mark) and mark.startswith(head) for mark in marks):
        block = read()
        if not block:
            break
        head += block
    return head


def _unmarked(first: bytes) -> str:
    """Return the coding of a text without a mark: where its first characters are ASCII, every other byte is 0."""
    if len(first) < _LOOK_BYTES:
        return ""
    one, two, three, four = (octet != 0 for octet in first[:_LOOK_BYTES])
    return {(True, False, True, False): "utf-16-le", (False, True, False, True): "utf-16-be"}.get(
        (one, two, three, four), ""
    )
