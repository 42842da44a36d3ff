"""What a file really holds: read back and compared with the sums of its extents."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.extents import Extent


def read_exactly(fd: int, length_bytes: int, offset: int) -> bytes:
    """Return `length_bytes` bytes from `offset` on, blocking; fewer only at the end of the file."""
    pieces = []
    while length_bytes > 0:
        piece = os.pread(fd, length_bytes, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        length_bytes -= len(piece)
    return b"".join(pieces)


def is_proven(fd: int, extent: Extent) -> bool:
    """Whether the file holds these very bytes; what cannot be read is not held."""
    try:
        held = read_exactly(fd, extent.length_bytes, extent.start)
    except OSError:
        return False
    return len(held) == extent.length_bytes and zlib.crc32(held) == extent.crc32


def split_proven(fd: int, extents: Sequence[Extent]) -> tuple[list[Extent], list[Extent]]:
    """Return the extents that the file holds and those that it does not, blocking."""
    good: list[Extent] = []
    bad: list[Extent] = []
    for extent in extents:
        (good if is_proven(fd, extent) else bad).append(extent)
    return good, bad
