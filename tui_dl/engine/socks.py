"""Connections through a SOCKS proxy, whose faults become ours here; imported only where one is used."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError, ProxyType

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.engine.name_threads import SystemNames
from tui_dl.engine.resolving import OwnNames
from tui_dl.engine.watching import STAGE, WatchingConnector

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from tui_dl.core.proxies import ProxyAddress

_TYPES: Final = {"socks4": ProxyType.SOCKS4, "socks4a": ProxyType.SOCKS4, "socks5": ProxyType.SOCKS5}
_PASSING: Final = frozenset({1, 3, 4, 5, 6, 91})
"""Replies that tell of the way beyond the proxy, which may be open later (RFC 1928 §6; 91 is SOCKS4's only one)."""
_SHOWN_CELLS: Final = 120


class SocksConnector(WatchingConnector, ProxyConnector):
    """Connects by way of one proxy, which looks the names up, unless it takes addresses alone (SOCKS4)."""

    def __init__(self, proxy: ProxyAddress, *, resolver: AbstractResolver | None = None, **options: Any) -> None:
        super().__init__(
            host=proxy.host,
            port=proxy.port,
            proxy_type=_TYPES[proxy.scheme],
            username=proxy.user or None,
            password=proxy.password or None,
            rdns=True,
            **options,
        )
        if proxy.scheme == "socks4":
            # The library's resolver leaves the names as they are.
            self._resolver = resolver or SystemNames()
            self._family = socket.AF_INET
        elif isinstance(resolver, OwnNames):
            self._resolver = OwnNames(resolver.names, self._resolver)
        self._authority = proxy.authority
        self._below: WeakKeyDictionary[object, object] = WeakKeyDictionary()
        """Keeps what a secure connection runs over: it would close itself once nobody holds it."""

    async def _wrap_create_connection(self, *words: Any, ssl: Any = None, **more: Any) -> Any:
        stage = STAGE.get()
        stage.proxy, stage.is_at_proxy = self._authority, True
        try:
            made = await super()._wrap_create_connection(*words, **more)
        except ProxyTimeoutError:
            raise stage.error() from None
        except ProxyConnectionError:
            text = f"the proxy {self._authority} cannot be reached"
            raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=True) from None
        except ProxyError as error:
            raise _refusal(error, self._authority, stage.host) from None
        if ssl is None:
            return made
        # The library would ask the certificate for the address, where it was us that looked the name up.
        transport, plain = made
        secure = await self._start_tls_connection(transport, req=more["req"], timeout=more["timeout"])
        self._below[secure[1]] = plain
        return secure


def _refusal(error: ProxyError, authority: str, host: str) -> NetworkError:
    """Return the error of a proxy that answered and did not open the way."""
    is_passing = error.error_code in _PASSING
    if error.error_code is not None:
        said = display_text(str(error), _SHOWN_CELLS).lower()
        text = f"the proxy {authority} does not lead to {host}: {said}"
    else:
        text = f"the proxy {authority} refused: {display_text(str(error), _SHOWN_CELLS)}"
    return NetworkError(Reason.PROXY_FAILED, text, is_retryable=is_passing)
