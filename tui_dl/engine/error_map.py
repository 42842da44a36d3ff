"""From aiohttp's and the sockets' exceptions to `core.errors`: mapped once, here, at the border."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Final

import aiohttp

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import FileSystemError, HttpError, NameNotFoundError, NetworkError, Reason, TuiDlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.proxies import ProxyAddress

NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
NO_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
MAX_SHOWN_CHARS: Final = 200
OTHER_SERVERS: Final = "--dns-servers ADDRESS asks other name servers"
"""The way out where names are slow to be found, or those asked fail."""
_ABSENT: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_UNTOLD: Final = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})
_ARES_ABSENT: Final = frozenset({1, 4})
"""c-ares: the name has no such address, or is not there."""
_ARES_UNTOLD: Final = frozenset({3, 6, 11, 12})
"""c-ares: the name servers failed, refuse, or cannot be reached, or gave no answer in time."""
_EXPIRED: Final = {9: "is not valid yet", 10: "has expired"}
"""Verdicts of OpenSSL on a certificate (X509_V_ERR_*)."""
_OTHER_NAME: Final = frozenset({62, 63, 64})
_UNKNOWN_AUTHORITY: Final = frozenset({18, 19, 20, 21})
_WANTS_CERTIFICATE: Final = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"})
_REFUSES_CERTIFICATE: Final = frozenset(
    {
        *("TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        *("SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "TLSV1_ALERT_ACCESS_DENIED"),
    }
)
"""Alerts by which a server ends a connection because of our certificate."""

FOREIGN: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What a request may raise that is not ours."""


def map_error(error: BaseException, host: str) -> TuiDlError:
    """Return our error for what a request to `host` raised."""
    if isinstance(error, TuiDlError):
        return error
    if isinstance(error, aiohttp.ClientConnectorError):
        return _map_connect(error, host)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return _network(Reason.CONNECT_TIMEOUT, f"{host} did not answer the connection in time")
    if isinstance(error, TimeoutError):
        return _network(Reason.STALLED, f"no byte came from {host} for too long")
    if isinstance(error, aiohttp.ClientPayloadError):
        return _network(Reason.TRUNCATED, "the answer ended early")
    if isinstance(error, aiohttp.ClientResponseError):
        return HttpError(Reason.PROTOCOL_ERROR, f"{host} does not answer in HTTP: {_words(error.message)}")
    if isinstance(error, ssl.SSLError) or _alert(error) in _WANTS_CERTIFICATE | _REFUSES_CERTIFICATE:
        return NetworkError(Reason.TLS_FAILED, _tls_text(error, host))
    if isinstance(error, OSError) and error.errno in NO_DESCRIPTORS:
        return too_many_files()
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return HttpError(Reason.BAD_URL, f"the address is not usable: {_words(error)}")
    return _network(Reason.CONNECTION_RESET, f"the connection to {host} was cut")


def map_proxied(error: BaseException, host: str, proxy: ProxyAddress | None) -> TuiDlError:
    """Return our error for what a request, maybe through a proxy, raised; the proxy's own faults name it."""
    if proxy is None:
        return map_error(error, host)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        text = f"the proxy {proxy.authority} does not lead to {host}: {error.status} {_words(error.message)}"
        return NetworkError(Reason.PROXY_FAILED, text, is_retryable=error.status >= 500)
    if isinstance(error, aiohttp.ClientProxyConnectionError) and error.os_error.errno not in NO_DESCRIPTORS:
        return _network(Reason.PROXY_FAILED, f"the proxy {proxy.authority} cannot be reached")
    if isinstance(error, aiohttp.ClientConnectorDNSError) and error.host == proxy.host:
        mapped = map_dns(error.os_error, proxy.host)
        return _network(Reason.PROXY_FAILED, f"the proxy {proxy.authority} cannot be reached: {mapped.message}")
    if isinstance(error, aiohttp.ClientConnectorError) and (error.host, error.port) == (proxy.host, proxy.port):
        mapped = map_error(error, f"the proxy {proxy.authority}")
        if isinstance(mapped, NetworkError):
            return NetworkError(Reason.PROXY_FAILED, mapped.message, is_retryable=mapped.is_retryable)
        return mapped
    return map_error(error, host)


