"""The client's own HTTP: whole answers over one connection, and words for everything else."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tui_dl.session import exchange as exchange_module
from tui_dl.session.exchange import BadAnswerError, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n"


def served(*answers: bytes) -> tuple[Callable[[], socket.socket], list[int]]:
    """Return who connects to a server that answers each request so and then ends, and how often it did."""
    connections: list[int] = []

    def serve(theirs: socket.socket) -> None:
        with theirs:
            for answer in answers:
                if not theirs.recv(65536):
                    return
                for octet in answer:
                    theirs.sendall(bytes([octet]))

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()
        connections.append(1)
        threading.Thread(target=serve, args=(theirs,), daemon=True).start()
        return ours

    return connect, connections


def test_answers_come_whole_over_one_connection() -> None:
    """Byte by byte, one after the other."""
    connect, connections = served(OK + b"ab", OK + b"cd")
    asking = Exchange(connect, 10.0)
    assert [asking.post("/x", b"{}"), asking.post("/x", b"{}")] == [b"ab", b"cd"]
    assert len(connections) == 1
    asking.close()


def test_a_connection_that_ends_or_was_idle_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its head says, and before the other end may have closed it unseen."""
    connect, connections = served(OK.replace(b"X: y", b"Connection: close") + b"ab")
    asking = Exchange(connect, 10.0)
    assert [asking.post("/x", b""), asking.post("/x", b"")] == [b"ab", b"ab"]
    assert len(connections) == 2
    connect, connections = served(OK + b"ab", OK + b"cd")
    asking = Exchange(connect, 10.0)
    asking.post("/x", b"")
    monkeypatch.setattr(exchange_module, "IDLE_S", -1.0)
    assert asking.post("/x", b"") == b"ab"
    assert len(connections) == 2
    asking.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ConnectionResetError),
        (OK + b"a", ConnectionResetError),
        (b"HTTP/1.0 200 OK\r\n\r\n", BadAnswerError),
        (b"HTTP/1.1 200 OK\r\n\r\n", BadAnswerError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", BadAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", BadAnswerError),
        (b"x" * (64 * 1024 + 1), BadAnswerError),
    ],
)
def test_anything_else_is_no_answer(answer: bytes, error: type[Exception]) -> None:
    """A cut one, one of another protocol, one without a length, a head without an end."""
    connect, _ = served(answer)
    with pytest.raises(error):
        Exchange(connect, 10.0).post("/x", b"")
