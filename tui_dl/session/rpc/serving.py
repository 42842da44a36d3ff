"""The application on its sockets: the Unix socket always, loopback TCP where the settings say so."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web

from tui_dl.session.rpc.admission import Gate
from tui_dl.session.rpc.aria2_asking import Aria2Asking
from tui_dl.session.rpc.aria2_doing import Aria2Doing
from tui_dl.session.rpc.aria2_gids import Gids
from tui_dl.session.rpc.dispatcher import Dispatcher
from tui_dl.session.rpc.own import OwnMethods
from tui_dl.session.rpc.rare_log import RareLog
from tui_dl.session.rpc.secret import Secret
from tui_dl.session.rpc.web import Door

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from tui_dl.core.ports_control import ControlPort, SessionPort
    from tui_dl.session.rpc.browsers import BrowserRules
    from tui_dl.session.rpc.tcp import OpenTcp

MOST_WAITING: Final = 128
"""Connections that the kernel holds until we take them."""
CLOSING_S: Final = 2.0
"""How long requests under way may take when everything ends."""


class RpcServer:
    """Serves one engine; use it as `async with`, then give it sockets."""

    def __init__(self, engine: ControlPort, session: SessionPort, tcp: OpenTcp | None = None) -> None:
        """`tcp` is what the settings want of TCP, listened to already; None: only the Unix socket is served."""
        self._log = RareLog(time.monotonic)
        self._engine = engine
        gids = Gids(engine)
        rooms = (OwnMethods(engine, session), Aria2Asking(engine, session, gids), Aria2Doing(engine, session, gids))
        methods = {name: method for room in rooms for name, method in room.methods().items()}
        self._dispatcher = Dispatcher(methods, Secret(tcp.wish.secret if tcp is not None else "", self._log))
        self._tcp = tcp
        self._stack = AsyncExitStack()
        self._gates: list[Gate] = []

    @property
    def connections(self) -> int:
        """Programs that are connected now."""
        return sum(gate.count for gate in self._gates)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def serve_unix(self, listening: socket.socket) -> None:
        """Serve a Unix socket that is bound; it and its path stay the caller's to remove."""
        await self._serve(listening, None, "Unix socket")

    async def serve_tcp(self) -> None:
        """Serve loopback TCP where that is wanted."""
        if self._tcp is not None:
            for listening in self._tcp.sockets:
                await self._serve(listening, self._tcp.wish.rules, "TCP")

    async def aclose(self) -> None:
        """Take no more connections, let what is under way end, close the rest."""
        await self._stack.aclose()

    async def _serve(self, listening: socket.socket, rules: BrowserRules | None, name: str) -> None:
        door = Door(self._engine, self._dispatcher, self._log, rules)
        runner = web.AppRunner(
            door.application(),
            handler_cancellation=True,
            access_log=None,
            handle_signals=False,
            lingering_time=0,
            shutdown_timeout=CLOSING_S,
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        assert runner.server is not None
        gate = Gate(self._log, name)
        self._gates.append(gate)
        factory = gate.wrap(runner.server)
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        server = await loop.create_server(factory, sock=listening, backlog=MOST_WAITING)
        self._stack.callback(server.close)
