"""Lock files that show which processes are alive: `instances/<id>.lock`, held by flock(2) while a journal is open."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIX: Final = ".lock"
_OPENING_WAIT_S: Final = 10.0
"""How long to wait for another process that opens, migrates or salvages the same journal."""
_OPENING_STEP_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who wrote a lock file."""

    host: str
    """Name of the machine; empty where it cannot be read."""
    pid: int
    """Process id there; 0 where it cannot be read."""

    def __str__(self) -> str:
        return f"process {self.pid or '?'} on {self.host or 'an unknown host'}"


class InstanceLock:
    """Our own lock file; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path, instance_id: str, descriptor: int) -> None:
        self.folder = folder
        self.instance_id = instance_id
        self._descriptor = descriptor

    @classmethod
    def claim(cls, folder: Path, *, host: str) -> InstanceLock:
        """Make and hold a lock file of a new random id; raises `OSError`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            instance_id = secrets.token_hex(8)
            path = folder / f"{instance_id}{_SUFFIX}"
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            try:
                if _lock(descriptor, fcntl.LOCK_EX) and os.fstat(descriptor).st_nlink:
                    os.write(descriptor, json.dumps({"host": host, "pid": os.getpid()}).encode())
                    return cls(folder, instance_id, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            # Another process took the file for a stale one between its making and its locking.
            os.close(descriptor)

    def release(self) -> None:
        """Remove the lock file and let go; a second call does nothing."""
        if self._descriptor < 0:
            return
        with suppress(OSError):
            (self.folder / f"{self.instance_id}{_SUFFIX}").unlink()
        os.close(self._descriptor)
        self._descriptor = -1


def live_others(folder: Path, own_id: str, *, foreign_to: str = "") -> dict[str, Holder]:
    """Return the instances that are alive besides us; stale lock files are removed.

    `foreign_to` is our host name on a network file system, where another machine's flock may not show:
    there every lock file of another host counts as held.
    """
    living = {}
    for path in folder.glob(f"*{_SUFFIX}"):
        if path.stem == own_id:
            continue
        holder = _live_holder(path, foreign_to)
        if holder is not None:
            living[path.stem] = holder
    return living


def _live_holder(path: Path, foreign_to: str) -> Holder | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        holder = _read_holder(descriptor)
        if foreign_to and holder.host and holder.host != foreign_to:
            return holder
        if not _lock(descriptor, fcntl.LOCK_EX):
            return holder
        # Ids are random and never used twice, so a file that nobody holds is nobody's for ever.
        path.unlink(missing_ok=True)
        return None
    finally:
        os.close(descriptor)


def _read_holder(descriptor: int) -> Holder:
    try:
        held = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(str(held["host"]), int(held["pid"]))
    except (ValueError, KeyError, TypeError):
        return Holder("", 0)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Keep other processes from opening the same journal meanwhile; call it off the event loop."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        until = time.monotonic() + _OPENING_WAIT_S
        while not _lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > until:
                raise FileSystemError(
                    Reason.JOURNAL_BUSY, f"another process is opening the journal ({path})", is_retryable=True
                )
            time.sleep(_OPENING_STEP_S)
        yield
    finally:
        os.close(descriptor)
