"""Digests of the equal pieces of a file: which bytes each covers, and how they are written down."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.digests import LENGTHS_BYTES, known_algorithm
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.ranges import ByteRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEAST_PIECE_BYTES: Final = 1024
"""Smaller pieces cost more to check than to fetch; nobody publishes them."""
MOST_PIECES: Final = 1 << 20
"""A terabyte in pieces of one MiB; more of them only cost memory."""
_SHOWN_CHARS: Final = 20


@dataclass(frozen=True, slots=True)
class Pieces:
    """The digest of each piece; all are equally long, but the last may be shorter. Made by `checked_pieces()`."""

    algorithm: str
    """A key of `core.digests.LENGTHS_BYTES`."""
    length_bytes: int
    """Of every piece but the last, at least `LEAST_PIECE_BYTES`."""
    hexes: tuple[str, ...]
    """In order from byte 0; lower case, of the algorithm's length; at least one."""

    def __str__(self) -> str:
        """Return it as `parse_pieces()` takes it, as short as text can be."""
        values = base64.b64encode(bytes.fromhex("".join(self.hexes))).decode("ascii")
        return f"{self.algorithm}:{self.length_bytes}:{values}"

    def check_length(self, total_bytes: int) -> None:
        """Raise `UsageError` unless a file of this length has so many pieces."""
        wanted = -(-total_bytes // self.length_bytes)
        if wanted != len(self.hexes):
            raise UsageError(
                f"pieces: {total_bytes} bytes are {wanted} pieces of {self.length_bytes}, not {len(self.hexes)}"
            )

    def range_of(self, index: int, total_bytes: int) -> ByteRange:
        """Return the bytes of one piece; `total_bytes` was checked by `check_length()`."""
        start = index * self.length_bytes
        return ByteRange(start, min(start + self.length_bytes, total_bytes))

    def ranges(self, total_bytes: int) -> Iterator[ByteRange]:
        """Yield the bytes of every piece in order."""
        return (self.range_of(index, total_bytes) for index in range(len(self.hexes)))

    def indices_within(self, held: ByteRange, total_bytes: int) -> range:
        """Return the indices of the pieces that lie wholly in a range."""
        first = -(-held.start // self.length_bytes)
        end = len(self.hexes) if held.end >= total_bytes else held.end // self.length_bytes
        return range(first, max(first, end))


def checked_pieces(algorithm: str, length_bytes: int, hexes: Iterable[str]) -> Pieces:
    """Return pieces whose parts fit together; raises `UsageError` that says what does not."""
    known = known_algorithm(algorithm)
    if known is None:
        raise UsageError(f"pieces: the algorithm {display_text(algorithm, _SHOWN_CHARS)!r} is not known")
    if length_bytes < LEAST_PIECE_BYTES:
        raise UsageError(f"pieces: a length of {length_bytes} bytes is too small; {LEAST_PIECE_BYTES} is the least")
    values = tuple(one.strip().lower() for one in hexes)
    if not values or len(values) > MOST_PIECES:
        raise UsageError(f"pieces: {len(values)} digests; 1 to {MOST_PIECES} are taken")
    digits = 2 * LENGTHS_BYTES[known]
    for number, value in enumerate(values, 1):
        if len(value) != digits or not _is_hex(value):
            shown = display_text(value, _SHOWN_CHARS)
            raise UsageError(f"pieces: number {number}, {shown!r}, is no {known}: {digits} hexadecimal digits")
    return Pieces(known, length_bytes, values)


def parse_pieces(text: str) -> Pieces:
    """Return what `str(pieces)` wrote; raises `UsageError` for anything else."""
    algorithm, _, rest = text.partition(":")
    length, _, encoded = rest.partition(":")
    if not (length.isascii() and length.isdecimal() and len(length) < _SHOWN_CHARS):
        raise UsageError("pieces: write them as ALGORITHM:LENGTH:BASE64")
    try:
        values = base64.b64decode(encoded, validate=True).hex()
    except (binascii.Error, ValueError):
        raise UsageError("pieces: the digests are not base64") from None
    digits = 2 * LENGTHS_BYTES.get(algorithm, len(values) or 1)
    return checked_pieces(algorithm, int(length), (values[at : at + digits] for at in range(0, len(values), digits)))


def _is_hex(value: str) -> bool:
    return set(value) <= set("0123456789abcdef")
