"""From FTP replies and the sockets' errors to `core.errors`: mapped once, here, at the border."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import HttpError, NetworkError, Reason, TuiDlError
from tui_dl.engine.error_map import MAX_SHOWN_CHARS, NO_DESCRIPTORS, NO_ROUTE, map_dns, too_many_files

_TOO_MANY: Final = re.compile(r"too many|maximum|max\b|limit|already (?:connected|logged)", re.IGNORECASE)
_DENIED: Final = re.compile(r"denied|permission|not allowed|forbidden|privilege", re.IGNORECASE)


def map_socket(error: BaseException, host: str) -> TuiDlError:
    """Return our error for what a connection to `host` raised."""
    if isinstance(error, socket.gaierror):
        return map_dns(error, host)
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"the certificate of {host} is not trusted: {_words(error.verify_message)}"
        return NetworkError(Reason.TLS_FAILED, text)
    if isinstance(error, ssl.SSLError):
        return NetworkError(Reason.TLS_FAILED, f"the secure connection to {host} failed: {_words(error)}")
    if isinstance(error, TimeoutError):
        return _network(Reason.STALLED, f"no byte came from {host} for too long")
    if isinstance(error, OSError) and error.errno in NO_DESCRIPTORS:
        return too_many_files()
    if isinstance(error, OSError) and error.errno in NO_ROUTE:
        return _network(Reason.NO_NETWORK, f"there is no route to {host}")
    if isinstance(error, ConnectionRefusedError):
        return _network(Reason.CONNECT_REFUSED, f"{host} refused the connection")
    if isinstance(error, OSError):
        return _network(Reason.CONNECTION_RESET, f"the connection to {host} was cut")
    return HttpError(Reason.PROTOCOL_ERROR, f"{host} does not answer in FTP: {_words(error)}")


def map_reply(code: str, text: str, host: str) -> TuiDlError:
    """Return our error for a reply that ends a request; `text` is the server's own."""
    said = f"({code}: {_words(text)})"
    if code == "421" or (code == "530" and _TOO_MANY.search(text)):
        return _network(Reason.CONNECT_REFUSED, f"{host} takes no more connections {said}")
    if code in ("530", "331", "332", "532"):
        return HttpError(Reason.UNAUTHORIZED, f"{host} did not let us in {said}", status=401)
    if code in ("550", "553", "501"):
        if _DENIED.search(text):
            return HttpError(Reason.FORBIDDEN, f"{host} does not give it {said}", status=403)
        return HttpError(Reason.NOT_FOUND, f"not found on {host} {said}", status=404)
    if code in ("425", "426"):
        return _network(Reason.CONNECTION_RESET, f"{host} ended the transfer {said}")
    if code.startswith("4"):
        return HttpError(Reason.SERVER_ERROR, f"{host} failed {said}", is_retryable=True)
    return HttpError(Reason.PROTOCOL_ERROR, f"{host} answers unexpectedly {said}")


def _network(reason: Reason, text: str) -> NetworkError:
    return NetworkError(reason, text, is_retryable=True)


def _words(error: object) -> str:
    return display_text(str(error).strip(" -"), MAX_SHOWN_CHARS)
