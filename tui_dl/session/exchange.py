"""HTTP as a client of one method speaks it: a request, its answer, and the next on the same connection.

`http.client` would do, but it imports half of the `email` package and TLS: a third of all that `tui-dl add` loads.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

IDLE_S: Final = 20.0
"""A connection that was idle for longer is made anew: the other end may have closed it just now."""
_MOST_HEAD_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 256 * 1024


class BadAnswerError(ValueError):
    """What came is no answer of ours."""


class Exchange:
    """Asks over one connection after the other, from one thread."""

    def __init__(self, connect: Callable[[], socket.socket], within_s: float) -> None:
        """`connect` raises `OSError` where nobody is there; each wait for the other end takes `within_s` at most."""
        self._connect = connect
        self._within_s = within_s
        self._connection: socket.socket | None = None
        self._used_at = 0.0

    def close(self) -> None:
        """End the connection; the next request makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def post(self, path: str, body: bytes) -> bytes:
        """Send a body of JSON and return that of the answer, whatever its status.

        Raises `OSError` and `BadAnswerError`.
        """
        if self._connection is not None and time.monotonic() - self._used_at > IDLE_S:
            self.close()
        if self._connection is None:
            self._connection = self._connect()
            self._connection.settimeout(self._within_s)
        lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json")
        head = "\r\n".join((*lines, f"Content-Length: {len(body)}", "", ""))
        try:
            self._connection.sendall(head.encode() + body)
            answer, is_last = self._answer(self._connection)
        except BaseException:
            # What comes on it from now on would be taken for the answer to the next request.
            self.close()
            raise
        self._used_at = time.monotonic()
        if is_last:
            self.close()
        return answer

    def _answer(self, connection: socket.socket) -> tuple[bytes, bool]:
        """Return the body of an answer, and whether the connection ends with it."""
        read = bytearray()
        while (end := read.find(b"\r\n\r\n")) < 0:
            if len(read) > _MOST_HEAD_BYTES:
                raise BadAnswerError("its head does not end")
            read += self._some(connection)
        status, *lines = bytes(read[:end]).decode("latin-1").split("\r\n")
        if not status.startswith("HTTP/1.1 "):
            raise BadAnswerError("it is no HTTP/1.1")
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
        length = headers.get("content-length", "")
        if not length.isdigit() or "transfer-encoding" in headers:
            raise BadAnswerError("it names no length")
        del read[: end + 4]
        while len(read) < int(length):
            read += self._some(connection)
        return bytes(read[: int(length)]), headers.get("connection", "").lower() == "close"

    @staticmethod
    def _some(connection: socket.socket) -> bytes:
        octets = connection.recv(_READ_BYTES)
        if not octets:
            raise ConnectionResetError("it ended in the middle")
        return octets
