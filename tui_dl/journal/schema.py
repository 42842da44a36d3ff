"""The tables of the journal and the steps from one version of them to the next."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError
from tui_dl.core.status import Status
from tui_dl.journal import identities

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    Migration = Callable[[sqlite3.Connection], None]

APPLICATION_ID: Final = 0x7475_6964
"""Marks the file as ours (`file(1)` and `PRAGMA application_id`): "tuid"."""
POSITION_GAP: Final = 1 << 20
"""Distance of neighbours in the queue, so that rows can be put between them without renumbering."""

_TASK_COLUMNS: Final = """
    id INTEGER PRIMARY KEY {autoincrement},
    url TEXT NOT NULL,
    dir TEXT NOT NULL,
    filename TEXT NOT NULL,
    status TEXT NOT NULL,
    position INTEGER NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    owner INTEGER NOT NULL DEFAULT 0,
    host TEXT NOT NULL DEFAULT '',
    is_get INTEGER NOT NULL DEFAULT 0,
    batch_id INTEGER NOT NULL DEFAULT 0,
    parent_id INTEGER NOT NULL DEFAULT 0,
    identity INTEGER NOT NULL,
    asked TEXT NOT NULL DEFAULT '',
    name_fixed INTEGER NOT NULL DEFAULT 0,
    total_bytes INTEGER,
    downloaded_bytes INTEGER NOT NULL DEFAULT 0,
    added_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    due_at REAL,
    retry_count INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    reason_text TEXT NOT NULL DEFAULT '',
    path TEXT NOT NULL DEFAULT '',
    part_path TEXT NOT NULL DEFAULT '',
    final_url TEXT NOT NULL DEFAULT '',
    validator TEXT NOT NULL DEFAULT '',
    flags TEXT NOT NULL DEFAULT '',
    options TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    facts TEXT NOT NULL DEFAULT ''"""

_TABLES: Final = (
    f"CREATE TABLE tasks ({_TASK_COLUMNS.format(autoincrement='AUTOINCREMENT')})",
    # The dedupe is one look-up per address; the hash keeps the index narrow.
    "CREATE INDEX tasks_identity ON tasks (identity)",
    "CREATE INDEX tasks_status ON tasks (status, owner)",
    "CREATE INDEX tasks_position ON tasks (position)",
    # Covers `next_pending` with its exclusions: excluded hosts are passed over without touching their rows.
    "CREATE INDEX tasks_pending ON tasks (owner, priority DESC, position, id, host) WHERE status = 'pending'",
    "CREATE INDEX tasks_batch ON tasks (batch_id)",
    "CREATE INDEX tasks_parent ON tasks (parent_id) WHERE parent_id <> 0",
    "CREATE INDEX tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL",
    # Rows point at a lease, not at an instance: adopting a million orphans is one row's change.
    "CREATE TABLE owners (number INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL UNIQUE)",
    f"CREATE TABLE removed ({_TASK_COLUMNS.format(autoincrement='')}, remover TEXT NOT NULL)",
    (
        "CREATE TABLE batches (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, kind TEXT NOT NULL,"
        " at REAL NOT NULL, UNIQUE (name, kind))"
    ),
    "CREATE TABLE checkpoints (task_id INTEGER PRIMARY KEY, synced TEXT NOT NULL)",
    (
        "CREATE TABLE extents (task_id INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,"
        " crc32 INTEGER NOT NULL, PRIMARY KEY (task_id, start)) WITHOUT ROWID"
    ),
    "CREATE TABLE log (id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL, at REAL NOT NULL, text TEXT NOT NULL)",
    "CREATE INDEX log_task ON log (task_id, id)",
    "CREATE TABLE hosts (host TEXT PRIMARY KEY, facts TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID",
    (
        "CREATE TABLE archive (extractor TEXT NOT NULL, key TEXT NOT NULL, task_id INTEGER NOT NULL DEFAULT 0,"
        " at REAL NOT NULL, PRIMARY KEY (extractor, key)) WITHOUT ROWID"
    ),
    "CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO marks VALUES ('flushes', 0)",
    # `changes` only grows: its sum is the generation that tells a screen, of any process, to ask anew.
    (
        "CREATE TABLE counts (is_get INTEGER NOT NULL, status TEXT NOT NULL, tasks INTEGER NOT NULL DEFAULT 0,"
        " changes INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (is_get, status)) WITHOUT ROWID"
    ),
    """CREATE TRIGGER count_insert AFTER INSERT ON tasks BEGIN
         UPDATE counts SET tasks = tasks + 1, changes = changes + 1
         WHERE is_get = NEW.is_get AND status = NEW.status;
       END""",
    """CREATE TRIGGER count_delete AFTER DELETE ON tasks BEGIN
         UPDATE counts SET tasks = tasks - 1, changes = changes + 1
         WHERE is_get = OLD.is_get AND status = OLD.status;
       END""",
    """CREATE TRIGGER count_update AFTER UPDATE OF status, is_get ON tasks
       WHEN OLD.status <> NEW.status OR OLD.is_get <> NEW.is_get BEGIN
         UPDATE counts SET tasks = tasks - 1, changes = changes + 1
         WHERE is_get = OLD.is_get AND status = OLD.status;
         UPDATE counts SET tasks = tasks + 1, changes = changes + 1
         WHERE is_get = NEW.is_get AND status = NEW.status;
       END""",
)


def _create(connection: sqlite3.Connection) -> None:
    """Step 0 to 1: everything."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _TABLES:
        connection.execute(statement)
    pairs = product((0, 1), (status.value for status in Status))
    connection.executemany("INSERT INTO counts (is_get, status) VALUES (?, ?)", pairs)


