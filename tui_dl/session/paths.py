"""Where a session can be reached: two sockets in a folder of its person alone."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui_dl.core.errors import FileSystemError, Reason

MOST_PATH_BYTES: Final = 107
"""Longest path of a Unix socket on Linux, without its closing zero; macOS has 103."""
_MOST_ANYWHERE: Final = min(MOST_PATH_BYTES, 103)
_HASH_DIGITS: Final = 12
_SHARED: Final = Path("/tmp")  # noqa: S108  # where no runtime folder can be had; what is ours there is checked
_OPEN_TO_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class SocketPaths:
    """Where the two sockets of a session are."""

    attach: Path
    """Terminals are handed over here."""
    rpc: Path
    """JSON-RPC over HTTP is spoken here."""


def lock_file_in(data: Path) -> Path:
    """Return the file that a session of this data folder holds locked, and that says where it is."""
    return data / "session.lock"


def make_socket_paths(lock_file: Path, runtime: Path) -> SocketPaths:
    """Return where a session puts its sockets, the folder made and checked. Raises `FileSystemError`.

    That is the runtime folder; where that is missing, foreign or too long a path, one under `/tmp`.
    """
    import hashlib  # noqa: PLC0415  # a client makes none and must be quick
    import tempfile  # noqa: PLC0415  # as above

    name = hashlib.sha256(os.fsencode(lock_file)).hexdigest()[:_HASH_DIGITS]
    for folder in (runtime, _SHARED / f"tui-dl-{os.geteuid()}"):
        paths = _in_folder(folder, name)
        if len(os.fsencode(paths.attach)) <= _MOST_ANYWHERE and _is_made(folder):
            return paths

    try:
        # Somebody else has the name that is ours by right; the lock file says where we are.
        return _in_folder(Path(tempfile.mkdtemp(prefix=f"tui-dl-{os.geteuid()}-", dir=_SHARED)), name)
    except OSError as error:
        raise FileSystemError(
            Reason.PERMISSION_DENIED, f"no folder for the session's sockets could be made: {error.strerror}"
        ) from None


def _in_folder(folder: Path, name: str) -> SocketPaths:
    return SocketPaths(folder / f"{name}-attach.sock", folder / f"{name}-rpc.sock")


def _is_made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return is_private(folder)


def is_private(folder: Path) -> bool:
    """Whether it is a folder, no link to one, that its owner, who is us, alone can enter."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    is_ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
    return is_ours and not facts.st_mode & _OPEN_TO_OTHERS
