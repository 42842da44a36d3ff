"""A set of row ids that takes a few bits for each: ids of one list lie close together."""

from __future__ import annotations

from typing import Final

_BLOCK_BITS: Final = 13
"""Ids of one block, as a power of two: 8,192 of them take 1 KiB."""
_BLOCK_BYTES: Final = 1 << (_BLOCK_BITS - 3)
_MASK: Final = (1 << _BLOCK_BITS) - 1


class IdSet:
    """Ids from 0 up; a million neighbours take 128 KiB where a `set` takes 60 MB."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}
        self._count = 0

    def __contains__(self, one: int) -> bool:
        block = self._blocks.get(one >> _BLOCK_BITS)
        return block is not None and bool(block[(one & _MASK) >> 3] & (1 << (one & 7)))

    def __len__(self) -> int:
        return self._count

    def add(self, one: int) -> bool:
        """Put an id in; return whether it was not there."""
        block = self._blocks.setdefault(one >> _BLOCK_BITS, bytearray(_BLOCK_BYTES))
        index, bit = (one & _MASK) >> 3, 1 << (one & 7)
        is_new = not block[index] & bit
        block[index] |= bit
        self._count += is_new
        return is_new

    def discard(self, one: int) -> bool:
        """Take an id out; return whether it was there."""
        if one not in self:
            return False
        self._blocks[one >> _BLOCK_BITS][(one & _MASK) >> 3] &= ~(1 << (one & 7))
        self._count -= 1
        return True
