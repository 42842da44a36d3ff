"""Connections through a SOCKS proxy, whose faults become ours here; imported only where one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError, ProxyType

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import NetworkError, Reason
from tui_dl.engine.watching import WatchingConnector

if TYPE_CHECKING:
    from tui_dl.core.proxies import ProxyAddress

_TYPES: Final = {"socks4": ProxyType.SOCKS4, "socks5": ProxyType.SOCKS5}
_PASSING: Final = frozenset({1, 3, 4, 5, 6, 91})
"""Replies that tell of the way beyond the proxy, which may be open later (RFC 1928 §6; 91 is SOCKS4's only one)."""
_SHOWN_CELLS: Final = 120


class SocksConnector(WatchingConnector, ProxyConnector):
    """Connects by way of one proxy, which looks the names up."""

    def __init__(self, proxy: ProxyAddress, **options: Any) -> None:
        super().__init__(
            host=proxy.host,
            port=proxy.port,
            proxy_type=_TYPES[proxy.scheme],
            username=proxy.user or None,
            password=proxy.password or None,
            rdns=True,
            **options,
        )
        self._authority = proxy.authority

    async def _wrap_create_connection(self, *args: Any, **words: Any) -> Any:
        try:
            return await super()._wrap_create_connection(*args, **words)
        except ProxyTimeoutError:
            text = f"the proxy {self._authority} did not answer in time"
            raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=True) from None
        except ProxyConnectionError:
            text = f"the proxy {self._authority} cannot be reached"
            raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=True) from None
        except ProxyError as error:
            text = f"the proxy {self._authority} refused: {display_text(str(error), _SHOWN_CELLS)}"
            is_passing = error.error_code in _PASSING
            raise NetworkError(Reason.PROXY_FAILED, text, is_retryable=is_passing) from None
