"""The rest of a long body taken straight from the transport into blocks that are used again.

aiohttp copies each byte twice more on its way (into the bytes that the loop hands over, and out of them behind its
parser), which was a third of a large download's CPU. What is known to be a body of a certain length needs no parser:
once the head is read the transport's protocol is exchanged, and given back when the body is over. This leans on names
of aiohttp that are not public; where one of them is missing, `take_over()` returns None and the body is read as usual.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from tui_dl.engine.blocks import CROWDED_BLOCK_BYTES
from tui_dl.engine.receive_queue import bound_queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.client_proto import ResponseHandler

    from tui_dl.engine.blocks import Block, Blocks
    from tui_dl.engine.short_answers import KeptResponse

MOST_UNREAD_BLOCKS: Final = 2
"""What may gather before the socket is left alone."""
_CONNECTION_PARTS: Final = ("_connector", "_protocol", "_key")


class DirectBody(asyncio.BufferedProtocol):
    """Receives the rest of one body; the connection can be used again once all of it was read."""

    def __init__(
        self, handler: ResponseHandler, transport: asyncio.Transport, blocks: Blocks, early: bytes, left_bytes: int
    ) -> None:
        self._handler = handler
        self._transport = transport
        self._memory = blocks
        self._early = memoryview(early)
        self._left_bytes = left_bytes
        self._blocks: deque[Block] = deque()
        """Those with bytes to be read, or being filled (the last)."""
        self._unread_bytes = 0
        self._brought_bytes = 0
        """What the last look at the socket brought."""
        self._has_surplus = False
        self._is_lost = False
        self._error: BaseException | None = None
        self._is_held = False
        self._is_stopped = False
        self._waiter: asyncio.Future[None] | None = None

    # -- the transport's side ------------------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return room for what arrives next: the rest of the body at most, and one byte that should never come."""
        del sizehint
        if not self._blocks or self._blocks[-1].is_full:
            is_much = self._brought_bytes >= CROWDED_BLOCK_BYTES and not self._unread_bytes
            self._blocks.append(self._memory.take(is_much=is_much))
        block = self._blocks[-1]
        most_bytes = block.size_bytes - block.filled
        return block.room[block.filled :][: most_bytes if self._left_bytes > most_bytes else self._left_bytes + 1]

    def buffer_updated(self, nbytes: int) -> None:
        """Count what arrived."""
        if nbytes > self._left_bytes:
            # Nothing was asked for that this could be the answer to.
            nbytes = self._left_bytes
            self._has_surplus = True
            self._transport.close()
        self._brought_bytes = nbytes
        self._blocks[-1].filled += nbytes
        self._left_bytes -= nbytes
        self._unread_bytes += nbytes
        self._steer()
        self._wake()

    def eof_received(self) -> bool:
        """Let the transport close."""
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note the end; aiohttp's own side of the connection learns of it, too."""
        self._is_lost = True
        self._error = exc
        self._handler.connection_lost(exc)
        self._wake()

    def pause_writing(self) -> None:
        """Tell aiohttp's side, which writes."""
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Tell aiohttp's side, which writes."""
        self._handler.resume_writing()

    # -- the reader's side ---------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether all of it was read and the connection stands, so that it may carry the next request."""
        is_read = not (self._left_bytes or self._unread_bytes or self._early)
        return is_read and not (self._is_lost or self._has_surplus or self._transport.is_closing())

    async def read(self, most_bytes: int | None) -> memoryview:
        """Return what has arrived, at most so much; empty at the end. Whoever is done with it calls `release()`.

        Raises `aiohttp.ClientPayloadError` where the connection ended before the body.
        """
        self._is_held = False
        if self._early:
            count = len(self._early) if most_bytes is None else most_bytes
            view = self._early[:count]
            # An empty rest would keep the memory of all of it.
            self._early = self._early[count:] if count < len(self._early) else memoryview(b"")
            return view
        while not self._unread_bytes:
            if not self._left_bytes:
                return memoryview(b"")
            if self._is_lost:
                raise aiohttp.ClientPayloadError("the body is not complete") from self._error
            self._steer()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._take(self._unread_bytes if most_bytes is None else most_bytes)

    def hold(self) -> None:
        """Take nothing from the socket until the next `read()`."""
        if self._left_bytes:
            self._is_held = True
            self._steer()
        if not self._unread_bytes and self._blocks and self._blocks[-1].is_large:
            self.put_back()

    def put_back(self) -> None:
        """Return its memory; nothing more is read of it, and what was may still be on its way to the disk."""
        while self._blocks:
            self._memory.put(self._blocks.popleft())

    def give_back(self, watch: Callable[[asyncio.Future[None]], object]) -> ResponseHandler:
        """Let aiohttp have the transport again, as a connection that was never used; call it where `is_over`."""
        fresh = type(self._handler)(asyncio.get_running_loop())
        fresh.connection_made(self._transport)
        _exchange(self._transport, fresh, is_reading=not self._is_stopped)
        if (closed := fresh.closed) is not None:
            closed.add_done_callback(watch)
        return fresh

    # -- within --------------------------------------------------------------------------------------------------------

    def _take(self, most_bytes: int) -> memoryview:
        block = self._blocks[0]
        view = block.take(most_bytes)
        self._unread_bytes -= len(view)
        if block.is_read:
            self._memory.put(self._blocks.popleft())
        self._steer()
        return view

    def _steer(self) -> None:
        """Leave the socket alone while enough is unread or the reader wants no more; else take from it."""
        is_to_stop = self._is_held or self._unread_bytes >= MOST_UNREAD_BLOCKS * self._memory.block_bytes
        if is_to_stop is self._is_stopped or self._is_lost or self._transport.is_closing():
            return
        self._is_stopped = is_to_stop
        if is_to_stop:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def take_over(response: aiohttp.ClientResponse | KeptResponse, blocks: Blocks, length_bytes: int) -> DirectBody | None:
    """Exchange the protocol of an answer whose body has this length; None where that cannot be done.

    Nothing of its `content` may be read afterwards but what this leaves there.
    """
    connection, content = response.connection, response.content
    handler: Any = None if connection is None else connection.protocol
    transport = None if handler is None else handler.transport
    if transport is None or transport.is_closing() or content.exception() is not None or content.is_eof():
        return None
    if not all(hasattr(connection, name) for name in _CONNECTION_PARTS) or not hasattr(content, "_buffer"):
        return None
    early = []
    # Reading lets the parser go on with what it has in hand, so that nothing of it stays there.
    while content._buffer:  # noqa: SLF001  # there is no public way to ask
        early.append(content.read_nowait())
    body = DirectBody(handler, transport, blocks, b"".join(early), length_bytes - content.total_bytes)
    if content.is_eof():
        return body  # aiohttp has the connection back already, and nothing is left to come
    bound_queue(transport)
    _exchange(transport, body, is_reading=True)
    return body


def _exchange(transport: asyncio.Transport, protocol: asyncio.BaseProtocol, *, is_reading: bool) -> None:
    # Loops choose the way of reading when they begin to read.
    if is_reading:
        transport.pause_reading()
    transport.set_protocol(protocol)
    transport.resume_reading()


def end_direct(
    response: aiohttp.ClientResponse | KeptResponse, body: DirectBody, watch: Callable[[asyncio.Future[None]], object]
) -> None:
    """Give the connection of a body that was taken over back to aiohttp's pool; close it where that cannot be done."""
    body.put_back()
    connection: Any = response.connection
    old = None if connection is None else connection.protocol
    # aiohttp noted there that the server wants to close.
    if connection is None or not body.is_over or getattr(old, "_should_close", True):
        response.close()
        return
    fresh = body.give_back(watch)
    connector = connection._connector  # noqa: SLF001  # checked by `take_over()`
    connector._acquired.discard(old)  # noqa: SLF001
    connector._acquired.add(fresh)  # noqa: SLF001
    connection._protocol = fresh  # noqa: SLF001
    response.release()
