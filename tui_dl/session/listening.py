"""The two sockets of a session: bound, found again when somebody cleared their folder, taken away at the end."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.session.paths import make_socket_paths

if TYPE_CHECKING:
    from pathlib import Path

    from tui_dl.session.lock import SessionLock

BACKLOG: Final = 128
"""Clients that wait while the loop does something else."""


class SessionSockets:
    """Owned by the process that holds the lock, so that nobody else's are in their place."""

    def __init__(self, lock: SessionLock, lock_file: Path, runtime: Path, version: str) -> None:
        """Bind them; raises `FileSystemError`. Nobody finds them before `announce`."""
        self._lock, self._lock_file, self._runtime, self._version = lock, lock_file, runtime, version
        self._bind()

    def _bind(self) -> None:
        self._paths = make_socket_paths(self._lock_file, self._runtime)
        self.attach = _listener(self._paths.attach)
        """Terminals come here; listening, non-blocking."""
        self.rpc = _listener(self._paths.rpc)
        """Programs come here; the same."""
        self._inodes = [_inode(path) for path in (self._paths.attach, self._paths.rpc)]

    def announce(self) -> None:
        """Write into the lock file where they are."""
        self._lock.write(self._paths, self._version)

    def are_there(self) -> bool:
        """Whether they can still be found; asks the file system, so not on the loop."""
        return self._inodes == [_inode(path) for path in (self._paths.attach, self._paths.rpc)]

    def renew(self) -> None:
        """Bind new ones, where there is room for them now, and announce them; the old ones are the caller's to close.

        systemd removes the runtime folder with the last login, and the session outlives that. Raises `FileSystemError`.
        """
        self._bind()
        self.announce()

    def close(self) -> None:
        """Take them away."""
        for path, inode in zip((self._paths.attach, self._paths.rpc), self._inodes, strict=True):
            with suppress(OSError):
                if _inode(path) == inode:
                    path.unlink()
        self.attach.close()
        self.rpc.close()


def _listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)  # what a dead session left
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise FileSystemError(Reason.PERMISSION_DENIED, f"the socket {path} cannot be made: {error.strerror}") from None
    listener.setblocking(False)
    return listener


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.lstat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
