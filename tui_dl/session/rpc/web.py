"""The aiohttp.web application: one path for HTTP and WebSocket, guarded against strangers, pages and floods."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, Final

from aiohttp import WSCloseCode, WSMsgType, web

from tui_dl.session.rpc.admission import Admitted
from tui_dl.session.rpc.browsers import BrowserRules, cors_headers, is_own_host
from tui_dl.session.rpc.calls import Caller
from tui_dl.session.rpc.dispatcher import Answer, Dispatcher, failure
from tui_dl.session.rpc.faults import RpcError
from tui_dl.session.rpc.feed import Feed
from tui_dl.session.rpc.jsonp import callback_of, request_of
from tui_dl.session.rpc.own import KINDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from tui_dl.core.ports_control import ControlPort
    from tui_dl.session.rpc.rare_log import RareLog

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_BODY_BYTES: Final = 2 * 1024 * 1024
"""Longest request, as aria2's own default; over WebSocket of one message."""
BODY_S: Final = 30.0
"""How long the body of a request may take."""
HEARTBEAT_S: Final = 30.0
"""How often a WebSocket is asked whether it is still there."""
PATH: Final = "/jsonrpc"
EVENTS_PATH: Final = "/events"
_PLAIN: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Server": "tui-dl"}


class Door:
    """One way in: what comes through the Unix socket is the person's own, what comes by TCP proves itself."""

    def __init__(
        self,
        engine: ControlPort,
        dispatcher: Dispatcher,
        log: RareLog,
        rules: BrowserRules | None,
    ) -> None:
        """`rules` for pages; None for the Unix socket."""
        self._engine, self._dispatcher, self._log = engine, dispatcher, log
        self._rules = rules

    def application(self) -> web.Application:
        """Return the application of this door."""
        app = web.Application(client_max_size=MOST_BODY_BYTES, middlewares=[self._middleware()])
        app.router.add_post(PATH, self._post)
        app.router.add_get(PATH, self._get, allow_head=False)
        app.router.add_options(PATH, self._preflight)
        if self._rules is None:
            app.router.add_get(EVENTS_PATH, self._events, allow_head=False)
        return app

    # -- who may ask ---------------------------------------------------------------------------------------------------

    def _middleware(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            connection = _connection_of(request)
            if connection is None:
                return await self._guarded(request, handler)
            connection.begin()
            try:
                return await self._guarded(request, handler)
            finally:
                connection.end()

        return guard

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        why = self._why_not(request)
        if why:
            self._log.tell("stranger", "%s: refused: %s", _name_of(request), why)
            return _closing(web.Response(status=403, text=f"{why}\n", headers=_PLAIN))
        if (request.content_length or 0) > MOST_BODY_BYTES:
            self._log.tell("size", "%s: refused: a body of %d bytes", _name_of(request), request.content_length)
            return _closing(web.Response(status=413, text="the request is too long\n", headers=_PLAIN))
        try:
            response = await handler(request)
        except web.HTTPRequestEntityTooLarge:
            self._log.tell("size", "%s: refused: a body of more than %d", _name_of(request), MOST_BODY_BYTES)
            return _closing(web.Response(status=413, text="the request is too long\n", headers=_PLAIN))
        except TimeoutError:
            return _closing(web.Response(status=408, headers=_PLAIN))
        return response

    def _why_not(self, request: web.Request) -> str:
        """Return why a request is not let in; empty where it is."""
        if self._rules is None:
            return "" if is_own_peer(request.transport) else "the socket is another user's"
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not is_own_host(host):
            return "Host names another machine"
        # Programs that are no browser name our own address as their origin; no page is served from it.
        if origin is not None and origin != f"http://{host}" and not self._rules.allows_origin(origin):
            return "Origin is not in rpc_allow_origin"
        return ""

    def _headers(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get("Origin")
        return _PLAIN | (cors_headers(origin) if origin is not None and self._rules is not None else {})

    def _caller(self, request: web.Request) -> Caller:
        caller = Caller(is_local=self._rules is None, name=_name_of(request), connection=_connection_of(request))
        if caller.is_local:
            caller.prove()
        return caller

    # -- HTTP ----------------------------------------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.StreamResponse:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
        caller = self._caller(request)
        answer = await self._dispatcher.answer(body, caller)
        return await self._respond(request, answer)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        caller, callback = self._caller(request), ""
        try:
            callback = callback_of(request.query)
            answer = await self._dispatcher.answer_value(request_of(request.query), caller)
        except RpcError as error:
            answer = failure(None, error)
        return await self._respond(request, answer, callback)

    async def _respond(self, request: web.Request, answer: Answer, callback: str = "") -> web.Response:
        text = await answer.text()
        kind = "text/javascript" if callback else "application/json-rpc"
        return web.Response(
            text=f"{callback}({text})" if callback else text,
            status=answer.http_status,
            content_type=kind,
            headers=self._headers(request),
        )

    async def _preflight(self, request: web.Request) -> web.StreamResponse:
        return web.Response(headers=self._headers(request))

    # -- events and WebSocket ------------------------------------------------------------------------------------------

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=_PLAIN)
        response.content_type = "application/jsonl"
        await response.prepare(request)

        async def send(text: str) -> None:
            await response.write(f"{text}\n".encode())

        feed = Feed(self._engine, send, is_plain=True)
        feed.follow(KINDS)
        await feed.run()
        if request.transport is not None:
            # It takes nothing, so it would not take an end in order either.
            request.transport.abort()
        return response

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        socket_ = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MOST_BODY_BYTES, compress=False)
        for name, value in self._headers(request).items():
            socket_.headers[name] = value
        await socket_.prepare(request)
        caller = self._caller(request)
        feed = Feed(self._engine, socket_.send_str, is_plain=False)
        caller.listener = feed
        return await Conversation(socket_, self._dispatcher, caller, feed).run()


class Conversation:
    """One WebSocket: requests are answered in turn."""

    def __init__(self, socket_: web.WebSocketResponse, dispatcher: Dispatcher, caller: Caller, feed: Feed) -> None:
        self._socket, self._dispatcher, self._caller, self._feed = socket_, dispatcher, caller, feed

    async def run(self) -> web.WebSocketResponse:
        """Go on until either end has enough."""
        # As aria2's, its notifications ask for no secret: they name a gid and nothing else.
        telling = asyncio.create_task(self._tell())
        try:
            async for message in self._socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                await self._take(message.data)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return self._socket

    async def _take(self, data: str | bytes) -> None:
        await self._reply(await self._dispatcher.answer(data, self._caller))

    async def _reply(self, answer: Answer) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(await answer.text())

    async def _tell(self) -> None:
        await self._feed.run()
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too far behind")


def is_own_peer(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the process at the other end of a Unix socket is ours or root's; true where the system does not say."""
    peer = transport.get_extra_info("socket") if transport is not None else None
    option = getattr(socket, "SO_PEERCRED", None)
    if peer is None or option is None or peer.family != socket.AF_UNIX:
        return True
    _pid, uid, _gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return uid in (0, os.geteuid())


def _connection_of(request: web.Request) -> Admitted | None:
    connection = request.transport.get_protocol() if request.transport is not None else None
    return connection if isinstance(connection, Admitted) else None


def _name_of(request: web.Request) -> str:
    return request.remote or "Unix socket"


def _closing(response: web.Response) -> web.Response:
    response.force_close()
    return response
