"""A server that gives each connection an exact rate, and may treat one of them badly: `python -m ...paced_server`.

nginx's `limit_rate` counts per request and lets the first second through; here the pace belongs to the connection, and
no byte leaves before its time. Threads and sendfile, so that sixteen connections at 20 MB/s cost a fifth of a core.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.http_head import answer, etag_of, not_found, read_request

SLICE_S = 0.01
"""The time that one slice is worth."""
SLACK_S = 0.05
"""A sender that woke late may catch up so much, so that the mean holds without bursts."""
SEND_TIMEOUT_S = 120.0


class Pace:
    """Says when the next slice of one connection is due: never before its bytes were earned."""

    def __init__(self, rate_bps: float) -> None:
        self.rate_bps = rate_bps
        self._earned_at = 0.0

    @property
    def slice_bytes(self) -> int:
        """Bytes that go at once."""
        return max(1, int(self.rate_bps * SLICE_S))

    def due_at(self, count: int, now_at: float) -> float:
        """Return the instant at which so many bytes may go."""
        self._earned_at = max(self._earned_at, now_at - SLACK_S) + count / self.rate_bps
        return self._earned_at

    def begin(self, now_at: float) -> None:
        """Start earning now, at the latest: time without a request earns nothing."""
        self._earned_at = max(self._earned_at, now_at)


@dataclass(frozen=True)
class Manners:
    """How connections are treated, by their number since the server was last alone."""

    rate_bps: float
    """Bytes a second for each."""
    stalled: int = 0
    """Number of the connection that falls silent; 0: none."""
    stalled_after_bytes: int = 4 << 20
    """What it gives before."""
    slow: int = 0
    """Number of the connection that is slow; 0: none."""
    slow_bps: float = 1e6
    """Its rate."""


class PacedServer:
    """Accepts connections and serves each on a thread."""

    def __init__(self, root: Path, manners: Manners) -> None:
        self.root = root
        self.manners = manners
        self._lock = threading.Lock()
        self.open_connections = 0
        self._number = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self, connection: socket.socket) -> None:
        with self._lock:
            self._number = self._number + 1 if self.open_connections else 1
            self.open_connections += 1
            number = self._number
        connection.settimeout(SEND_TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        is_slow = number == self.manners.slow
        pace = Pace(self.manners.slow_bps if is_slow else self.manners.rate_bps)
        allowed_bytes = self.manners.stalled_after_bytes if number == self.manners.stalled else sys.maxsize
        try:
            with connection:
                self._converse(connection, pace, allowed_bytes)
        except OSError:
            return  # the client is gone, as it may be at any time
        finally:
            with self._lock:
                self.open_connections -= 1

    def _converse(self, connection: socket.socket, pace: Pace, allowed_bytes: int) -> None:
        gathered = b""
        while True:
            while b"\r\n\r\n" not in gathered:
                chunk = connection.recv(65536)
                if not chunk:
                    return
                gathered += chunk
            head, _, gathered = gathered.partition(b"\r\n\r\n")
            request = read_request(head + b"\r\n\r\n")
            path = self.root / request.path
            if not path.is_file():
                connection.sendall(not_found())
                continue
            with path.open("rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                answer_head, start, end = answer(request, status.st_size, etag_of(status), status.st_mtime)
                connection.sendall(answer_head)
                pace.begin(time.monotonic())
                last = min(end, start + allowed_bytes)
                allowed_bytes -= last - start
                _send(connection, file.fileno(), start, last, pace)
            if last < end:
                _stay_silent(connection)
                return
            if request.is_last:
                return


def _send(connection: socket.socket, file: int, start: int, end: int, pace: Pace) -> None:
    while start < end:
        count = min(end - start, pace.slice_bytes)
        now_at = time.monotonic()
        wait_s = pace.due_at(count, now_at) - now_at
        if wait_s > 0:
            time.sleep(wait_s)
        while count:
            try:
                sent = os.sendfile(connection.fileno(), file, start, count)
            except BlockingIOError:
                _await_room(connection)
                continue
            start += sent
            count -= sent


def _await_room(connection: socket.socket) -> None:
    """Wait until the client reads: a socket with a time-out is non-blocking underneath."""
    if not select.select([], [connection], [], SEND_TIMEOUT_S)[1]:
        raise TimeoutError("the client reads no more")


def _stay_silent(connection: socket.socket) -> None:
    """Send nothing until the client leaves."""
    connection.settimeout(None)
    while connection.recv(65536):
        continue


def main() -> None:
    """Serve until standard input ends; the first line of output is the origin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=20e6, help="bytes a second for each connection")
    parser.add_argument("--stalled", type=int, default=0, help="number of the connection that falls silent")
    parser.add_argument("--slow", type=int, default=0, help="number of the connection that is slow")
    parser.add_argument("--slow-rate", type=float, default=1e6)
    asked = parser.parse_args()
    manners = Manners(asked.rate, stalled=asked.stalled, slow=asked.slow, slow_bps=asked.slow_rate)
    server = PacedServer(asked.root, manners)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()
    server.close()


if __name__ == "__main__":
    main()
