"""The fault server: HTTP/1.1 on raw streams, right by default, wrong exactly where its script says so."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Self

from tests.faults import rfc9110
from tests.faults.script import Ending, Exchange, Framing, Reply, Request, Resource, all_of
from tests.faults.wire import Delivery, Finish, PeerGoneError, WatchedReader, Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from tests.faults.script import Fault

WAIT_LIMIT_S = 10.0
"""How long `wait_for` waits unless told otherwise; reached only where a test fails."""


@dataclass(slots=True, eq=False)
class RequestLog:
    """What the server saw and did about one request; live while the request is."""

    request: Request
    """As read from the wire."""
    connection_id: int
    """Counts connections from 0; equal for requests that shared one."""
    started_at: float
    """Loop time at which the head was read."""
    range_asked: str | None
    """The Range header as sent."""
    status: int = 0
    """Status answered; 0 where the script answered with raw bytes, or before the answer."""
    content_range: str | None = None
    """The Content-Range answered."""
    sent_bytes: int = 0
    """Body bytes handed to the kernel; at most one piece (256 KiB) too many where the client went away."""
    ended_at: float | None = None
    """Loop time of the end; None while being answered."""
    finish: Finish = Finish.RUNNING
    """How it ended."""
    is_stalled: bool = False
    """Whether a stall has been reached (and not yet released)."""
    is_refusal: bool = False
    """Whether the script refused it for want of a place."""
    method: str = field(init=False)
    """As sent."""
    path: str = field(init=False)
    """Path without query."""
    headers: dict[str, str] = field(init=False)
    """Names in lower case."""

    def __post_init__(self) -> None:
        """Lift what tests ask for most."""
        self.method, self.path, self.headers = self.request.method, self.request.path, self.request.headers

    @property
    def is_active(self) -> bool:
        """Whether it is still being answered."""
        return self.finish is Finish.RUNNING


@dataclass(slots=True)
class _Route:
    """A path, what is served there, and how badly."""

    resource: Resource
    """The present version."""
    fault: Fault
    """Applied to every answer."""
    asked: int = 0
    """Requests so far."""
    active: int = 0
    """Requests being answered."""
    most_active: int = 0
    """The highest `active` was."""
    sent_bytes: int = 0
    """Body bytes of all requests."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Opened by `release`, then replaced, so later stalls stall anew."""


