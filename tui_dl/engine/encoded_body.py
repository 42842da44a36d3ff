"""Bodies that come encoded although `identity` was asked: decoded in bounded pieces, with the end checked."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import ContentError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES: Final = 256 * 1024
MAX_MEMBERS: Final = 1000
"""Concatenated gzip members of one body; more is an attack."""
_GZIP_WBITS: Final = 31
_ZLIB_WBITS: Final = 15
KNOWN: Final = frozenset({"gzip", "x-gzip", "deflate"})


class Decoder:
    """Undoes one content coding; feed it, then `finish()`."""

    def __init__(self, encodings: tuple[str, ...]) -> None:
        """Raise `ContentError` for codings that are not known, or several at once."""
        if len(encodings) != 1 or encodings[0] not in KNOWN:
            text = f"the answer comes in the coding {', '.join(encodings)} although none was asked for"
            raise ContentError(Reason.BAD_ENCODING, text)
        self._wbits = _ZLIB_WBITS if encodings[0] == "deflate" else _GZIP_WBITS
        self._stream = zlib.decompressobj(self._wbits)
        self._members = 1
        self._has_input = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield decoded pieces of at most 256 KiB; raises `ContentError` on broken input."""
        self._has_input = True
        try:
            while chunk:
                if self._stream.eof:
                    self._next_member()
                piece = self._stream.decompress(chunk, PIECE_BYTES)
                if piece:
                    yield piece
                chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            yield from self._pending()
        except zlib.error as error:
            raise ContentError(Reason.BAD_ENCODING, f"the encoded answer is broken: {error}") from error

    def finish(self) -> None:
        """Raise `ContentError` if the coded stream did not come to its own end."""
        if not self._stream.eof:
            raise ContentError(Reason.BAD_ENCODING, "the encoded answer was cut before its end", is_retryable=True)

    def _pending(self) -> Iterator[bytes]:
        # A full last piece may leave output inside the decompressor.
        while not self._stream.eof and (piece := self._stream.decompress(b"", PIECE_BYTES)):
            yield piece

    def _next_member(self) -> None:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise ContentError(Reason.BAD_ENCODING, "the encoded answer has too many parts")
        self._stream = zlib.decompressobj(self._wbits)
