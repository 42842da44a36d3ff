"""HTTP/2 over TLS in front of a fault server: every script of that server as streams of one connection.

Each stream becomes one HTTP/1.1 request behind. What ends early there is reset here, what stalls there stalls here.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.errors import ErrorCodes

from tests.faults.server import FaultServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from types import TracebackType

READ_BYTES = 16 * 1024
HOP_HEADERS = frozenset({"connection", "transfer-encoding", "keep-alive", "upgrade"})


class Http2FaultServer(FaultServer):
    """A fault server that is reached over HTTP/2; its addresses are those of the front."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self.front = Http2Front(self, context)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.front.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.front.aclose()
        await super().__aexit__(kind, error, trace)

    @property
    def origin(self) -> str:
        """Origin of the front."""
        return f"https://127.0.0.1:{self.front.port}"


@dataclass(eq=False)
class Http2Front:
    """Listens and hands streams on."""

    back: FaultServer
    context: ssl.SSLContext
    connections: int = 0
    """Connections taken so far."""
    most_streams: int = 0
    """Most streams of one connection at once."""
    sent_bytes: int = 0
    """Body bytes sent in frames so far, as far as windows let them go."""
    waits: int = 0
    """How often a stream had no window left."""
    refuses_streams: bool = False
    """Whether every stream is reset before its head."""
    port: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self) -> None:
        """Begin."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context, backlog=200)
        self.port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """End all."""
        self._server.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        connection = FrontConnection(self, reader, writer)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError, h2.exceptions.ProtocolError):
                await connection.run()
        finally:
            self.tasks.discard(task)
            await connection.aclose()


class FrontConnection:
    """One connection and its streams."""

    def __init__(self, front: Http2Front, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.front = front
        self.reader, self.writer = reader, writer
        self.http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.streams: dict[int, asyncio.Task[None]] = {}
        self.room = asyncio.Condition()

    async def run(self) -> None:
        """Read frames until the client leaves."""
        self.http2.initiate_connection()
        await self.flush()
        while received := await self.reader.read(65_536):
            for event in self.http2.receive_data(received):
                if isinstance(event, h2.events.RequestReceived):
                    self._begin(event.stream_id, {str(name): str(value) for name, value in event.headers or ()})
                elif isinstance(event, h2.events.StreamReset) and event.stream_id in self.streams:
                    self.streams[event.stream_id].cancel()
            async with self.room:
                self.room.notify_all()
            await self.flush()

    def _begin(self, stream_id: int, headers: dict[str, str]) -> None:
        task = asyncio.ensure_future(self._answer(stream_id, headers))
        self.streams[stream_id] = task
        self.front.most_streams = max(self.front.most_streams, len(self.streams))
        task.add_done_callback(lambda _task: self.streams.pop(stream_id, None))

    async def aclose(self) -> None:
        """End all streams."""
        streams = tuple(self.streams.values())
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        self.writer.close()

    async def flush(self) -> None:
        """Write what is to be sent."""
        self.writer.write(self.http2.data_to_send())
        await self.writer.drain()

    async def _answer(self, stream_id: int, headers: dict[str, str]) -> None:
        writer: asyncio.StreamWriter | None = None
        try:
            if self.front.refuses_streams:
                raise ConnectionResetError
            reader, writer = await asyncio.open_connection("127.0.0.1", self.front.back.port)
            lines = [f"{name}: {value}" for name, value in headers.items() if not name.startswith(":")]
            head = "\r\n".join([f"GET {headers[':path']} HTTP/1.1", f"Host: {headers[':authority']}", *lines, "", ""])
            writer.write(head.encode())
            told = await self._head(stream_id, reader)
            async for chunk in body_of(reader, told):
                await self._send(stream_id, chunk)
            self.http2.end_stream(stream_id)
            await self.flush()
        except (OSError, EOFError, ValueError, IndexError):
            with contextlib.suppress(h2.exceptions.ProtocolError, OSError):
                self.http2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
                await self.flush()
        except h2.exceptions.ProtocolError:
            return  # the client left
        finally:
            if writer is not None:
                writer.close()

    async def _head(self, stream_id: int, reader: asyncio.StreamReader) -> dict[str, str]:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = [
            (name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])
        ]
        told = [(name, value) for name, value in pairs if name and name not in HOP_HEADERS]
        self.http2.send_headers(stream_id, [(":status", lines[0].split()[1]), *told])
        await self.flush()
        return dict(pairs)

    async def _send(self, stream_id: int, chunk: bytes) -> None:
        at = 0
        while at < len(chunk):
            self.front.waits += self.http2.local_flow_control_window(stream_id) <= 0
            async with self.room:
                await self.room.wait_for(lambda: self.http2.local_flow_control_window(stream_id) > 0)
            most = min(self.http2.local_flow_control_window(stream_id), self.http2.max_outbound_frame_size)
            piece = chunk[at : at + most]
            self.http2.send_data(stream_id, piece)
            at += len(piece)
            self.front.sent_bytes += len(piece)
            await self.flush()


async def body_of(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    """Yield the body of an HTTP/1.1 answer; raises `EOFError` or `OSError` where it is cut."""
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        return
    left = int(headers["content-length"]) if "content-length" in headers else None
    while left is None or left > 0:
        chunk = await reader.read(READ_BYTES if left is None else min(READ_BYTES, left))
        if not chunk and left is not None:
            raise EOFError
        if not chunk:
            return
        left = None if left is None else left - len(chunk)
        yield chunk