def _add_columns(connection: sqlite3.Connection, declarations: Sequence[str]) -> None:
    """Add columns to the tasks and to the removed ones, whose columns are those of the tasks and `remover` behind."""
    for declaration in declarations:
        connection.execute(f"ALTER TABLE tasks ADD COLUMN {declaration}")
    kept = ", ".join(row[1] for row in connection.execute("PRAGMA table_info(removed)"))
    columns = [_declared(*row[1:]) for row in connection.execute("PRAGMA table_info(tasks)")]
    # A process of the version before may be running: it copies removed rows column by column.
    connection.execute("ALTER TABLE removed RENAME TO removed_before")
    connection.execute(f"CREATE TABLE removed ({', '.join(columns)}, remover TEXT NOT NULL)")
    connection.execute(f"INSERT INTO removed ({kept}) SELECT {kept} FROM removed_before")  # noqa: S608  # our names
    connection.execute("DROP TABLE removed_before")


def _declared(name: str, kind: str, is_required: int, default: str | None, is_key: int) -> str:
    """Return a column of `PRAGMA table_info` as `CREATE TABLE` wants it."""
    parts = (
        f"{name} {kind}",
        "PRIMARY KEY" if is_key else "",
        "NOT NULL" if is_required else "",
        f"DEFAULT {default}" if default is not None else "",
    )
    return " ".join(part for part in parts if part)


def _remember_answers(connection: sqlite3.Connection) -> None:
    """Step 1 to 2: where in a list a task stood, the list's own columns, and what the server answered."""
    columns = (
        "line INTEGER NOT NULL DEFAULT 0",
        "extra TEXT NOT NULL DEFAULT ''",
        "http_status INTEGER",
        "content_type TEXT NOT NULL DEFAULT ''",
    )
    _add_columns(connection, columns)


def _remember_versions(connection: sqlite3.Connection) -> None:
    """Step 2 to 3: when each batch began, and which version of which address each finished file is."""
    connection.execute("CREATE TABLE runs (batch_id INTEGER PRIMARY KEY, began_at REAL NOT NULL)")
    connection.execute(
        "CREATE TABLE kept (path TEXT PRIMARY KEY, url TEXT NOT NULL, identity INTEGER NOT NULL,"
        " size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, validator TEXT NOT NULL DEFAULT '',"
        " sha256 TEXT NOT NULL DEFAULT '', at REAL NOT NULL) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX kept_identity ON kept (identity)")
    connection.execute("CREATE INDEX kept_sha256 ON kept (sha256) WHERE sha256 <> ''")


