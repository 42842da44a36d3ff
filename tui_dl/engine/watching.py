"""A connector that watches how its connections begin, which must not take too long, and how they end."""

from __future__ import annotations

import asyncio
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from tui_dl.core.addresses import is_ip_address
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.engine.error_map import OTHER_SERVERS, map_dns

if TYPE_CHECKING:
    from collections.abc import Callable

MADE: Final[ContextVar[list[asyncio.Future[None]]]] = ContextVar("MADE")
"""The same of connections that were made for the current request, and not kept from an earlier one."""


@dataclass(slots=True)
class Asking:
    """A request from when a connection is looked for until its head is there."""

    head_s: float
    """Seconds that the head is waited for once there is a connection."""
    limit: asyncio.Timeout | None = None
    """What ends it; until there is a connection that has its own time, too."""
    closed: asyncio.Future[None] | None = None
    """Tells how its connection ends, once it has one."""

    def connected(self, closed: asyncio.Future[None] | None) -> None:
        """Count the time of the head from now on."""
        self.closed = closed if closed is not None else self.closed
        if self.limit is not None and not self.limit.expired():
            self.limit.reschedule(asyncio.get_running_loop().time() + self.head_s)


@dataclass(slots=True)
class Stage:
    """What a connection that is being made waits for."""

    host: str
    """Host of the address."""
    text: str = ""
    """What did not happen in time, should the time be up now; empty before anything was begun."""
    proxy: str = ""
    """Authority of the HTTP or SOCKS proxy that it goes through, empty for none."""
    is_at_proxy: bool = False
    """Whether what is waited for is the proxy's matter."""

    def error(self) -> NetworkError:
        """Return the error of a connection that took too long."""
        reason = Reason.PROXY_FAILED if self.is_at_proxy else Reason.CONNECT_TIMEOUT
        text = self.text or f"{self.host} did not answer the connection in time"
        return NetworkError(reason, text, is_retryable=True)


MOST_KEPT_HOSTS: Final = 256
"""Hosts to which unused connections are kept: with a new one for each file they would use up all descriptors."""
STAGE: Final[ContextVar[Stage]] = ContextVar("STAGE")
_VERSIONS: Final = {int(socket.AF_INET): "IPv4", int(socket.AF_INET6): "IPv6"}
ASKING: Final[ContextVar[Asking]] = ContextVar("ASKING")
"""The request at hand."""


class WatchingConnector(aiohttp.TCPConnector):
    """Gives up what does not stand in time (look-up, proxy and TLS included), and says what that waited for.

    Watches each connection's end from its beginning: aiohttp forgets a reset that nobody waited for.
    """

    def __init__(self, *, connect_timeout_s: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._connect_timeout_s = connect_timeout_s
        self.on_connected: Callable[[aiohttp.ClientRequest], None] = _nobody
        """Told of each request that got a connection."""

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109  # the library's name
        """Connect as the library does, by a connection that was kept if there is one."""
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        if (asking := ASKING.get(None)) is not None:
            asking.connected(None if protocol is None else protocol.closed)
        self.on_connected(req)
        return connection

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        """Keep a connection as the library does; of very many hosts the one kept the longest is let go."""
        super()._release(key, protocol, should_close=should_close)
        kept = self._conns
        while len(kept) > MOST_KEPT_HOSTS:
            for one, _ in kept.pop(next(iter(kept))):
                one.close()

    async def _create_connection(self, req: Any, *words: Any) -> Any:
        stage = Stage(req.host)
        token = STAGE.set(stage)
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                protocol = await super()._create_connection(req, *words)
        except TimeoutError:
            raise stage.error() from None
        finally:
            STAGE.reset(token)
        if (closed := protocol.closed) is not None:
            closed.add_done_callback(hear)
            if (made := MADE.get(None)) is not None:
                made.append(closed)
        return protocol

    async def _resolve_host(self, host: str, *words: Any, **more: Any) -> Any:
        stage = STAGE.get(None)
        if stage is not None:
            stage.text = f"the name of {_what(stage, host)} was not looked up in time; {OTHER_SERVERS}"
        version = _VERSIONS.get(self._family)
        try:
            found = await super()._resolve_host(host, *words, **more)
        except OSError as error:
            if version is None or (mapped := map_dns(error, host)).reason is not Reason.DNS_FAILED:
                raise
            text = f"no {version} address of {host} was found, and no others are to be used"
            if stage is not None and stage.is_at_proxy:
                text = f"the proxy {stage.proxy} cannot be reached: {text}"
                raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=True) from error
            raise type(mapped)(mapped.reason, text, is_retryable=mapped.is_retryable) from error
        if version is not None and is_ip_address(host) and (version == "IPv6") is not (":" in host):
            # The library gives such an address the family that is asked for, and then trips over having none left.
            raise NetworkError(Reason.DNS_FAILED, f"{host} has no {version} address, and no others are to be used")
        return found

    async def _create_proxy_connection(self, req: Any, *words: Any) -> Any:
        stage = STAGE.get()
        stage.proxy, stage.is_at_proxy = req.proxy.authority, True
        return await super()._create_proxy_connection(req, *words)

    async def _wrap_create_connection(self, *words: Any, **more: Any) -> Any:
        stage = STAGE.get()
        factory: Callable[[], Any] = words[0]
        what = _what(stage, more["req"].host)
        stage.text = f"{what} did not answer the connection in time"

        def connected() -> Any:
            if more.get("ssl"):
                stage.text = f"{what} did not finish the secure handshake in time"
            elif stage.proxy:
                stage.text = f"{what} did not open the way to {stage.host} in time"
            return factory()

        made = await super()._wrap_create_connection(connected, *words[1:], **more)
        if stage.proxy:
            stage.text = f"{what} did not open the way to {stage.host} in time"
        return made

    async def _start_tls_connection(self, *words: Any, **more: Any) -> Any:
        stage = STAGE.get()
        stage.is_at_proxy = False
        stage.text = f"{stage.host} did not finish the secure handshake in time"
        return await super()._start_tls_connection(*words, **more)


def _nobody(_request: aiohttp.ClientRequest) -> None:
    """Tell nobody."""


def _what(stage: Stage, host: str) -> str:
    return f"the proxy {stage.proxy}" if stage.is_at_proxy else host


def hear(closed: asyncio.Future[None]) -> None:
    """Take note of an exception, so that none is called unheard."""
    if not closed.cancelled():
        closed.exception()
