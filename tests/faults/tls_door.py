"""A TLS server on blocking sockets, which sends OpenSSL's alerts: asyncio's drops those of a failed handshake."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_PATIENCE_S = 10.0


@contextmanager
def tls_door(context: ssl.SSLContext) -> Iterator[str]:
    """Yield the origin of a server that answers each connection's first request with two bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context), daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(_PATIENCE_S)


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        plain.settimeout(_PATIENCE_S)
        with plain, suppress(OSError):
            _answer(plain, context)


def _answer(plain: socket.socket, context: ssl.SSLContext) -> None:
    with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as secure:
        try:
            secure.do_handshake()
        except ssl.SSLError:
            # What is unread when a socket is closed turns its end into a reset, which overtakes the alert.
            socket.socket.shutdown(secure, socket.SHUT_WR)
            while os.read(secure.fileno(), 65_536):
                continue
            return
        if secure.recv(65_536):
            secure.sendall(_ANSWER)
