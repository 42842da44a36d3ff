"""Turn a `DownloadTask` into a row of the journal and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui_dl.core.addresses import host_of
from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.filename import name_from_url
from tui_dl.core.http_rules import Validator
from tui_dl.core.media import NO_FACTS, Kind, MediaFacts
from tui_dl.core.plain_address import plain_parts
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadTask, Flag, NewTask, OnExists, TaskOptions, changed, task_with

if TYPE_CHECKING:
    from collections.abc import Sequence

_READ: Final = (
    *("id", "url", "dir", "filename", "status", "name_fixed", "path", "part_path", "total_bytes"),
    *("downloaded_bytes", "validator", "final_url", "host", "reason", "reason_text", "due_at", "retry_count"),
    *("flags", "options", "position", "priority", "batch_id", "parent_id"),
    "coalesce((SELECT instance FROM owners WHERE number = tasks.owner), '')",
    *("added_at", "started_at", "finished_at", "sha256", "line", "extra", "http_status", "content_type"),
    *("member", "kind", "facts"),
)
SELECT_TASK: Final = f"SELECT {', '.join(_READ)} FROM tasks"  # noqa: S608  # fixed column names
"""Reads what `decode()` understands; a `WHERE` may follow."""

_SAVED: Final = (
    *("filename", "status", "name_fixed", "path", "part_path", "total_bytes", "downloaded_bytes", "validator"),
    *("final_url", "reason", "reason_text", "due_at", "retry_count", "flags", "options", "started_at"),
    *("finished_at", "sha256", "http_status", "content_type", "kind", "facts"),
)
UPDATE_TASK: Final = (
    f"UPDATE tasks SET {', '.join(f'{name} = ?' for name in _SAVED)}"  # noqa: S608  # fixed column names
    " WHERE id = ? AND owner = (SELECT number FROM owners WHERE instance = ?)"
)
"""Takes `encode()`, the id and our instance: position, priority, batch and owner belong to the journal alone."""
_CHANGED_AT_ONCE: Final = 25
"""Rows that one statement updates: between rows every step of a statement lets go of the interpreter and waits for it
again, which costs the loop more than the row does."""
_NAMED: Final = (*_SAVED, "id")
_VALUES: Final = ", ".join((f"({', '.join('?' * len(_NAMED))})",) * _CHANGED_AT_ONCE)
_UPDATE_MANY: Final = (
    f"UPDATE tasks SET {', '.join(f'{name} = new_{name}' for name in _SAVED)}"  # noqa: S608  # fixed column names
    f" FROM (SELECT {', '.join(f'column{place} AS new_{name}' for place, name in enumerate(_NAMED, 1))}"
    f" FROM (VALUES {_VALUES})) WHERE id = new_id AND owner = (SELECT number FROM owners WHERE instance = ?)"
)
_CAN_UPDATE_MANY: Final = sqlite3.sqlite_version_info >= (3, 33)

_INSERTED: Final = (
    *("id", "url", "dir", "filename", "position", "host", "identity", "asked", "name_fixed", "options", "priority"),
    *("parent_id", "line", "extra"),
)
_SHARED: Final = ("owner", "is_get", "batch_id", "added_at")
_INSERT: Final = f"INSERT INTO tasks ({', '.join((*_SHARED, *_INSERTED))}, status) VALUES "  # noqa: S608  # fixed column names
_ROW: Final = f"(?1, ?2, ?3, ?4{', ?' * len(_INSERTED)}, '{Status.PENDING.value}')"
ROWS_AT_ONCE: Final = 250
"""Rows that one statement inserts: one by one they take half as long again."""
_INSERT_MANY: Final = _INSERT + ", ".join((_ROW,) * ROWS_AT_ONCE)


class Origin(NamedTuple):
    """What the rows of one add share."""

    owner: str
    """Instance that adds."""
    batch_id: int
    """Their batch."""
    at: float
    """Unix time of the add."""


def insert_tasks(
    connection: sqlite3.Connection, origin: Origin, values: Sequence[tuple[Any, ...]], *, lease: int, is_get: bool
) -> None:
    """Insert rows that are pending, as `insert_values()` gives them; counts and identities are the caller's."""
    shared = (lease, is_get, origin.batch_id, origin.at)
    for start in range(0, len(values), ROWS_AT_ONCE):
        rows = values[start : start + ROWS_AT_ONCE]
        statement = _INSERT_MANY if len(rows) == ROWS_AT_ONCE else _INSERT + ", ".join((_ROW,) * len(rows))
        connection.execute(statement, (*shared, *chain.from_iterable(rows)))


def clean(text: str) -> str:
    """Return text that SQLite can hold: no lone surrogates, no NUL (which would end it for `LIKE`)."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def identity_of(url: str, folder: str, asked: str) -> int:
    """Return a signed 64-bit hash of what makes two adds the same one."""
    digest = blake2b(f"{url}\0{folder}\0{asked}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def cleaned(new: NewTask) -> NewTask:
    """Return the same wish with texts that SQLite can hold."""
    text = f"{new.url}{new.dir}{new.name}{new.extra}"
    if text.isascii() and "\0" not in text:
        return new
    return replace(new, url=clean(new.url), dir=clean(new.dir), name=clean(new.name), extra=clean(new.extra))


def host_and_name(new: NewTask) -> tuple[str, str]:
    """Return the host of a wish's address and the name that the address gives its file."""
    return new.parts or plain_parts(new.url) or (clean(host_of(new.url)), clean(name_from_url(new.url)))