def proxy_wants_credentials(proxy: ProxyAddress, schemes: Sequence[str] = ()) -> NetworkError:
    """Return the error of a proxy that answers 407; `schemes` are those it asks for where we speak none of them."""
    wants = "does not take these credentials" if proxy.user else "wants credentials"
    if schemes:
        wants = f"wants {_words(' or '.join(schemes))}, which tui-dl does not speak"
    return NetworkError(Reason.PROXY_FAILED, f"the proxy {proxy.authority} {wants} (407)")


def _map_connect(error: aiohttp.ClientConnectorError, host: str) -> TuiDlError:
    cause = error.os_error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NetworkError(Reason.TLS_FAILED, _certificate_text(error.certificate_error, host))
    if isinstance(error, aiohttp.ClientSSLError):
        return NetworkError(Reason.TLS_FAILED, _tls_text(cause, host))
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return map_dns(cause, host)
    if cause.errno in NO_DESCRIPTORS:
        return too_many_files()
    if cause.errno in NO_ROUTE:
        return _network(Reason.NO_NETWORK, f"there is no route to {host}")
    if cause.errno == errno.ETIMEDOUT:
        return _network(Reason.CONNECT_TIMEOUT, f"{host} did not answer the connection in time")
    if isinstance(cause, ConnectionResetError | ConnectionAbortedError):
        return _network(Reason.CONNECTION_RESET, f"{host} cut the connection before it stood")
    return _network(Reason.CONNECT_REFUSED, f"{host} refused the connection")


def _alert(error: BaseException) -> str:
    """Return OpenSSL's word for what ended a connection, after the handshake too, where a server speaks TLS 1.3."""
    source = error if isinstance(error, ssl.SSLError) else error.__cause__
    return getattr(source, "reason", None) or "" if isinstance(source, ssl.SSLError) else ""


def _tls_text(error: BaseException, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_text(error, host)
    alert = _alert(error)
    if alert in _WANTS_CERTIFICATE:
        return f"{host} wants a client certificate, or speaks another TLS; --certificate FILE gives one"
    if alert in _REFUSES_CERTIFICATE:
        said = _words(alert.lower().replace("_", " "))
        return f"{host} does not take our client certificate: {said}; --certificate FILE gives another"
    return f"the secure connection to {host} failed: {_words(error)}"


def _certificate_text(error: Exception, host: str) -> str:
    """Return what is wrong with a certificate, and the way out where there is a safe one."""
    code = getattr(error, "verify_code", 0)
    if code in _EXPIRED:
        return f"the certificate of {host} {_EXPIRED[code]}; is the clock of this machine right?"
    if code in _OTHER_NAME:
        return f"the certificate of {host} is for another name: {_words(getattr(error, 'verify_message', error))}"
    if code in _UNKNOWN_AUTHORITY:
        return f"the certificate of {host} is of no authority we trust; --ca-certificate FILE adds one"
    return f"the certificate of {host} is not trusted: {_words(error)}"


def map_dns(cause: OSError, host: str) -> TuiDlError:
    """Return our error for a name that was not looked up."""
    if cause.errno in _UNTOLD or _ares_code(cause) in _ARES_UNTOLD:
        return _network(Reason.NO_NETWORK, f"the name of {host} cannot be looked up now; {OTHER_SERVERS}")
    text = f"the host name {host} was not found"
    if is_absent(cause):
        return NameNotFoundError(Reason.DNS_FAILED, text, is_retryable=True)
    return _network(Reason.DNS_FAILED, text)


def is_absent(cause: OSError) -> bool:
    """Whether a name has no address, as opposed to nobody there who could tell."""
    if isinstance(cause, socket.gaierror):
        return cause.errno in _ABSENT
    return _ares_code(cause) in _ARES_ABSENT


def _ares_code(cause: OSError) -> object:
    """Return c-ares' number where aiohttp's resolver wrapped its error, else 0."""
    words: tuple[object, ...] = getattr(cause.__cause__, "args", ())
    return words[0] if words and isinstance(words[0], int) else 0


def _network(reason: Reason, text: str) -> NetworkError:
    return NetworkError(reason, text, is_retryable=True)


def too_many_files() -> FileSystemError:
    """Return the error of descriptors that ran out; it waits and goes on by itself."""
    return FileSystemError(Reason.TOO_MANY_FILES, "too many open files or connections", is_retryable=True)


def _words(error: object) -> str:
    return display_text(str(error), MAX_SHOWN_CHARS)
