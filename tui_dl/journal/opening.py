"""Open the journal's file: make it, migrate it, or move a damaged one aside."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.journal import conditions, schema
from tui_dl.journal.fault_map import condition_of, journal_error
from tui_dl.journal.instances import InstanceLock, opening
from tui_dl.journal.mounts import is_on_network
from tui_dl.journal.owners import Owner
from tui_dl.journal.queue_steps import bury_dead
from tui_dl.journal.salvage import replace_damaged
from tui_dl.journal.task_rows import SELECT_TASK, decode
from tui_dl.journal.writer import State, read_state

if TYPE_CHECKING:
    from collections.abc import Callable

MOUNTS: Final = Path("/proc/mounts")
"""Where Linux lists the file systems; elsewhere there is no such file and none counts as a network's."""
SUSPECT_SUFFIX: Final = ".suspect"
"""Beside the journal: a process met damage, so the next one to open it looks at every page."""
_BUSY_S: Final = 10.0
"""How long a transaction waits for another process's."""
_CACHE_KIB: Final = 16 << 10
"""Pages that the writing connection keeps: the index of a million identities is touched all over by each add."""
_LOG_PAGES: Final = 4_000
"""Pages of 4 KiB in the write-ahead log before they move into the file: an add writes the same ones again and again."""
_FULL_CHECK_BYTES: Final = 32 << 20
"""Up to this size every page is looked at on opening (about 50 ms); beyond it only where damage was met."""
_MEMORY_ID: Final = "memory"


@dataclass(frozen=True, slots=True)
class Opened:
    """A journal's file as it was opened."""

    connection: sqlite3.Connection
    """For the writer thread."""
    reading: sqlite3.Connection | None
    """For the reader thread; None where only one connection can be."""
    owner: Owner
    """This process as the journal knows it."""
    lock: InstanceLock | None
    """Our lock file; None in memory."""
    state: State
    """Counts and generation as they were found."""
    notices: tuple[str, ...] = ()
    """What a person should know, in words."""
    looking: sqlite3.Connection | None = None
    """For the thread of short questions; None where `reading` is."""


def open_memory() -> Opened:
    """Open a journal that keeps nothing on disk."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    schema.migrate(connection)
    conditions.prepare(connection)
    return Opened(connection, None, Owner(_MEMORY_ID, None), None, read_state(connection))


def open_file(path: Path, locks: Path, clock: Callable[[], float], mounts: Path) -> Opened:
    """Open or make the journal at `path`; raises `FileSystemError`, or `UsageError` for a newer version."""
    lock = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        host = socket.gethostname()
        is_remote = is_on_network(path.parent, mounts)
        with opening(path.with_name("journal.opening")):
            lock = InstanceLock.claim(locks, host=host)
            owner = Owner(lock.instance_id, locks, host if is_remote else "")
            if is_remote:
                _refuse_others(owner, path)
            notices = _make_or_mend(path, owner, clock)
            connection = _connect(path, is_exclusive=is_remote)
            schema.migrate(connection)
            bury_dead(connection, owner)
            state = read_state(connection)
            reading = None if is_remote else _connect(path, is_reading=True)
            looking = None if is_remote else _connect(path, is_reading=True)
    except BaseException as error:
        if lock is not None:
            lock.release()
        if isinstance(error, OSError | sqlite3.Error):
            raise journal_error(error, path) from error
        raise
    return Opened(connection, reading, owner, lock, state, notices, looking)


def _refuse_others(owner: Owner, path: Path) -> None:
    """On a network file system SQLite's shared memory cannot be trusted: one process at a time."""
    for instance, holder in owner.living().items():
        raise FileSystemError(
            Reason.JOURNAL_BUSY,
            f"the journal {path} lies on a network file system and is in use by {holder}; end that process, "
            f"or remove {instance}.lock beside it if that process is gone, or set TUI_DL_HOME to a local folder",
        )


def _connect(path: Path, *, is_exclusive: bool = False, is_reading: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        if is_exclusive:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        if is_reading:
            connection.execute("PRAGMA query_only = ON")
        else:
            # What undoes a statement with triggers is small; in files it was half of what an add costs.
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        conditions.prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_or_mend(path: Path, owner: Owner, clock: Callable[[], float]) -> tuple[str, ...]:
    """Leave a sound journal at `path`; return what a person should know of it."""
    for leftover in path.parent.glob(f"{path.name}.new*"):
        leftover.unlink()
    if not path.exists():
        fresh = make_new(path)
        fresh.replace(path)
        _sync(path.parent)
        return ()
    damage = _damage_of(path, is_exclusive=bool(owner.foreign_to))
    if not damage:
        path.chmod(0o600)
        path.with_name(path.name + SUSPECT_SUFFIX).unlink(missing_ok=True)
        return ()
    living = owner.living()
    if living:
        holder = next(iter(living.values()))
        raise FileSystemError(
            Reason.JOURNAL_DAMAGED,
            f"the journal {path} is damaged ({damage}) and still in use by {holder}; end that process first",
        )
    notice = replace_damaged(path, make_new(path), damage, clock())
    path.with_name(path.name + SUSPECT_SUFFIX).unlink(missing_ok=True)
    _sync(path.parent)
    return (notice,)


def make_new(path: Path) -> Path:
    """Make a complete empty journal under another name, so that no crash leaves half of one at `path`."""
    fresh = path.with_name(path.name + ".new")
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        # Nobody has it before it has its name: one sync at the end does for four of each step, which was a third of a
        # first start. Not yet in WAL mode: nothing is left beside the file when it is closed.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        schema.migrate(connection)
    _sync(fresh)
    return fresh


def _damage_of(path: Path, *, is_exclusive: bool) -> str:
    """Return what is wrong with the file in a few words, empty if it is sound; a newer version is refused."""
    if path.stat().st_size == 0:
        return "it is empty"
    try:
        # Not `_connect()`: what may be somebody else's file is not turned into a WAL one.
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as connection:
            if is_exclusive:
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != schema.APPLICATION_ID:
                return "it is no journal"
            schema.refuse_newer(schema.version_of(connection), len(schema.MIGRATIONS))
            connection.execute("SELECT count(*) FROM counts").fetchone()
            connection.execute("SELECT max(id) FROM tasks").fetchone()
            is_suspect = path.with_name(path.name + SUSPECT_SUFFIX).exists()
            return _closer_look(connection, path, is_suspect=is_suspect)
    except FileSystemError as error:
        return error.message
    except sqlite3.Error as error:
        if condition_of(error) in (Reason.JOURNAL_DAMAGED, None):
            return str(error)
        raise


def _closer_look(connection: sqlite3.Connection, path: Path, *, is_suspect: bool) -> str:
    if is_suspect or path.stat().st_size <= _FULL_CHECK_BYTES:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            return str(verdict).replace("\n", " ")
    if is_suspect:
        for row in connection.execute(SELECT_TASK):
            decode(row)
    return ""


def _sync(path: Path) -> None:
    """Make a file or a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
