"""The book of playlists: entries by their heads, what was noted of each, and forms remembered by site."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from tui_dl.core.errors import Reason
from tui_dl.core.media import Kind, MediaChoice, MediaFacts
from tui_dl.core.playlists import EntryCount
from tui_dl.core.status import UNFINISHED, Status
from tui_dl.journal import adding
from tui_dl.journal.adding import Batch, BatchKind
from tui_dl.journal.records import write_tasks
from tui_dl.journal.task_rows import SELECT_TASK, clean, decode, encode_facts
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.owners import Owner

T = TypeVar("T")

_OF: Final = (
    "FROM tasks INDEXED BY tasks_entries WHERE kind = 'entry' AND parent_id IN (SELECT value FROM json_each(?))"
)
"""Entries of heads."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One entry of a playlist on its way into the queue."""

    new: NewTask
    """Its wish; the name in it tells it from other rows of its address."""
    filename: str
    """Name shown until it has its file."""
    facts: MediaFacts
    """What is known of it."""
    status: Status
    """PENDING, WAITING for a choice, or SKIPPED as not chosen."""
    note: str
    """What the extractor said of it, as JSON; empty for nothing."""


class _Ask(Protocol):
    """How a thread of the journal is asked."""

    def __call__(self, run: Callable[[sqlite3.Connection], T], need: Need) -> Awaitable[T]:
        """Do it after all that was told before."""
        ...


class PlaylistBook:
    """The playlists of a journal; every change is durable on return."""

    def __init__(self, ask: _Ask, owner: Owner) -> None:
        self._ask, self._owner = ask, owner

    async def heads(self, ids: Collection[int] | None = None) -> list[int]:
        """Return those of these rows (None: of all) that are heads, and of no other living process."""
        wanted = None if ids is None else list(ids)
        return await self._ask(lambda connection: _heads(connection, self._owner, wanted), Need.READ)

    async def save_heads(self, tasks: Sequence[DownloadTask]) -> None:
        """Record where heads stand; those that no other living process runs are ours from then on."""
        if held := tuple(tasks):
            await self._ask(lambda connection: _save_heads(connection, self._owner, held), Need.DURABLE)

    async def entries(self, heads: Collection[int]) -> list[DownloadTask]:
        """Return the entries of heads, in their order, with all that was told before."""
        return await self._ask(partial(_entries, heads=list(heads)), Need.READ)

    async def counts(self, heads: Collection[int]) -> dict[int, list[EntryCount]]:
        """Return how the entries of each of these heads stand, with all that was told before."""
        return await self._ask(partial(_counts, heads=list(heads)), Need.READ)

    async def add(self, head: DownloadTask, entries: Sequence[NewEntry]) -> list[DownloadTask]:
        """Add entries behind those that a head has, to its batch; return those that are new, and those that go on."""
        held = tuple(entries)
        return await self._ask(lambda connection: _add(connection, self._owner, head, held), Need.DURABLE)

    async def note(self, task_id: int) -> str:
        """Return what the extractor said of an entry, as JSON; empty for nothing."""
        return await self._ask(partial(_note, task_id=task_id), Need.READ)

    async def choice(self, site: str) -> MediaChoice | None:
        """Return the form that is remembered for a site, None for none."""
        return await self._ask(partial(_choice, site=clean(site)), Need.READ)

    async def remember(self, site: str, choice: MediaChoice) -> None:
        """Remember a form for a site; an empty one is forgotten."""
        await self._ask(partial(_remember, site=clean(site), choice=choice), Need.DURABLE)


def _heads(connection: sqlite3.Connection, owner: Owner, ids: list[int] | None) -> list[int]:
    wanted = "" if ids is None else " AND id IN (SELECT value FROM json_each(:ids))"
    parameters = {"ids": json.dumps(ids or []), "hands_off": json.dumps(owner.foreign(connection))}
    statement = (
        "SELECT id FROM tasks INDEXED BY tasks_heads WHERE kind = 'playlist'"  # noqa: S608  # fixed parts
        f" AND owner NOT IN (SELECT value FROM json_each(:hands_off)){wanted}"
    )
    return [row[0] for row in connection.execute(statement, parameters)]


def _save_heads(connection: sqlite3.Connection, owner: Owner, tasks: Sequence[DownloadTask]) -> None:
    ids = json.dumps([task.id for task in tasks])
    connection.execute(
        "UPDATE tasks SET owner = ? WHERE id IN (SELECT value FROM json_each(?))"
        " AND owner NOT IN (SELECT value FROM json_each(?))",
        (owner.lease(connection), ids, json.dumps(owner.foreign(connection))),
    )
    write_tasks(connection, owner.instance, tasks)


