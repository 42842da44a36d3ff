"""Bytes that have arrived for a disk and are not written yet: bounded over all connections, whatever their number."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

MOST_BYTES: Final = 16 * 1024 * 1024
"""What may wait for one disk: eight connections that fill a mebibyte each while another is written. With more than
`MOST_FREE_READERS` half of it, since what their sockets' readers hold is about as much again."""
TURN_BYTES: Final = 256 * 1024
"""What one read brings at most, hence how much must be written until the next who waits has its turn."""
MOST_FREE_READERS: Final = 8
"""With more connections each socket is read on demand: half a mebibyte may gather in every reader else."""
TURN_S: Final = 0.05
"""A turn that brought nothing for so long is the next one's: a server that sends nothing keeps nobody waiting."""


class Backlog:
    """Counts for one disk; on the loop alone.

    Whoever reads on while it is full writes what it has and waits for its turn, in the order of asking; so a disk that
    is slower than the network stops the sockets and not the program's memory. A disk that hangs stops only its own.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._waiting: deque[asyncio.Future[asyncio.TimerHandle]] = deque()
        self._turns: set[asyncio.TimerHandle] = set()
        self._unwritten_bytes = 0
        self.readers = 0
        """Connections that read for this disk."""

    @property
    def is_pressed(self) -> bool:
        """Whether a socket should be left alone between two reads, so that nothing gathers in its reader either."""
        return self.readers > MOST_FREE_READERS or self.is_full

    @property
    def unwritten_bytes(self) -> int:
        """What arrived and is not written."""
        return self._unwritten_bytes

    @property
    def is_full(self) -> bool:
        """Whether nobody should gather any more, those whose turn it is included."""
        most_bytes = self._most_bytes if self.readers <= MOST_FREE_READERS else self._most_bytes // 2
        return self._unwritten_bytes + len(self._turns) * TURN_BYTES >= most_bytes

    def add(self, count: int) -> None:
        """Note bytes that arrived."""
        self._unwritten_bytes += count

    def remove(self, count: int) -> None:
        """Note bytes that were written, or are not wanted any more."""
        self._unwritten_bytes -= count
        self._grant()

    async def turn(self) -> asyncio.TimerHandle | None:
        """Wait until there is room for one more read; `end_turn()` then takes what this returned.

        The caller must have nothing gathered that is not being written, or all might wait for each other.
        """
        if not self.is_full and not self._waiting:
            return None
        waiter: asyncio.Future[asyncio.TimerHandle] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return await waiter

    def end_turn(self, turn: asyncio.TimerHandle | None) -> None:
        """End a turn, after what it brought was added."""
        if turn is not None:
            turn.cancel()
            self._turns.discard(turn)
            self._grant()

    def _grant(self) -> None:
        while self._waiting and not self.is_full:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(self._begin_turn())

    def _begin_turn(self) -> asyncio.TimerHandle:
        turn: asyncio.TimerHandle = asyncio.get_running_loop().call_later(TURN_S, lambda: self.end_turn(turn))
        self._turns.add(turn)
        return turn
