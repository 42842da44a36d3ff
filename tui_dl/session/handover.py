"""Terminal descriptors on their way through a Unix socket, and who sits at its other end."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.session.protocol import DESCRIPTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

_READ_BYTES: Final = 65536
_CREDENTIALS: Final = struct.Struct("3i")
_XUCRED: Final = struct.Struct("IIh2x16I")
_SOL_LOCAL: Final = 0
_LOCAL_PEERCRED: Final = 1
_LOCAL_PEERPID: Final = 2


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """The process at the other end, as the kernel knows it."""

    uid: int
    """Its user."""
    pid: int
    """Its process id; 0 where the system does not say."""


def peer_of(connection: socket.socket) -> PeerFacts:
    """Return who connected; raises `OSError`."""
    if hasattr(socket, "SO_PEERCRED"):
        facts = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _gid = _CREDENTIALS.unpack(facts)
        return PeerFacts(uid, pid)
    return _peer_of_bsd(connection)


def _peer_of_bsd(connection: socket.socket) -> PeerFacts:
    uid = _XUCRED.unpack(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))[1]
    return PeerFacts(uid, connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID))


def is_own(connection: socket.socket) -> bool:
    """Whether the other end is a process of the same user, or of root."""
    try:
        return peer_of(connection).uid in (os.geteuid(), 0)
    except OSError:
        return False


def send(connection: socket.socket, octets: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send all of it, the descriptors with its first byte; raises `OSError`."""
    sent = socket.send_fds(connection, [octets], list(descriptors)) if descriptors else 0
    if left := octets[sent:]:  # whoever answers at once and goes is no failure of ours
        connection.sendall(left)


def receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Return what is there and the descriptors that came with it, which no child will inherit; raises `OSError`."""
    cloexec = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
    octets, descriptors, _flags, _address = socket.recv_fds(connection, _READ_BYTES, DESCRIPTORS, cloexec)
    for one in descriptors:
        os.set_inheritable(one, False)
    return octets, descriptors


def close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors that were handed to us."""
    for one in descriptors:
        os.close(one)
