"""Connections counted and watched: so many at most, none of them idle for long, before a byte of HTTP is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.session.rpc.rare_log import RareLog

MOST_CONNECTIONS: Final = 128
"""Connections to one door; a browser takes six, a program one or two."""
IDLE_S: Final = 30.0
"""How long a connection may ask for nothing, its first request included."""


class Admitted(asyncio.Protocol):
    """One connection: hands everything to aiohttp's protocol, and ends where nothing is asked for too long."""

    def __init__(self, gate: Gate, inner: Any) -> None:
        self._gate = gate
        self._inner = inner
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._busy = 0
        self.has_proven = False
        """Whether it gave the right secret, or came through the Unix socket: it never makes room for a newer one."""

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        return self._busy == 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be counted."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        if not self._gate.enter(self):
            self.close()
        self._inner.connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Be counted no more."""
        self._unwatch()
        self._gate.leave(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass on what came."""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on that no more comes."""
        self._inner.eof_received()
        return None

    def pause_writing(self) -> None:
        """Pass on that the other end does not take it."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it takes it again."""
        self._inner.resume_writing()

    def begin(self) -> None:
        """Note that a request is being answered."""
        self._busy += 1
        self._unwatch()

    def end(self) -> None:
        """Note that it was answered."""
        self._busy -= 1
        if self.is_idle:
            self._watch()

    def close(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def _watch(self) -> None:
        self._unwatch()
        self._timer = asyncio.get_running_loop().call_later(self._gate.idle_s, self.close)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Gate:
    """Lets connections in."""

    def __init__(self, log: RareLog, name: str, *, most: int = MOST_CONNECTIONS, idle_s: float = IDLE_S) -> None:
        self._log, self._name, self._most = log, name, most
        self.idle_s = idle_s
        """How long a connection may ask for nothing."""
        self._inside: dict[Admitted, None] = {}
        """In the order in which they came."""

    @property
    def count(self) -> int:
        """Connections there are."""
        return len(self._inside)

    def wrap(self, factory: Callable[[], Any]) -> Callable[[], Admitted]:
        """Return a factory of protocols that are counted here."""
        return lambda: Admitted(self, factory())

    def enter(self, one: Admitted) -> bool:
        """Count a connection; where there are too many, the oldest that gave no secret makes room for it.

        Not only one that asks for nothing: a flood sends half a request each.
        """
        if len(self._inside) >= self._most:
            stranger = next((other for other in self._inside if not other.has_proven), None)
            self._log.tell("full", "%s: more than %d connections at once", self._name, self._most)
            if stranger is None:
                return False
            del self._inside[stranger]
            stranger.close()
        self._inside[one] = None
        return True

    def leave(self, one: Admitted) -> None:
        """Count a connection no more."""
        self._inside.pop(one, None)
