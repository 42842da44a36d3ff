"""What the system queues of a body is bounded where the server is near, and left alone where it is far."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import closing
from typing import cast

import pytest

from tests.engine.test_direct_body import BODY, ask, on_both_loops, read_all, serving, transport, whole
from tui_dl.engine.receive_queue import MOST_QUEUED_BYTES, NEAR_RTT_S, bound_queue, round_trip_s

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the round trip in this form")


def tcp_info(rtt_us: int) -> bytes:
    """Return a `tcp_info` with this shortest round trip."""
    return bytes(148) + struct.pack("=I", rtt_us)


class Peer:
    """A socket that is told what round trip it has."""

    family = socket.AF_INET

    def __init__(self, told: bytes | OSError) -> None:
        self._told = told
        self.set: list[tuple[int, int, int]] = []

    def getsockopt(self, *_words: int) -> bytes:
        """Return what it was told."""
        if isinstance(self._told, OSError):
            raise self._told
        return self._told

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Note it."""
        self.set.append((level, option, value))


class Way(asyncio.Transport):
    """A transport over such a socket."""

    def __init__(self, peer: Peer | None) -> None:
        super().__init__({} if peer is None else {"socket": peer})


def granted_bytes(asked: int) -> int:
    """Return what the system makes of such a bound here."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, asked)
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


@needs_linux
def test_the_queue_of_a_near_server_is_bounded_for_good() -> None:
    """The system grants the bound, never more than 4 MiB with its own books, and leaves it so while bytes stream."""

    async def work() -> None:
        async with serving(whole) as server, transport() as sender:
            for _ in range(3):
                answer = await ask(sender, server)
                connection = answer._response.connection
                assert connection is not None
                assert connection.protocol is not None
                way = cast("asyncio.Transport", connection.protocol.transport)
                assert await read_all(answer) == BODY
                held_bytes = way.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
                assert held_bytes == granted_bytes(MOST_QUEUED_BYTES // 2) <= MOST_QUEUED_BYTES
                answer.close()

    on_both_loops(work)


@needs_linux
@pytest.mark.parametrize(
    ("told", "is_bounded"),
    [
        (tcp_info(0), True),
        (tcp_info(int(NEAR_RTT_S * 1e6)), True),
        (tcp_info(int(NEAR_RTT_S * 1e6) + 1), False),
        (tcp_info(150_000), False),
        (tcp_info(0xFFFFFFFF), False),
        (bytes(104), False),
        (OSError("no such option"), False),
    ],
    ids=["nothing", "near", "beyond", "far", "never seen", "an old system", "refused"],
)
def test_only_near_servers_are_bounded(told: bytes | OSError, is_bounded: bool) -> None:
    """A far server keeps the room that the system finds for it, and so does one whose round trip nobody knows."""
    peer = Peer(told)
    assert bound_queue(Way(peer)) is is_bounded
    assert peer.set == ([(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_QUEUED_BYTES // 2)] if is_bounded else [])


def test_nothing_is_done_without_a_socket() -> None:
    """A transport of another kind is left as it is."""
    assert not bound_queue(Way(None))


@needs_linux
def test_the_round_trip_is_read_where_the_system_has_it() -> None:
    """Over loopback it is far below a second, and not 0 bytes of something else."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listening,
        closing(socket.create_connection(listening.getsockname())) as one,
    ):
        found_s = round_trip_s(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256))
    assert found_s is not None
    assert 0 < found_s < 1
