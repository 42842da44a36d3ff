"""One connection on the session's side: messages in, messages out, and the terminal that came with the first."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from tui_dl.session import handover
from tui_dl.session.protocol import DESCRIPTORS, BadMessageError, Unpacker, Word, packed

if TYPE_CHECKING:
    import socket

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 1000
"""Messages that a client may send before the earlier ones were looked at: window changes come in storms."""


class Channel:
    """Reads a non-blocking socket on the loop; never waits for a client that does not read."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._unpacker = Unpacker()
        self._messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._has_ended = False
        self.descriptors: list[int] = []
        """What came with the messages; ours to close."""
        self._loop.add_reader(connection, self._read)

    async def next(self) -> dict[str, Any] | None:
        """Return the next message, None at the end."""
        return await self._messages.get()

    def say(self, word: Word, **particulars: Any) -> None:
        """Send a message; a client that is gone, or whose buffer is full, misses it."""
        try:
            # A few hundred bytes into a buffer of 200 KiB: what does not fit is for a client that was stopped.
            self._connection.send(packed({"word": word.value, **particulars}))
        except OSError as error:
            logger.debug("a client missed %s: %s", word, error)

    def close(self) -> None:
        """End the connection and close what is left of its descriptors."""
        self._end()
        self._connection.close()
        handover.close_all(self.descriptors)
        self.descriptors.clear()

    def _read(self) -> None:
        try:
            octets, descriptors = handover.receive(self._connection)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._end()
            return
        self.descriptors += descriptors
        if not octets or len(self.descriptors) > DESCRIPTORS:
            self._end()
            return
        try:
            for message in self._unpacker.feed(octets):
                self._messages.put_nowait(message)
        except BadMessageError as error:
            logger.warning("a client sent what is no message: %s", error)
            self._end()
        if self._messages.qsize() > MOST_WAITING:
            self._end()

    def _end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._loop.remove_reader(self._connection)
            self._messages.put_nowait(None)