def task_of(new: NewTask, task_id: int, position: int, origin: Origin) -> DownloadTask:
    """Return the row that a wish begins with."""
    host, name = host_and_name(new)
    return changed(
        _FRESH,
        {
            "id": task_id,
            "url": new.url,
            "dir": new.dir,
            "filename": new.name or name,
            "name_fixed": bool(new.name),
            "host": host,
            "options": new.options,
            "position": position,
            "priority": new.priority or 0,
            "batch_id": origin.batch_id,
            "parent_id": new.parent_id,
            "owner": origin.owner,
            "added_at": origin.at,
            "line": new.line,
            "extra": new.extra,
        },
    )


_FRESH: Final = DownloadTask(0, "", "", "")
"""What rows are like before anything is known of them."""


def insert_values(new: NewTask, task_id: int, position: int, identity: int, options: str) -> tuple[Any, ...]:
    """Return what `insert_tasks()` takes of a row; `options` as `encode_options()` writes them."""
    host, name = host_and_name(new)
    asked = new.name
    file = (new.url, new.dir, asked or name, position, host, identity, asked, bool(asked), options)
    return (task_id, *file, new.priority or 0, new.parent_id, new.line, new.extra)


def update_tasks(connection: sqlite3.Connection, instance: str, tasks: Sequence[DownloadTask]) -> None:
    """Write the state of tasks, each there once; rows that are gone or another instance's stay as they are."""
    rows = [(*encode(task), task.id) for task in tasks]
    many = len(rows) - len(rows) % _CHANGED_AT_ONCE if _CAN_UPDATE_MANY else 0
    for start in range(0, many, _CHANGED_AT_ONCE):
        values = chain.from_iterable(rows[start : start + _CHANGED_AT_ONCE])
        connection.execute(_UPDATE_MANY, (*values, instance))
    connection.executemany(UPDATE_TASK, ((*row, instance) for row in rows[many:]))


def encode(task: DownloadTask) -> tuple[Any, ...]:
    """Return the values for `UPDATE_TASK` up to its `WHERE`."""
    return (
        clean(task.filename),
        task.status.value,
        task.name_fixed,
        clean(task.path),
        clean(task.part_path),
        task.total_bytes,
        task.downloaded_bytes,
        "" if task.validator == _NO_VALIDATOR else task.validator.as_json(),
        clean(task.final_url),
        task.reason.value if task.reason is not None else None,
        clean(task.reason_text),
        task.due_at,
        task.retry_count,
        ",".join(sorted(task.flags)),
        encode_options(task.options),
        task.started_at,
        task.finished_at,
        clean(task.sha256),
        task.http_status,
        clean(task.content_type),
        task.kind.value,
        encode_facts(task.facts),
    )


def encode_facts(facts: MediaFacts) -> str:
    """Return what is known of media as JSON; empty for a plain file."""
    return "" if facts == NO_FACTS else clean(json.dumps(facts.as_json()))


def decode(row: Sequence[Any]) -> DownloadTask:
    """Return the task of a row read by `SELECT_TASK`; raises `FileSystemError` for a damaged one."""
    try:
        return _decode(row)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileSystemError(Reason.JOURNAL_DAMAGED, f"row {row[0]} cannot be read: {error}") from error


def _decode(row: Sequence[Any]) -> DownloadTask:
    fields: tuple[Any, ...] = (
        *row[:4],
        Status(row[4]),
        bool(row[5]),
        *row[6:10],
        Validator.from_json(row[10]) if row[10] else _NO_VALIDATOR,
        *row[11:13],
        Reason(row[13]) if row[13] is not None else None,
        *row[14:17],
        frozenset(map(Flag, row[17].split(","))) if row[17] else _NO_FLAGS,
        decode_options(row[18]) if row[18] else _NO_OPTIONS,
        *row[19:-2],
        _KINDS[row[-2]],
        MediaFacts.of_json(json.loads(row[-1])) if row[-1] else NO_FACTS,
    )
    return task_with(fields)


_KINDS: Final = {kind.value: kind for kind in Kind}
_NO_VALIDATOR: Final = Validator()
_NO_OPTIONS: Final = TaskOptions()
_NO_FLAGS: Final[frozenset[Flag]] = frozenset()
_KNOWN_OPTIONS: Final = 128
"""Options that are remembered in both forms: the tasks of one list have the same, or nearly."""


def encode_options(options: TaskOptions) -> str:
    """Return options as JSON, those only that were asked for; empty for none."""
    try:
        return _encoded(options)
    except TypeError:  # a caller of the library gave lists where tuples are meant: no key to remember it by
        return _encoded.__wrapped__(options)


@lru_cache(maxsize=_KNOWN_OPTIONS)
def _encoded(options: TaskOptions) -> str:
    if options == _NO_OPTIONS:
        return ""
    asked = {name: getattr(options, name) for name in TaskOptions.__slots__}
    return json.dumps({name: value for name, value in asked.items() if value != getattr(_NO_OPTIONS, name)})


@lru_cache(maxsize=_KNOWN_OPTIONS)
def decode_options(text: str) -> TaskOptions:
    """Return the options of `encode_options()`; names that another version knew are passed over."""
    held = json.loads(text)
    values = {name: held[name] for name in TaskOptions.__slots__ if name in held}
    if "headers" in values:
        values["headers"] = tuple((str(name), str(value)) for name, value in values["headers"])
    for name in ("mirrors", "yt_dlp"):
        if name in values:
            values[name] = tuple(str(one) for one in values[name])
    if values.get("on_exists") is not None:
        values["on_exists"] = OnExists(values["on_exists"])
    return TaskOptions(**values)
