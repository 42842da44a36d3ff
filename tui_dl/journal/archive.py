"""What was done once: addresses and digests that are not fetched again, and the files that versions of them are.

Both are written by triggers of the writing connection, in the transaction that completes a row, and only where they
are wanted: whoever does not ask for them pays nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from tui_dl.core.http_rules import Validator
from tui_dl.journal.task_rows import clean

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from tui_dl.core.task import DownloadTask

URL: Final = "url"
"""Kind of archive entries whose key is an address; of the others it is the digest's algorithm."""
MOST_KEPT: Final = 16
"""Files of one address or digest that are looked at, the latest first."""

_ARCHIVING: Final = """CREATE TEMP TRIGGER archive_completed AFTER UPDATE OF status ON main.tasks
    WHEN NEW.status = 'completed' AND NEW.kind IN ('', 'media') BEGIN
      INSERT OR IGNORE INTO archive VALUES ('url', NEW.url, NEW.id, NEW.finished_at);
      INSERT OR IGNORE INTO archive SELECT 'sha256', NEW.sha256, NEW.id, NEW.finished_at WHERE NEW.sha256 <> '';
      INSERT OR IGNORE INTO archive
        SELECT substr(given, 1, instr(given, '=') - 1), substr(given, instr(given, '=') + 1), NEW.id, NEW.finished_at
        FROM (SELECT json_extract(CASE NEW.options WHEN '' THEN '{}' ELSE NEW.options END, '$.checksum') AS given)
        WHERE given IS NOT NULL;
    END"""
_ARCHIVING_MEDIA: Final = """CREATE TEMP TRIGGER archive_media AFTER UPDATE OF status ON main.tasks
    WHEN NEW.status = 'completed' AND NEW.kind IN ('media', 'entry') BEGIN
      INSERT OR IGNORE INTO archive SELECT lower(json_extract(NEW.facts, '$.extractor')),
        json_extract(NEW.facts, '$.video_id'), NEW.id, NEW.finished_at
        WHERE json_extract(NEW.facts, '$.extractor') <> '' AND json_extract(NEW.facts, '$.video_id') <> '';
    END"""
_INTO_KEPT: Final = """INSERT INTO kept (path, url, identity, size_bytes, mtime_ns, validator, sha256, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET url = excluded.url, identity = excluded.identity,
    size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, validator = excluded.validator,
    sha256 = excluded.sha256, at = excluded.at WHERE excluded.at >= kept.at"""
_KEEPING: Final = """CREATE TEMP TRIGGER keep_completed AFTER UPDATE OF status ON main.tasks
    WHEN NEW.status = 'completed' AND NEW.total_bytes IS NOT NULL{condition} BEGIN
      INSERT OR REPLACE INTO kept (path, url, identity, size_bytes, mtime_ns, validator, sha256, at) VALUES (NEW.path,
        NEW.url, url_identity(NEW.url), NEW.total_bytes, -1, NEW.validator, NEW.sha256, NEW.finished_at);
    END"""
_IS_KNOWN: Final = " AND EXISTS (SELECT 1 FROM kept WHERE path = NEW.path)"
_SELECT_KEPT: Final = "SELECT path, url, size_bytes, mtime_ns, validator, sha256, at FROM kept"


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished file, and which version of which address it is."""

    path: str
    """Where it was put."""
    url: str
    """Address that it was fetched from."""
    size_bytes: int
    """Length then."""
    mtime_ns: int
    """Time of its last change then; -1: not recorded, but it was not after `at`."""
    validator: Validator
    """Version that the server named."""
    sha256: str
    """Hexadecimal digest; empty where it was not computed."""
    at: float
    """Unix time at which it was finished."""


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One line of the archive."""

    kind: str
    """`URL`, or the algorithm of a digest."""
    key: str
    """The address, or the digest in hexadecimal digits."""
    at: float
    """Unix time at which it was done."""


def start_archiving(connection: sqlite3.Connection) -> None:
    """Note every address and digest that is completed from now on by this connection."""
    connection.execute("DROP TRIGGER IF EXISTS temp.archive_completed")
    connection.execute(_ARCHIVING)
    connection.execute("DROP TRIGGER IF EXISTS temp.archive_media")
    connection.execute(_ARCHIVING_MEDIA)


