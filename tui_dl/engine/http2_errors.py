"""From curl's error codes to `core.errors`: mapped once, here, at the border."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import HttpError, NetworkError, Reason, TuiDlError
from tui_dl.engine.error_map import (
    MAX_SHOWN_CHARS,
    NO_DESCRIPTORS,
    NO_ROUTE,
    map_error,
    proxy_wants_credentials,
    too_many_files,
)

if TYPE_CHECKING:
    from tui_dl.core.proxies import ProxyAddress

# https://curl.se/libcurl/c/libcurl-errors.html
COULD_NOT_RESOLVE: Final = 6
_BAD_URL: Final = frozenset({1, 3, 67})
_COULD_NOT_RESOLVE_PROXY: Final = 5
_COULD_NOT_CONNECT: Final = 7
_NO_HTTP: Final = frozenset({8, 100})
BROKEN_HTTP2: Final = 16
_PARTIAL: Final = 18
_OUT_OF_MEMORY: Final = 27
_TIMED_OUT: Final = 28
_TLS: Final = frozenset({35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91})
_NOT_TRUSTED: Final = 60
_PROXY: Final = 97
_RESETS: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
_WORDS: Final = re.compile(r"curl: \(\d+\) (.*?)\.? See https://curl\.se", re.DOTALL)


def map_curl(
    error: BaseException, host: str, proxy: ProxyAddress | None, facts: tuple[int, int], *, is_in_body: bool
) -> TuiDlError:
    """Return our error for what curl raised; `facts`: the system's error number and the status of `CONNECT`."""
    code = int(getattr(error, "code", 0))
    if not code:
        return map_error(error, host)
    number, connect_status = facts
    if number in NO_DESCRIPTORS or code == _OUT_OF_MEMORY:
        return too_many_files()
    if proxy is not None and not is_in_body and (found := _map_proxy(code, connect_status, host, proxy)):
        return found
    if code in _TLS and number not in _RESETS:
        if code == _NOT_TRUSTED:
            return NetworkError(Reason.TLS_FAILED, f"the certificate of {host} is not trusted: {_words(error)}")
        return NetworkError(Reason.TLS_FAILED, f"the secure connection to {host} failed: {_words(error)}")
    if code in _BAD_URL:
        return HttpError(Reason.BAD_URL, f"the address is not usable: {_words(error)}")
    if code in _NO_HTTP:
        return HttpError(Reason.PROTOCOL_ERROR, f"{host} does not answer in HTTP: {_words(error)}")
    return _passing(code, number, host, is_in_body=is_in_body)


def _passing(code: int, number: int, host: str, *, is_in_body: bool) -> NetworkError:
    """Return the error of what may go better another time."""
    if code == COULD_NOT_RESOLVE:
        return _network(Reason.DNS_FAILED, f"the host name {host} was not found")
    if code == _TIMED_OUT or (code == _COULD_NOT_CONNECT and number == errno.ETIMEDOUT):
        return _network(Reason.CONNECT_TIMEOUT, f"{host} did not answer the connection in time")
    if code == _COULD_NOT_CONNECT:
        if number in NO_ROUTE:
            return _network(Reason.NO_NETWORK, f"there is no route to {host}")
        return _network(Reason.CONNECT_REFUSED, f"{host} refused the connection")
    if code == _PARTIAL or is_in_body:
        return _network(Reason.TRUNCATED, "the answer ended early")
    return _network(Reason.CONNECTION_RESET, f"the connection to {host} was cut")


def _map_proxy(code: int, connect_status: int, host: str, proxy: ProxyAddress) -> TuiDlError | None:
    if connect_status == 407:
        return proxy_wants_credentials(proxy)
    if connect_status >= 300:
        text = f"the proxy {proxy.authority} does not lead to {host}: {connect_status}"
        return NetworkError(Reason.PROXY_FAILED, text, is_retryable=connect_status >= 500)
    if code == _PROXY:
        return _network(Reason.PROXY_FAILED, f"the proxy {proxy.authority} refused")
    if code in (_COULD_NOT_RESOLVE_PROXY, _COULD_NOT_CONNECT):
        return _network(Reason.PROXY_FAILED, f"the proxy {proxy.authority} cannot be reached")
    return None


def _network(reason: Reason, text: str) -> NetworkError:
    return NetworkError(reason, text, is_retryable=True)


def _words(error: object) -> str:
    found = _WORDS.search(str(error))
    return display_text(found[1] if found else str(error), MAX_SHOWN_CHARS)
