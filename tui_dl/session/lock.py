"""The lock that makes a session the only one, and the card in it that says where it is."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.session.paths import SocketPaths

_MOST_CARD_BYTES: Final = 4096
_TRIES: Final = 10
_TRY_EVERY_S: Final = 0.02
"""Whoever only looks whether a session lives holds the lock for a moment."""


@dataclass(frozen=True, slots=True)
class Card:
    """Who holds the lock."""

    pid: int
    """Process id."""
    host: str
    """Name of the machine."""
    version: str
    """Of the program."""
    attach: str
    """Path of the attach socket."""
    rpc: str
    """Path of the RPC socket."""

    @property
    def is_here(self) -> bool:
        """Whether it was written on this machine."""
        return self.host == socket.gethostname()


class SessionLock:
    """Held as long as the session lives; the kernel lets go of it however the process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> SessionLock | None:
        """Return the lock, None where somebody holds it. Raises `FileSystemError` where it cannot be made."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise FileSystemError(
                Reason.PERMISSION_DENIED, f"the session's lock {path} cannot be made: {error.strerror}"
            ) from None
        if not _takes(descriptor):
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        return cls(path, descriptor)

    def write(self, paths: SocketPaths, version: str) -> None:
        """Say where the session is."""
        card = Card(os.getpid(), socket.gethostname(), version, str(paths.attach), str(paths.rpc))
        os.ftruncate(self._descriptor, 0)  # whoever reads nothing waits for the next card
        os.pwrite(self._descriptor, json.dumps(asdict(card)).encode(), 0)

    def release(self) -> None:
        """Let go. The file stays: to remove it would let two hold locks of one name."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def _takes(descriptor: int) -> bool:
    """Lock an open file for us alone; False where somebody holds it longer than a look takes."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_EVERY_S)
        else:
            return True
    return False


def held_by(path: Path) -> Card | bool:
    """Return the card of the session that lives, True for one that has not written it yet, False where there is none.

    Raises `FileSystemError` where the file is another person's.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise FileSystemError(
            Reason.PERMISSION_DENIED, f"the session's lock {path} cannot be read: {error.strerror}"
        ) from None
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise FileSystemError(Reason.PERMISSION_DENIED, f"the session's lock {path} is another user's")
        if not _is_held(descriptor):
            return False
        return _card(os.pread(descriptor, _MOST_CARD_BYTES, 0)) or True
    finally:
        os.close(descriptor)


def _is_held(descriptor: int) -> bool:
    # A shared lock, so that two who look at the same instant do not take each other for a session.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _card(text: bytes) -> Card | None:
    try:
        held: dict[str, Any] = json.loads(text)
        return Card(int(held["pid"]), *(str(held[name]) for name in ("host", "version", "attach", "rpc")))
    except (ValueError, KeyError, TypeError):
        return None
