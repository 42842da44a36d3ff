"""aria2's control file: which pieces of a half file aria2 had written (`NAME.aria2`, versions 0 and 1).

Form: aria2's manual, "Control File (*.aria2) Format". Version 1 writes numbers in network order, version 0 in the order
of its machine, which is taken for little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from tui_dl.core.ranges import RangeSet

MOST_CONTROL_BYTES: Final = 64 * 1024 * 1024
"""A control file of a terabyte in pieces of a mebibyte has 128 KiB; one that is longer is none."""
_BLOCK_BYTES: Final = 16 * 1024
"""Unit of the bitfields of pieces that were in flight."""
_MOST_PIECE_BYTES: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Aria2Control:
    """What a control file says."""

    total_bytes: int
    """Length of the whole file."""
    held: RangeSet
    """Bytes that aria2 had handed to the kernel."""


def parse_aria2_control(octets: bytes) -> Aria2Control | None:
    """Return what a control file says; None for what is none, contradicts itself or has no known length."""
    try:
        return _parse(octets)
    except struct.error:
        return None


def _parse(octets: bytes) -> Aria2Control | None:
    if octets[:2] not in (b"\0\0", b"\0\1"):
        return None
    order = ">" if octets[:2] == b"\0\1" else "<"
    (hash_bytes,) = struct.unpack_from(f"{order}I", octets, 6)
    offset = 10 + hash_bytes
    piece_bytes, total_bytes, _uploaded, field_bytes = struct.unpack_from(f"{order}IQQI", octets, offset)
    offset += 24
    if not 0 < piece_bytes <= _MOST_PIECE_BYTES or not 0 < total_bytes < 1 << 63:
        return None
    pieces = -(-total_bytes // piece_bytes)
    if field_bytes != -(-pieces // 8) or len(octets) < offset + field_bytes:
        return None
    held = RangeSet()
    for index in _bits(octets[offset : offset + field_bytes], pieces):
        held.add(index * piece_bytes, min(total_bytes, (index + 1) * piece_bytes))
    if not _add_in_flight(held, octets, offset + field_bytes, order, piece_bytes, total_bytes):
        return None
    return Aria2Control(total_bytes, held)


def _add_in_flight(held: RangeSet, octets: bytes, offset: int, order: str, piece_bytes: int, total_bytes: int) -> bool:
    """Add the blocks of pieces that were in flight; False where they contradict the rest."""
    (count,) = struct.unpack_from(f"{order}I", octets, offset)
    offset += 4
    for _ in range(count):
        index, length_bytes, field_bytes = struct.unpack_from(f"{order}III", octets, offset)
        offset += 12
        start = index * piece_bytes
        blocks = -(-length_bytes // _BLOCK_BYTES)
        if (
            start + length_bytes > total_bytes
            or length_bytes > piece_bytes
            or field_bytes != -(-blocks // 8)
            or len(octets) < offset + field_bytes
        ):
            return False
        for block in _bits(octets[offset : offset + field_bytes], blocks):
            held.add(start + block * _BLOCK_BYTES, start + min(length_bytes, (block + 1) * _BLOCK_BYTES))
        offset += field_bytes
    return True


def _bits(field: bytes, count: int) -> list[int]:
    """Return the numbers of the bits that are set, the highest bit of the first byte being 0."""
    return [
        number
        for at, octet in enumerate(field)
        if octet
        for number in range(8 * at, min(8 * at + 8, count))
        if octet >> (7 - number % 8) & 1
    ]
