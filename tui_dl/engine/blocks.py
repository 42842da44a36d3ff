"""Memory that bodies arrive in: lent to the connections of one transport, and used again by whichever is next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

KIB: Final = 1024
BLOCK_BYTES: Final = 256 * KIB
"""Room for one look at the socket; larger pieces cost key latency."""
CROWDED_BLOCK_BYTES: Final = 32 * KIB
"""The same where many connections each hold one that is not full."""
MOST_USED_BYTES: Final = 16 * 1024 * KIB
"""Blocks remembered, by size: what may wait for a disk. Those beyond are let go when their bytes are written."""
MOST_IDLE_BYTES: Final = 2 * 1024 * KIB
"""Blocks kept, by size, while no connection wants any: what one connection holds."""
MOST_LOOKS: Final = 32
"""Blocks asked whether they are free again. Writes end about in the order of their bytes, those of two disks do not."""


class Block:
    """Memory for what arrives, and the views of it that were given out."""

    __slots__ = ("_given", "filled", "read", "room", "size_bytes")

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        """How much of a body it takes."""
        # One more, to see what comes behind the body.
        self.room = memoryview(bytearray(size_bytes + 1))
        self.filled = 0
        self.read = 0
        self._given: list[memoryview] = []

    @property
    def is_large(self) -> bool:
        """Whether it is of those that not every connection can have."""
        return self.size_bytes > CROWDED_BLOCK_BYTES

    @property
    def is_full(self) -> bool:
        """Whether nothing more arrives in it."""
        return self.filled == self.size_bytes

    @property
    def is_read(self) -> bool:
        """Whether all that it can hold was given out."""
        return self.read == self.size_bytes

    def take(self, most_bytes: int) -> memoryview:
        """Return what was not read yet, at most so much; the reader releases it when it is done with it."""
        end = min(self.filled, self.read + most_bytes)
        view = self.room[self.read : end]
        self.read = end
        self._given.append(view)
        return view

    def renew(self) -> bool:
        """Make it empty if nobody holds a part of it any more; return whether that was so."""
        if not all(map(_is_released, self._given)):
            return False
        self._given.clear()
        self.filled = self.read = 0
        return True


def _is_released(view: memoryview) -> bool:
    try:
        view.nbytes  # noqa: B018  # there is no other way to ask
    except ValueError:
        return True
    return False


class Blocks:
    """Lends blocks out; those that come back are lent again once every view of them was released.

    What a hundred connections held each for itself was 65 MiB, of which 8 were waiting for the disk.
    """

    def __init__(self, is_crowded: Callable[[], bool]) -> None:
        """`is_crowded` tells whether there are so many connections that each takes less."""
        self._is_crowded = is_crowded
        self._begun: list[Block] = []
        """Large ones with room for more; what the next who takes one gets is much, so that few share one."""
        self._used: dict[int, deque[Block]] = {BLOCK_BYTES: deque(), CROWDED_BLOCK_BYTES: deque()}

    @property
    def block_bytes(self) -> int:
        """Length of the blocks that are lent now, if nothing speaks for more."""
        return CROWDED_BLOCK_BYTES if self._is_crowded() else BLOCK_BYTES

    def take(self, *, is_much: bool = False) -> Block:
        """Return an empty block, which is the caller's until it is put back.

        `is_much`: so much arrives for it that it is filled and put back at once.
        """
        size_bytes = BLOCK_BYTES if is_much else self.block_bytes
        if size_bytes == BLOCK_BYTES and self._begun:
            block = self._begun.pop()
            block.renew()
            return block
        used = self._used[size_bytes]
        for _ in range(min(len(used), MOST_LOOKS)):
            block = used.popleft()
            if block.renew():
                return block
            used.append(block)
        self._let_go_of_others(size_bytes)
        return Block(size_bytes)

    def put(self, block: Block) -> None:
        """Take one back whose bytes were read or are not wanted; parts of it may still be on their way to the disk."""
        block.read = block.filled
        if block.size_bytes - block.filled >= CROWDED_BLOCK_BYTES and block.is_large:
            self._begun.append(block)
            return
        used = self._used[block.size_bytes]
        used.append(block)
        if len(used) * block.size_bytes > MOST_USED_BYTES:
            used.popleft()

    def _let_go_of_others(self, size_bytes: int) -> None:
        """Make room for one by what is free of another size."""
        for other_bytes, used in self._used.items():
            for _ in range(max(1, size_bytes // other_bytes)):
                if other_bytes != size_bytes and used and used[0].renew():
                    used.popleft()

    def trim(self) -> None:
        """Let most of them go: nothing is being read."""
        self._begun.clear()
        for size_bytes, used in self._used.items():
            while len(used) * size_bytes > MOST_IDLE_BYTES:
                used.popleft()
