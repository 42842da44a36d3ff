"""Extents: written ranges with the sums that later prove them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.ranges import RangeSet

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_EXTENT_BYTES: Final = 1 << 20
"""Length of the longest extent: what one mismatch costs to fetch again."""


class Extent(NamedTuple):
    """Bytes `start <= offset < end` of a part file, as they were handed to the kernel."""

    start: int
    """Offset of the first byte."""
    end: int
    """Offset after the last byte; at most `MOST_EXTENT_BYTES` beyond `start`."""
    crc32: int
    """CRC-32 (zlib's) of the bytes, 0 to 2**32 - 1."""

    @property
    def length_bytes(self) -> int:
        """Number of bytes."""
        return self.end - self.start


def range_set(extents: Iterable[Extent]) -> RangeSet:
    """Return the offsets that the extents cover."""
    return RangeSet((extent.start, extent.end) for extent in extents)


def dropped(extents: Iterable[Extent], start: int, end: int) -> list[Extent]:
    """Return the extents that do not touch `start <= offset < end`.

    An extent that touches it goes as a whole, because its sum cannot be divided.
    """
    return [extent for extent in extents if extent.end <= start or extent.start >= end]
