"""The paced server gives what it says: never sooner, and worse to the connections that are named."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.paced_server import SLACK_S, Manners, Pace, PacedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MB = 1_000_000


@pytest.fixture
def body(tmp_path: Path) -> bytes:
    """Return the bytes of the one file that is served."""
    content = bytes(range(256)) * 8000
    (tmp_path / "file.bin").write_bytes(content)
    return content


@pytest.fixture
def server(tmp_path: Path, body: bytes) -> Iterator[PacedServer]:
    """Yield a server of 20 MB/s whose second connection stalls after 64 KiB and whose third is slow."""
    manners = Manners(20 * MB, stalled=2, stalled_after_bytes=65536, slow=3, slow_bps=1 * MB)
    paced = PacedServer(tmp_path, manners)
    thread = threading.Thread(target=paced.serve)
    thread.start()
    yield paced
    paced.close()
    thread.join()


def ask(server: PacedServer, byte_range: str) -> socket.socket:
    """Connect and ask for a range."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    connection.sendall(f"GET /file.bin HTTP/1.1\r\nHost: here\r\nRange: bytes={byte_range}\r\n\r\n".encode())
    return connection


def read(connection: socket.socket, count: int) -> bytes:
    """Read a head and so many bytes of its body."""
    gathered = b""
    while b"\r\n\r\n" not in gathered or len(gathered.partition(b"\r\n\r\n")[2]) < count:
        gathered += connection.recv(65536)
    return gathered.partition(b"\r\n\r\n")[2]


def test_no_byte_is_due_before_its_time() -> None:
    """However a second is cut into slices, its last byte is due at its end."""
    pace = Pace(20 * MB)
    pace.begin(100.0)
    due_at = [pace.due_at(200_000, 100.0) for _ in range(100)]
    assert due_at[0] == pytest.approx(100.01)
    assert due_at[-1] == pytest.approx(101.0)


def test_a_late_sender_catches_up_no_more_than_the_slack() -> None:
    """After a second of delay the next slice is at most the slack early."""
    pace = Pace(20 * MB)
    pace.begin(0.0)
    pace.due_at(200_000, 0.0)
    assert pace.due_at(200_000, 1.0) == pytest.approx(1.0 - SLACK_S + 0.01)


def test_time_without_a_request_earns_nothing() -> None:
    """A new request on an idle connection starts from zero."""
    pace = Pace(20 * MB)
    pace.begin(0.0)
    pace.due_at(200_000, 0.0)
    pace.begin(5.0)
    assert pace.due_at(200_000, 5.0) == pytest.approx(5.01)


def test_a_connection_gets_the_right_bytes_at_its_rate(server: PacedServer, body: bytes) -> None:
    """Two requests on one connection take as long as their bytes are worth, no first second let through."""
    started_at = time.perf_counter()
    with ask(server, "0-1999999") as connection:
        first = read(connection, 2 * MB)
        connection.sendall(b"GET /file.bin HTTP/1.1\r\nHost: here\r\nRange: bytes=1000000-1999999\r\n\r\n")
        second = read(connection, 1 * MB)
    taken_s = time.perf_counter() - started_at
    assert (first, second) == (body[: 2 * MB], body[1 * MB : 2 * MB])
    assert taken_s > 3 / 20 * 0.99


def test_the_named_connections_are_stalled_and_slow(server: PacedServer, body: bytes) -> None:
    """The first is served, the second falls silent after its bytes, the third waits for its rate."""
    with ask(server, "0-0") as first, ask(server, "0-") as second:
        assert read(first, 1) == body[:1]
        assert read(second, 65536) == body[:65536]
        second.settimeout(0.1)
        with pytest.raises(TimeoutError):
            second.recv(1)
        started_at = time.perf_counter()
        with ask(server, "0-99999") as third:
            assert read(third, 100_000) == body[:100_000]
        assert time.perf_counter() - started_at > 0.1 * 0.99


def test_numbers_start_again_when_all_have_left(server: PacedServer, body: bytes) -> None:
    """After everyone left, the next connection is the first again and is served."""
    for _ in range(3):
        with ask(server, "0-99999") as connection:
            assert read(connection, 100_000) == body[:100_000]
        while server.open_connections:
            time.sleep(0.001)