def _remember_shards(connection: sqlite3.Connection) -> None:
    """Step 3 to 4: in which tar shard, and as which of its members, each finished file is."""
    _add_columns(connection, ("shard_id INTEGER NOT NULL DEFAULT 0", "member TEXT NOT NULL DEFAULT ''"))
    connection.execute("CREATE INDEX tasks_shard ON tasks (shard_id) WHERE shard_id <> 0")
    connection.execute(
        "CREATE TABLE shards (id INTEGER PRIMARY KEY AUTOINCREMENT, folder TEXT NOT NULL, number INTEGER NOT NULL,"
        " name TEXT NOT NULL, is_whole INTEGER NOT NULL DEFAULT 0, samples INTEGER NOT NULL DEFAULT 0,"
        " size_bytes INTEGER NOT NULL DEFAULT 0, leftovers TEXT NOT NULL DEFAULT '', UNIQUE (folder, number))"
    )


def _spread_identities(connection: sqlite3.Connection) -> None:
    """Step 4 to 5: identities in tables of their own, and rows that are added counted by whoever adds them.

    A trigger that fires a thousand times in a statement cost a tenth of what the statement does.
    """
    connection.execute("DROP INDEX tasks_identity")
    connection.execute("DROP TRIGGER count_insert")
    for statement in identities.TABLES:
        connection.execute(statement)


def _grow_trees(connection: sqlite3.Connection) -> None:
    """Step 5 to 6: entries of playlists are found by their head, with what was said of them; forms wanted by site."""
    connection.execute("CREATE INDEX tasks_entries ON tasks (parent_id, position, id) WHERE kind = 'entry'")
    connection.execute("CREATE INDEX tasks_heads ON tasks (id) WHERE kind = 'playlist'")
    connection.execute("CREATE TABLE choices (site TEXT PRIMARY KEY, choice TEXT NOT NULL) WITHOUT ROWID")
    connection.execute("CREATE TABLE media_notes (task_id INTEGER PRIMARY KEY, note TEXT NOT NULL)")


MIGRATIONS: Final[tuple[Migration, ...]] = (
    _create,
    _remember_answers,
    _remember_versions,
    _remember_shards,
    _spread_identities,
    _grow_trees,
)
"""Step n leads from version n to n + 1. Steps are never changed once released, only added."""


def count_rows(connection: sqlite3.Connection, is_get: bool, status: str, rows: int) -> None:  # a column
    """Count rows that were inserted; all other changes of the table count themselves."""
    connection.execute(
        "UPDATE counts SET tasks = tasks + :rows, changes = changes + :rows"
        " WHERE is_get = :is_get AND status = :status",
        {"rows": rows, "is_get": is_get, "status": status},
    )


def count_all(connection: sqlite3.Connection) -> None:
    """Count all rows anew."""
    connection.execute(
        "UPDATE counts SET changes = changes + 1, tasks = (SELECT count(*) FROM tasks"
        " WHERE tasks.is_get = counts.is_get AND tasks.status = counts.status)"
    )


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the tables in this file, 0 for an empty one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the tables to the newest version, each step in one transaction; refuses what is newer than we are."""
    refuse_newer(version_of(connection), len(migrations))
    while version_of(connection) < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Asked again inside: another process may have taken the step while we waited for the lock.
            version = version_of(connection)
            if version < len(migrations):
                migrations[version](connection)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def refuse_newer(version: int, known: int) -> None:
    """Raise `UsageError` where the file was written by a newer program."""
    if version > known:
        raise UsageError(
            f"this journal is of version {version}, this tui-dl knows versions up to {known}: "
            "get a newer tui-dl, or set TUI_DL_HOME to another folder to start with a new journal"
        )