class FaultServer:
    """`async with FaultServer() as server: url = server.add("/file.bin", Resource(1000), *faults)`."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        connection_limit: int | None = None,
        now: Callable[[], float] = time.time,
        is_remembering: bool = True,
        send_buffer_bytes: int = 0,
    ) -> None:
        """Prepare a server; connections beyond `connection_limit` are reset as soon as they are made.

        With `send_buffer_bytes` hardly more counts as sent than what left it; without, the system may keep megabytes.

        Where it is not `is_remembering`, `requests` holds only what is being answered, for servers that run long.
        """
        self.host = host
        self.port = port
        self.requests: list[RequestLog] = []
        self.connections_made = 0
        self.connections_refused = 0
        self.connection_limit = connection_limit
        self._tls = tls
        self._now = now
        self._is_remembering = is_remembering
        self._send_buffer_bytes = send_buffer_bytes
        self.on_bytes: Callable[[int], None] | None = None
        """Hears of body bytes before they are sent."""
        self.on_finished: Callable[[RequestLog], None] | None = None
        """Hears of every request's end."""
        self._routes: dict[str, _Route] = {}
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self._connections: dict[int, asyncio.StreamWriter] = {}
        self._ids = count()
        self._active: set[RequestLog] = set()
        self._script_errors: list[BaseException] = []
        self._waiters: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        await self.listen()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything; raise what a script raised, as the client saw but a broken connection."""
        await self.aclose()
        if exc is None and self._script_errors:
            raise self._script_errors[0]

    async def listen(self) -> None:
        """Listen; after `aclose`, again on the same port with the same resources."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, self.host, self.port, ssl=self._tls, reuse_address=True, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        if self._send_buffer_bytes:
            for listening in self._server.sockets:
                # Connections have it of the socket that they come by.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)

    async def aclose(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
        self.cut_connections()
        for handler in tuple(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a slash after it."""
        return f"{'http' if self._tls is None else 'https'}://{self.host}:{self.port}"

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return self.origin + path

    def add(self, path: str, resource: Resource, *faults: Fault) -> str:
        """Serve a resource under a path (as it comes over the wire) with faults in order; return its URL."""
        self._routes[path] = _Route(resource, all_of(*faults))
        return self.url(path)

    def replace(self, path: str, resource: Resource) -> None:
        """Serve another version from the next request on; replies under way go on with the old one."""
        self._routes[path].resource = resource

    def script(self, path: str, *faults: Fault) -> None:
        """Put other faults in place of a path's own, from the next request on."""
        self._routes[path].fault = all_of(*faults)

    def release(self, path: str | None = None) -> None:
        """Let the stalled replies of a path, or of all, go on."""
        for name, route in self._routes.items():
            if path in {None, name}:
                route.gate.set()
                route.gate = asyncio.Event()
        for log in self.requests:
            if path in {None, log.path}:
                log.is_stalled = False

    def cut_connections(self) -> None:
        """Break every connection at once, as a router that restarts would."""
        for writer in self._connections.values():
            writer.transport.abort()

    def length_of(self, path: str) -> int | None:
        """Return the length of what a path serves now, None where it serves nothing."""
        route = self._routes.get(path)
        return None if route is None else route.resource.length_bytes

    @property
    def active_connections(self) -> int:
        """Connections open now, idle ones included."""
        return len(self._connections)

    @property
    def active_requests(self) -> int:
        """Requests being answered now."""
        return len(self._active)

    def requests_for(self, path: str) -> list[RequestLog]:
        """Return the requests for a path, in order of arrival."""
        return [log for log in self.requests if log.path == path]

    def bytes_sent(self, path: str | None = None) -> int:
        """Return the body bytes sent for a path, or for all."""
        if path is not None:
            return self._routes[path].sent_bytes
        return sum(route.sent_bytes for route in self._routes.values())

    def max_concurrent(self, path: str) -> int:
        """Return the most requests for a path that were answered at the same time."""
        return self._routes[path].most_active

    def stalled(self, path: str) -> int:
        """Return how many replies of a path stand still now."""
        return sum(log.is_stalled and log.is_active for log in self.requests_for(path))

    async def wait_for(self, predicate: Callable[[], object], *, limit_s: float = WAIT_LIMIT_S) -> None:
        """Wait until a predicate holds; it is asked again after everything the server sees or does."""
        if predicate():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (predicate, waiter)
        self._waiters.append(entry)
        try:
            await asyncio.wait_for(waiter, limit_s)
        except TimeoutError:
            seen = [(log.path, log.range_asked, log.status, log.sent_bytes, log.finish.name) for log in self.requests]
            raise TimeoutError(f"not within {limit_s} s; the server saw {seen[-20:]}") from None
        finally:
            self._waiters.remove(entry)

    def _changed(self) -> None:
        """Wake those whose predicate holds now."""
        for predicate, waiter in self._waiters:
            if not waiter.done() and predicate():
                waiter.set_result(None)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        """Return the protocol of a new connection."""
        reader = WatchedReader()

        def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handler = asyncio.get_running_loop().create_task(self._serve(reader, writer))
            self._handlers.add(handler)
            handler.add_done_callback(partial(self._handled, writer))

        return asyncio.StreamReaderProtocol(reader, connected)

    def _handled(self, writer: asyncio.StreamWriter, handler: asyncio.Task[None]) -> None:
        """Forget a connection's task, but not what a script raised in it.

        One that was cancelled before it began has closed nothing.
        """
        self._handlers.discard(handler)
        if handler.cancelled():
            writer.transport.abort()
        error = None if handler.cancelled() else handler.exception()
        if error is not None:
            self._script_errors.append(error)

    async def _serve(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        if self.connection_limit is not None and len(self._connections) >= self.connection_limit:
            self.connections_refused += 1
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        connection_id = next(self._ids)
        self.connections_made += 1
        self._connections[connection_id] = writer
        self._changed()
        wire = Wire(reader, writer)
        try:
            while await self._serve_one(connection_id, reader, wire):
                pass
        except (PeerGoneError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            writer.close()
            del self._connections[connection_id]
            self._changed()

    async def _serve_one(self, connection_id: int, reader: WatchedReader, wire: Wire) -> bool:
        """Read and answer one request; return whether the connection is kept."""
        request = parse_request(await reader.readuntil(b"\r\n\r\n"))
        if request is None:
            await wire.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        now_at = asyncio.get_running_loop().time()
        log = RequestLog(request, connection_id, now_at, request.headers.get("range"))
        self.requests.append(log)
        self._active.add(log)
        route = self._routes.get(request.path)
        if route is None:
            route = _Route(Resource(), all_of())
            reply = rfc9110.text_reply(404, "Not Found", "nothing here\n")
        else:
            reply = self._reply(route, request)
        reply = _with_connection(request, reply)
        log.status = 0 if reply.raw is not None else reply.status
        log.is_refusal = reply.is_refusal
        shown = reply.header("Content-Range")
        log.content_range = shown if isinstance(shown, str) else None
        await self._deliver(route, log, reply, wire)
        return reply.ending is Ending.KEEP

    def _reply(self, route: _Route, request: Request) -> Reply:
        """Return the right answer, made worse as the script says."""
        holding = sum(not log.is_refusal for log in self._active)
        exchange = Exchange(request, route.resource, route.asked, holding, self._now())
        route.asked += 1
        return route.fault(exchange, rfc9110.answer(route.resource, request, exchange.now_at))

    async def _deliver(self, route: _Route, log: RequestLog, reply: Reply, wire: Wire) -> None:
        """Send a reply and keep the books about it."""

        def on_bytes(size: int) -> None:
            log.sent_bytes += size
            route.sent_bytes += size
            if self.on_bytes is not None:
                self.on_bytes(size)
            self._changed()

        def on_stall() -> None:
            log.is_stalled = True
            self._changed()

        route.active += 1
        route.most_active = max(route.most_active, route.active)
        finish = Finish.SERVER_CLOSED
        self._changed()
        try:
            delivery = Delivery(wire, reply, gate=route.gate, on_bytes=on_bytes, on_stall=on_stall)
            finish = await delivery.send(is_head=log.method == "HEAD", now_at=self._now())
        except PeerGoneError:
            finish = Finish.PEER_GONE
            raise
        finally:
            log.finish = finish
            self._active.discard(log)
            if not self._is_remembering:
                self.requests.remove(log)
            log.ended_at = asyncio.get_running_loop().time()
            route.active -= 1
            if self.on_finished is not None:
                self.on_finished(log)
            self._changed()


def parse_request(head: bytes) -> Request | None:
    """Return the request of a head, None where it is none."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    headers: dict[str, str] = {}
    for line in filter(None, lines[1:]):
        name, colon, value = line.partition(":")
        if not colon:
            return None
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    target = words[1]
    path = target.partition("?")[0]
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    return Request(words[0], target, path, headers, words[2])


def _with_connection(request: Request, reply: Reply) -> Reply:
    """Close after the reply where client, version or framing ask for it (RFC 9112 §9.3)."""
    asked = request.headers.get("connection", "").lower()
    is_last = (
        asked == "close"
        or (request.version == "HTTP/1.0" and asked != "keep-alive")
        or reply.framing is Framing.UNTIL_CLOSE
        or request.method not in {"GET", "HEAD"}
    )
    if not is_last or reply.ending is not Ending.KEEP:
        return reply
    if reply.framing is not Framing.UNTIL_CLOSE:
        reply = reply.with_header("Connection", "close")
    return replace(reply, ending=Ending.CLOSE)