def _entries(connection: sqlite3.Connection, heads: list[int]) -> list[DownloadTask]:
    statement = f"{SELECT_TASK} {_OF.removeprefix('FROM tasks ')} ORDER BY parent_id, position, id"
    return [decode(row) for row in connection.execute(statement, (json.dumps(heads),))]


def _counts(connection: sqlite3.Connection, heads: list[int]) -> dict[int, list[EntryCount]]:
    found: dict[int, list[EntryCount]] = {head: [] for head in heads}
    statement = (
        "SELECT parent_id, status, reason, count(*), min(due_at), max(reason_text)"  # fixed parts
        f" {_OF} GROUP BY parent_id, status, reason"
    )
    for head, status, reason, count, due_at, text in connection.execute(statement, (json.dumps(heads),)):
        one = EntryCount(Status(status), Reason(reason) if reason is not None else None, count, due_at, text or "")
        found[head].append(one)
    return found


def _add(
    connection: sqlite3.Connection, owner: Owner, head: DownloadTask, entries: Sequence[NewEntry]
) -> list[DownloadTask]:
    name, kind, at = connection.execute(
        "SELECT name, kind, at FROM batches WHERE id = ?", (head.batch_id,)
    ).fetchone() or ("", BatchKind.SCREEN, head.added_at)
    batch = Batch(name, BatchKind(kind), at)
    outcomes = adding.add(connection, owner, [one.new for one in entries], batch)
    fresh = [(outcome.task.id, one) for outcome, one in zip(outcomes, entries, strict=True) if outcome.is_new]
    first = _make_room(connection, head, len(fresh))
    rows = [
        (
            Kind.ENTRY.value,
            clean(one.filename),
            encode_facts(one.facts),
            one.status.value,
            _REASONS.get(one.status),
            first + place,
            task_id,
        )
        for place, (task_id, one) in enumerate(fresh)
    ]
    connection.executemany(
        "UPDATE tasks SET kind = ?, filename = ?, name_fixed = 0, facts = ?, status = ?, reason = ?, position = ?"
        " WHERE id = ?",
        rows,
    )
    connection.executemany(
        "INSERT OR REPLACE INTO media_notes (task_id, note) VALUES (?, ?)",
        [(task_id, one.note) for task_id, one in fresh if one.note],
    )
    # What was nobody's is ours from now on.
    known = [outcome.task for outcome in outcomes if not outcome.is_new]
    going_on = [task.id for task in known if task.status in UNFINISHED and task.owner == owner.instance]
    ids = json.dumps([*(task_id for task_id, _ in fresh), *going_on])
    statement = f"{SELECT_TASK} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position"  # noqa: S608  # fixed
    found = connection.execute(statement, (ids,))
    return [decode(row) for row in found]


_REASONS: Final = {Status.WAITING: Reason.CHOICE.value, Status.SKIPPED: Reason.NOT_CHOSEN.value}


def _make_room(connection: sqlite3.Connection, head: DownloadTask, count: int) -> int:
    """Return the first of so many positions in a row behind a head and the entries that it has."""
    (last,) = connection.execute(
        "SELECT max(position) FROM tasks INDEXED BY tasks_entries WHERE kind = 'entry' AND parent_id = ?", (head.id,)
    ).fetchone()
    (own,) = connection.execute("SELECT position FROM tasks WHERE id = ?", (head.id,)).fetchone() or (head.position,)
    first = int(own if last is None else max(last, own)) + 1
    # Those just added stand at the end of the queue, beyond everything.
    (following,) = connection.execute("SELECT min(position) FROM tasks WHERE position >= ?", (first,)).fetchone()
    if following is not None and following < first + count:
        connection.execute("UPDATE tasks SET position = position + ? WHERE position >= ?", (count, first))
    return first


def _note(connection: sqlite3.Connection, task_id: int) -> str:
    found = connection.execute("SELECT note FROM media_notes WHERE task_id = ?", (task_id,)).fetchone()
    return "" if found is None else str(found[0])


def _choice(connection: sqlite3.Connection, site: str) -> MediaChoice | None:
    found = connection.execute("SELECT choice FROM choices WHERE site = ?", (site,)).fetchone()
    value: Any = None if found is None else json.loads(found[0])
    return None if value is None else MediaChoice.of_json(value)


def _remember(connection: sqlite3.Connection, site: str, choice: MediaChoice) -> None:
    if choice.is_empty:
        connection.execute("DELETE FROM choices WHERE site = ?", (site,))
    else:
        text = json.dumps(choice.as_json())
        connection.execute("INSERT OR REPLACE INTO choices (site, choice) VALUES (?, ?)", (site, text))
