"""How much of a body the system may hold for us before we take it, which a kill at that instant would lose.

Linux lets the queue of a connection that is read slowly grow to what `tcp_rmem` allows: 6 MiB as a rule, tens where
somebody tuned it. A server far away needs that room, or its connection waits for round trips; one that is near does
not, and it is there that a stalled disk lets the queues of all connections fill within moments.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

MIB: Final = 1024 * 1024
MOST_QUEUED_BYTES: Final = 4 * MIB
"""Bound on the queue of a connection to a server that is near."""
NEAR_RTT_S: Final = 0.001
"""Longest round trip to one: even the 416 KiB that a system gives at least carry 400 MB/s then."""
_WEB_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
_RTT_AT: Final = 148
"""Where `tcp_info` has the shortest round trip seen, a 32-bit number of microseconds (linux/tcp.h, since 4.6)."""
_INFO_BYTES: Final = _RTT_AT + 4
_NONE_SEEN_US: Final = 0xFFFFFFFF


def round_trip_s(tcp_info: bytes) -> float | None:
    """Return the shortest round trip that the system saw, None where it tells none."""
    if len(tcp_info) < _INFO_BYTES:
        return None
    (found_us,) = struct.unpack_from("=I", tcp_info, _RTT_AT)
    return None if found_us == _NONE_SEEN_US else found_us / 1e6


def bound_queue(transport: asyncio.Transport) -> bool:
    """Bound what the system queues for a connection if its server is near; return whether that was done.

    Only Linux tells the round trip in this form; elsewhere, and where a transport has no socket, nothing is done.
    """
    peer = transport.get_extra_info("socket")
    if sys.platform != "linux" or peer is None or peer.family not in _WEB_FAMILIES:
        return False
    try:
        rtt_s = round_trip_s(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES))
        if rtt_s is None or rtt_s > NEAR_RTT_S:
            return False
        # The system doubles what it is told, for its own books, and never gives more than `rmem_max` twice.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_QUEUED_BYTES // 2)
    except OSError:
        return False
    return True
