"""What a session is made of, as the composition gives it; its rooms know each other only through this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from tui_dl.core.ports import EnginePort, EngineSnapshot
    from tui_dl.core.ports_control import SessionPort


class Door(Protocol):
    """Another way into the session (JSON-RPC); lives as long as the engine does."""

    @property
    def is_in_use(self) -> bool:
        """Whether somebody is connected, or may come who expects the session to be there: it then does not end."""
        ...

    async def open(self, listener: socket.socket, session: SessionPort) -> None:
        """Serve the bound, listening, non-blocking Unix socket; called once, when the engine has started."""
        ...

    async def listen_also(self, listener: socket.socket) -> None:
        """Serve another such socket: nobody can find the first any more."""
        ...

    async def aclose(self) -> None:
        """End all connections; answers under way may take two seconds. The listener is closed by its owner."""
        ...


class Listening(Protocol):
    """The sockets on which a session is reached, and what becomes of them."""

    attach: socket.socket
    """Terminals come here; listening, non-blocking."""
    rpc: socket.socket
    """Programs come here; the same."""

    def are_there(self) -> bool:
        """Whether they can still be found; may wait for a disk."""
        ...

    def renew(self) -> None:
        """Put others in their place, where they can be found; raises `TuiDlError`."""
        ...


class EnginePlace(Protocol):
    """Where the engine is started, once, and later closed."""

    async def start(self) -> EnginePort:
        """Start it; raises `TuiDlError`."""
        ...

    def snapshot(self) -> EngineSnapshot | None:
        """Return the present state, None before it has started."""
        ...

    def has_errands(self) -> bool:
        """Whether commands of the person's run or are due after what happened; the session does not end meanwhile."""
        ...

    def refusal_of_proxies(self, proxies: Mapping[str, str] | None) -> str:
        """Return why what is added cannot go through these proxies of another environment; empty if it does."""
        ...

    async def take_options(self, options: Mapping[str, Any]) -> str:
        """Let settings of a later command line hold; return why they cannot, empty if they do."""
        ...
