"""What a file really holds: read back and compared with sums, or with another file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from tui_dl.core.crc32 import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tui_dl.core.extents import Extent

_PROOF_BYTES: Final = 8 << 20
"""Read back in one job, so that syncs of other files get their turn."""
_COMPARED_BYTES: Final = 1 << 20


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


def read_some(fd: int, offset: int, take: Callable[[bytes], object], limit: int | None = None) -> int:
    """Give the next 8 MiB to `take`, blocking, and return where they end: at `offset` if nothing follows.

    `limit` is one past the last byte wanted, None for the end of the file.
    """
    end = offset + _PROOF_BYTES if limit is None else min(offset + _PROOF_BYTES, limit)
    while offset < end and (piece := read_exactly(fd, min(_COMPARED_BYTES, end - offset), offset)):
        take(piece)
        offset += len(piece)
    return offset


def is_proven(fd: int, extent: Extent) -> bool:
    """Whether the file holds these very bytes; what cannot be read is not held."""
    try:
        held = read_exactly(fd, extent.length_bytes, extent.start)
    except OSError:
        return False
    return len(held) == extent.length_bytes and crc32(held) == extent.crc32


def split_proven(fd: int, extents: Sequence[Extent]) -> tuple[list[Extent], list[Extent]]:
    """Return the extents that the file holds and those that it does not, blocking."""
    good: list[Extent] = []
    bad: list[Extent] = []
    for extent in extents:
        (good if is_proven(fd, extent) else bad).append(extent)
    return good, bad


def has_same_bytes(fd: int, other_fd: int) -> bool:
    """Whether two files hold the same, blocking."""
    if os.fstat(fd).st_size != os.fstat(other_fd).st_size:
        return False
    offset = 0
    while piece := read_exactly(fd, _COMPARED_BYTES, offset):
        if read_exactly(other_fd, _COMPARED_BYTES, offset) != piece:
            return False
        offset += len(piece)
    return True


def grouped(extents: Sequence[Extent]) -> Iterator[list[Extent]]:
    """Yield the extents in groups of about 8 MiB: what one job may read without holding up others for long."""
    group: list[Extent] = []
    size_bytes = 0
    for extent in extents:
        group.append(extent)
        size_bytes += extent.length_bytes
        if size_bytes >= _PROOF_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group
