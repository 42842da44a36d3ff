"""Delivery: puts a reply on a connection in exactly the manner its script asks for."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from enum import Enum
from typing import TYPE_CHECKING

from tests.faults.rfc9110 import http_date
from tests.faults.script import Ending, Framing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.pacing import Pace
    from tests.faults.script import Reply

PIECE_BYTES = 256 * 1024
"""Most body bytes given to the transport at once; also the most a broken connection is counted too much."""

FLUSH_LIMIT_S = 5.0
"""How long a cut or reset waits until the peer's kernel has what was sent before it."""

_POLL_S = 0.005


class Finish(Enum):
    """How an exchange ended."""

    RUNNING = "still being answered"
    WHOLE = "all of the reply was sent"
    BROKEN_OFF = "broken off by the script"
    PEER_GONE = "the client went away"
    SERVER_CLOSED = "the server was closed"


class PeerGoneError(ConnectionError):
    """The client closed or reset the connection."""


class WatchedReader(asyncio.StreamReader):
    """A reader that tells at once when the peer is gone, without anyone reading."""

    def __init__(self) -> None:
        super().__init__(limit=1 << 20)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        """Note the peer's FIN."""
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: BaseException) -> None:
        """Note the peer's RST."""
        super().set_exception(exc)  # type: ignore[arg-type]  # typeshed says Exception on 3.11
        self.gone.set()


class Wire:
    """One connection, as the replies see it."""

    def __init__(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        self._gone = reader.gone
        self._writer = writer
        # Nothing is kept in user space, so what is counted as sent was taken by the kernel.
        # One and not zero: asyncio's TLS transport pauses at "size >= high" and would never resume at zero.
        writer.transport.set_write_buffer_limits(high=1, low=0)

    async def write(self, octets: bytes | memoryview) -> None:
        """Send bytes; raise PeerGoneError when nobody is there to read them."""
        if self._gone.is_set():
            raise PeerGoneError
        try:
            self._writer.write(octets)
            await self._writer.drain()
        except (ConnectionError, OSError) as error:
            raise PeerGoneError from error

    async def pause(self, duration_s: float) -> None:
        """Wait, but not longer than the peer stays."""
        if duration_s <= 0:
            return
        try:
            await asyncio.wait_for(self._gone.wait(), duration_s)
        except TimeoutError:
            return
        raise PeerGoneError

    async def hold(self, gate: asyncio.Event) -> None:
        """Send nothing until the gate opens; raise PeerGoneError when the peer gives up first."""
        waits = [asyncio.ensure_future(self._gone.wait()), asyncio.ensure_future(gate.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not gate.is_set():
            raise PeerGoneError

    async def end(self, ending: Ending) -> None:
        """Close the connection in the manner asked for."""
        transport = self._writer.transport
        if ending is Ending.CLOSE:
            self._writer.close()
            return
        if ending is Ending.KEEP:
            return
        await self._flush()
        if ending is Ending.RESET:
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def _flush(self) -> None:
        """Wait until the peer acknowledged everything, as a reset throws away what is still on its way."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        deadline_at = asyncio.get_running_loop().time() + FLUSH_LIMIT_S
        while not self._gone.is_set() and asyncio.get_running_loop().time() < deadline_at:
            unsent = struct.unpack("i", fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
            if unsent == 0:
                return
            await asyncio.sleep(_POLL_S)


class Delivery:
    """Sends one reply; what it counts and where it stands is reported through the callables it is given."""

    def __init__(
        self,
        wire: Wire,
        reply: Reply,
        *,
        gate: asyncio.Event,
        on_bytes: Callable[[int], None],
        on_stall: Callable[[], None],
    ) -> None:
        self._wire = wire
        self._reply = reply
        self._gate = gate
        self._on_bytes = on_bytes
        self._on_stall = on_stall

    async def send(self, *, is_head: bool, now_at: float) -> Finish:
        """Send the reply and end the connection as it says; return how far it came."""
        reply = self._reply
        if reply.stall_after_bytes == -1:
            await self._stall()
        if reply.raw is not None:
            await self._send_raw(reply.raw)
            finish = Finish.BROKEN_OFF
        else:
            await self._paced(head_of(reply, now_at), reply.head_pace)
            finish = Finish.WHOLE if is_head or reply.status == 304 else await self._send_body()
        await self._wire.end(reply.ending)
        return finish

    async def _send_raw(self, raw: bytes) -> None:
        """Send bytes that replace the whole reply."""
        await self._wire.write(raw)
        if self._reply.stall_after_bytes is not None and self._reply.stall_after_bytes >= 0:
            await self._stall()

    async def _stall(self) -> None:
        """Report the stall, then wait for the gate."""
        self._on_stall()
        await self._wire.hold(self._gate)

    async def _paced(self, octets: bytes, pace: Pace | None) -> None:
        """Send bytes one by one at a pace, or at once without one."""
        if pace is None:
            await self._wire.write(octets)
            return
        for index in range(len(octets)):
            _, wait_s = pace.reserve(1, asyncio.get_running_loop().time())
            await self._wire.pause(wait_s)
            await self._wire.write(octets[index : index + 1])

    async def _send_body(self) -> Finish:
        """Send the body up to where the script breaks it off."""
        reply = self._reply
        length_bytes = reply.body.length_bytes
        stop = length_bytes if reply.stop_after_bytes is None else min(reply.stop_after_bytes, length_bytes)
        stall_at = reply.stall_after_bytes
        if stall_at is not None and 0 <= stall_at <= stop:
            await self._send_span(0, stall_at)
            await self._stall()
            await self._send_span(stall_at, stop)
        else:
            await self._send_span(0, stop)
        if reply.stop_after_bytes is not None:
            return Finish.BROKEN_OFF
        tail = (b"0\r\n\r\n" if reply.framing is Framing.CHUNKED else b"") + reply.after_body
        if tail:
            await self._wire.write(tail)
        return Finish.WHOLE

    async def _send_span(self, start: int, stop: int) -> None:
        """Send the body's bytes [start, stop), counting each piece before it goes, so that none is missed."""
        reply = self._reply
        position = start
        while position < stop:
            size = min(PIECE_BYTES, stop - position)
            if reply.pace is not None:
                size, wait_s = reply.pace.reserve(size, asyncio.get_running_loop().time())
                await self._wire.pause(wait_s)
            piece = reply.body.read(position, position + size)
            self._on_bytes(size)
            if reply.framing is Framing.CHUNKED:
                piece = b"%x\r\n%b\r\n" % (size, piece)
            await self._wire.write(piece)
            position += size


def head_of(reply: Reply, now_at: float) -> bytes:
    """Return the head as it goes over the wire."""
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}".encode("latin-1")]
    fields = list(reply.headers)
    if reply.header("Date") is None:
        fields.append(("Date", http_date(now_at)))
    if reply.framing is Framing.CHUNKED:
        fields.append(("Transfer-Encoding", "chunked"))
    elif reply.length_text is not None:
        fields.append(("Content-Length", reply.length_text))
    elif reply.framing is Framing.LENGTH and reply.status != 304:
        fields.append(("Content-Length", str(reply.body.length_bytes)))
    if reply.framing is Framing.UNTIL_CLOSE:
        fields.append(("Connection", "close"))
    for name, value in fields:
        lines.append(name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1")))
    return b"\r\n".join(lines) + b"\r\n\r\n"