def start_keeping(connection: sqlite3.Connection, *, is_wanted: bool) -> None:
    """Note every file that is completed from now on by this connection, with its version.

    Where nobody wants that, those alone that stand where another one was noted: it is not taken for that one later.
    """
    connection.create_function("url_identity", 1, url_identity, deterministic=True)
    connection.execute("DROP TRIGGER IF EXISTS temp.keep_completed")
    connection.execute(_KEEPING.format(condition="" if is_wanted else _IS_KNOWN))


def url_identity(url: str) -> int:
    """Return a signed 64-bit hash of an address."""
    return int.from_bytes(blake2b(url.encode(), digest_size=8).digest(), "big", signed=True)


# -- the archive -------------------------------------------------------------------------------------------------------


def read_archived(connection: sqlite3.Connection, keys: Sequence[tuple[str, str]]) -> list[bool]:
    """Return which of these kinds and keys are in the archive."""
    found = connection.execute(
        "SELECT asked.key FROM json_each(?) AS asked JOIN archive"
        " ON extractor = json_extract(asked.value, '$[0]') AND archive.key = json_extract(asked.value, '$[1]')",
        (json.dumps([(kind, clean(key)) for kind, key in keys]),),
    )
    there = {index for (index,) in found}
    return [index in there for index in range(len(keys))]


def read_entries(connection: sqlite3.Connection, after: tuple[str, str], most: int) -> list[ArchiveEntry]:
    """Return entries of addresses and digests in their order, from behind a kind and key on."""
    rows = connection.execute(
        "SELECT extractor, key, at FROM archive WHERE (extractor, key) > (?, ?) ORDER BY extractor, key LIMIT ?",
        (*after, most),
    )
    return [ArchiveEntry(*row) for row in rows]


def forget(connection: sqlite3.Connection, keys: Iterable[str]) -> int:
    """Take addresses and digests out of the archive; return how many were there."""
    texts = json.dumps([clean(key) for key in keys])
    return connection.execute("DELETE FROM archive WHERE key IN (SELECT value FROM json_each(?))", (texts,)).rowcount


# -- files that are kept -----------------------------------------------------------------------------------------------


def keep(connection: sqlite3.Connection, files: Sequence[Kept]) -> None:
    """Record files; what is recorded of a path later than that stays."""
    connection.executemany(_INTO_KEPT, [_values(file) for file in files])


def kept_of(task: DownloadTask) -> Kept | None:
    """Return what a completed row tells of its file; None where its length is not known."""
    if task.total_bytes is None or task.finished_at is None:
        return None
    return Kept(task.path, task.url, task.total_bytes, -1, task.validator, task.sha256, task.finished_at)


def read_kept(connection: sqlite3.Connection, url: str, sha256: str) -> list[Kept]:
    """Return the files of a digest, or without one those of an address, the latest first."""
    where, value = ("sha256 = ?", sha256) if sha256 else ("identity = ?", url_identity(clean(url)))
    rows = connection.execute(f"{_SELECT_KEPT} WHERE {where} ORDER BY at DESC LIMIT ?", (value, MOST_KEPT))
    found = [_kept(*row) for row in rows]
    return [one for one in found if sha256 or one.url == clean(url)]


def _kept(path: str, url: str, size_bytes: int, mtime_ns: int, validator: str, sha256: str, at: float) -> Kept:
    return Kept(path, url, size_bytes, mtime_ns, Validator.from_json(validator), sha256, at)


def drop_kept(connection: sqlite3.Connection, path: str) -> None:
    """Forget a file that is not what it was."""
    connection.execute("DELETE FROM kept WHERE path = ?", (clean(path),))


def _values(file: Kept) -> tuple[object, ...]:
    validator = "" if file.validator == Validator() else file.validator.as_json()
    url = clean(file.url)
    facts = (file.size_bytes, file.mtime_ns, validator, file.sha256, file.at)
    return (clean(file.path), url, url_identity(url), *facts)
