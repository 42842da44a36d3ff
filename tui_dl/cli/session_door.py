"""The session's door for programs: JSON-RPC on its Unix socket, over the engine that lives there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from tui_dl.cli.session_engine import SessionEngine
    from tui_dl.core.ports_control import SessionPort
    from tui_dl.session.rpc.serving import RpcServer
    from tui_dl.session.rpc.tcp import OpenTcp


class RpcDoor:
    """Fulfils `session.ports.Door`."""

    def __init__(self, engine: SessionEngine, tcp: OpenTcp | None) -> None:
        """`tcp` is what the settings want of TCP, listened to already."""
        self._engine, self._tcp = engine, tcp
        self._server: RpcServer | None = None

    @property
    def is_in_use(self) -> bool:
        """Whether a program is connected, or may come by TCP at any time."""
        if self._tcp is not None:
            return True
        return self._server is not None and self._server.connections > 0

    async def open(self, listener: socket.socket, session: SessionPort) -> None:
        """Serve the Unix socket, and loopback TCP where the settings want it."""
        from tui_dl.session.rpc.serving import RpcServer  # noqa: PLC0415  # aiohttp comes with the engine

        assert self._engine.running is not None
        self._server = RpcServer(self._engine.running, session, self._tcp)
        await self._server.serve_unix(listener)
        await self._server.serve_tcp()

    async def listen_also(self, listener: socket.socket) -> None:
        """Serve another Unix socket."""
        if self._server is not None:
            await self._server.serve_unix(listener)

    async def aclose(self) -> None:
        """End all connections."""
        if self._server is not None:
            await self._server.aclose()
