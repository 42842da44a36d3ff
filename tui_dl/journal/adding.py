"""Add rows to the queue: each address and target once, by look-up, in chunks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.status import LIVE, TRANSITIONS, UNFINISHED, Status, Trigger
from tui_dl.core.task import TargetState, options_again
from tui_dl.journal import identities
from tui_dl.journal.leaving import Left, is_left, is_left_already, left, record_left
from tui_dl.journal.outcomes import AddOutcome, FreshRow
from tui_dl.journal.schema import POSITION_GAP, count_rows
from tui_dl.journal.task_rows import (
    SELECT_TASK,
    Origin,
    clean,
    cleaned,
    decode,
    encode_options,
    identity_of,
    insert_tasks,
    insert_values,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.owners import Owner

_CHUNK: Final = 500
"""Wishes looked up and inserted at a time."""


_TAKE_OVER: Final = (
    "UPDATE tasks SET status = ?, batch_id = ?, is_get = ?, owner = ?, reason = ?, reason_text = ?, due_at = ?"
    " WHERE id IN (SELECT value FROM json_each(?))"
)


class BatchKind(StrEnum):
    """Who added a batch: it decides what the screen shows once its rows are finished."""

    SCREEN = "screen"
    GET = "get"


@dataclass(frozen=True, slots=True)
class Batch:
    """The add that rows belong to."""

    name: str
    """Adds of the same name and kind are one batch."""
    kind: BatchKind
    """Who adds."""
    at: float
    """Unix time of the add."""
    keeps_first: bool = False
    """Whether this process asks for each file once: of several wishes for one the first decides how it is fetched."""


_Key = tuple[str, str, str]
"""Address, folder and name asked for."""


@dataclass(slots=True)
class _Add:
    """One add under way, within one transaction."""

    connection: sqlite3.Connection
    origin: Origin
    batch: Batch
    lease: int
    hands_off: frozenset[int]
    """Leases of other processes that are alive."""
    next_id: int
    next_position: int
    asked: set[_Key] = field(default_factory=set)
    """What was asked for already; no later wish changes how it is fetched."""
    over: list[Left] = field(default_factory=list)
    """Rows that end at once."""

    @property
    def is_get(self) -> bool:
        """Whether the rows are of a `get`."""
        return self.batch.kind is BatchKind.GET


def add(connection: sqlite3.Connection, owner: Owner, new: Sequence[NewTask], batch: Batch) -> list[AddOutcome]:
    """Add what is not there yet and take over what belongs to nobody; one outcome for each wish, in order."""
    (last_position,) = connection.execute("SELECT coalesce(max(position), 0) FROM tasks").fetchone()
    last_id = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'").fetchone()
    job = _Add(
        connection=connection,
        origin=Origin(owner.instance, batch_id_of(connection, batch), batch.at),
        batch=batch,
        lease=owner.lease(connection),
        hands_off=frozenset(owner.foreign(connection)),
        next_id=(last_id[0] if last_id is not None else 0) + 1,
        next_position=last_position + POSITION_GAP,
    )
    first_id = job.next_id
    outcomes: list[AddOutcome] = []
    for start in range(0, len(new), _CHUNK):
        outcomes.extend(_add_chunk(job, new[start : start + _CHUNK]))
    if job.next_id > first_id:
        count_rows(connection, job.is_get, Status.PENDING, job.next_id - first_id)
        identities.move_on(connection)
    record_left(connection, job.over, batch.at)
    return outcomes


def batch_id_of(connection: sqlite3.Connection, batch: Batch) -> int:
    """Return the number of a batch, made where there is none of its name and kind."""
    name, kind = clean(batch.name), batch.kind.value
    connection.execute("INSERT OR IGNORE INTO batches (name, kind, at) VALUES (?, ?, ?)", (name, kind, batch.at))
    (number,) = connection.execute("SELECT id FROM batches WHERE name = ? AND kind = ?", (name, kind)).fetchone()
    return int(number)


def _add_chunk(job: _Add, new: Sequence[NewTask]) -> list[AddOutcome]:
    wishes = [cleaned(wish) for wish in new]
    keys = [(wish.url, wish.dir, wish.name) for wish in wishes]
    hashes = [identity_of(*key) for key in keys]
    there: dict[_Key, DownloadTask | FreshRow] = dict(_look_up(job, hashes))
    values = []
    outcomes = []
    first_id = job.next_id
    # The rows of a list share their options, which are long to write down.
    options, written = None, ""
    for wish, key, identity in zip(wishes, keys, hashes, strict=True):
        known = there.get(key)
        if known is not None:
            outcomes.append(_repeated(job, there, key, wish))
            continue
        row = FreshRow(job.next_id, job.next_position, wish, job.origin)
        job.next_id += 1
        job.next_position += POSITION_GAP
        if options is not wish.options:
            options, written = wish.options, encode_options(wish.options)
        values.append(insert_values(wish, row.id, row.position, identity, written))
        there[key] = row
        job.asked.add(key)
        if is_left(wish, None):
            there[key] = task = left(row.task(), wish.target, job.batch.at)
            job.over.append(Left(task.id, wish.target is TargetState.ARCHIVED))
            outcomes.append(AddOutcome(task, is_new=True, is_left=True))
        else:
            outcomes.append(AddOutcome(row, is_new=True))
    if values:
        insert_tasks(job.connection, job.origin, values, lease=job.lease, is_get=job.is_get)
        bounds = {"first": first_id, "last": job.next_id - 1}
        identities.take_in(job.connection, "id BETWEEN :first AND :last", bounds)
    return outcomes


def _repeated(job: _Add, there: dict[_Key, DownloadTask | FreshRow], key: _Key, wish: NewTask) -> AddOutcome:
    """Return what comes of a wish whose row is there already."""
    known = there[key]
    if isinstance(known, FreshRow):
        there[key] = known = known.task()
    task = known
    if key not in job.asked:
        there[key] = task = _with_wishes(job, known, wish)
        job.asked.add(key)
    is_over = is_left(wish, known) and known.owner == job.origin.owner
    if is_over and not is_left_already(known, wish.target):
        there[key] = task = left(task, wish.target, job.batch.at)
        job.over.append(Left(known.id, wish.target is TargetState.ARCHIVED))
    return AddOutcome(task, is_new=False, is_left=is_over)


def _look_up(job: _Add, hashes: list[int]) -> dict[_Key, DownloadTask]:
    """Return the rows that are there already, those of nobody taken over."""
    statement = SELECT_TASK.replace(" FROM tasks", ", asked, owner, is_get FROM tasks")
    found = job.connection.execute(
        f"{statement} WHERE {identities.WITH_IDENTITY}",
        identities.in_json(hashes),
    ).fetchall()
    there = {}
    taken: dict[tuple[Any, ...], list[int]] = {}
    for *row, asked, lease, is_get in found:
        task = decode(row)
        key = (task.url, task.dir, asked)
        is_ours = lease == job.lease
        there[key] = task if lease in job.hands_off else _taken_over(job, task, taken, is_ours=is_ours, is_get=is_get)
        if is_ours and job.batch.keeps_first:
            job.asked.add(key)
    # Of a list that is read again nearly all rows change alike.
    for values, ids in taken.items():
        job.connection.execute(_TAKE_OVER, (*values, json.dumps(ids)))
    return there


def _with_wishes(job: _Add, task: DownloadTask, wish: NewTask) -> DownloadTask:
    """Let the later wish decide how a row of ours is fetched (headers, priority): who repeats it means it so.

    What it does not speak of (a digest, mirrors) and what was learned of the bytes held stays.
    """
    priority = task.priority if wish.priority is None else wish.priority
    options = options_again(task.options, wish.options)
    is_same = task.options == options and task.priority == priority
    if task.owner != job.origin.owner or is_same or task.status in LIVE:
        return task
    job.connection.execute(
        "UPDATE tasks SET options = ?, priority = ? WHERE id = ?", (encode_options(options), priority, task.id)
    )
    return replace(task, options=options, priority=priority)


def _taken_over(
    job: _Add, task: DownloadTask, taken: dict[tuple[Any, ...], list[int]], *, is_ours: bool, is_get: bool
) -> DownloadTask:
    """Return a row as ours, to be written with those of `taken` that change alike.

    An orphan that was running goes back to the queue, a completed one keeps its batch.
    """
    status = task.status if is_ours else TRANSITIONS[Trigger.REQUEUE].get(task.status, task.status)
    # What a screen added stays on the screen; what it adds again comes (back) there.
    stays_get = is_get and job.batch.kind is BatchKind.GET
    is_moving = task.status is not Status.COMPLETED or stays_get != is_get
    batch_id = job.origin.batch_id if is_moving and not (is_ours and task.status in UNFINISHED) else task.batch_id
    ours = replace(task, status=status, batch_id=batch_id, owner=job.origin.owner)
    is_written = task.status in (Status.COMPLETED, Status.SKIPPED) and batch_id == task.batch_id and stays_get == is_get
    if is_written:
        return ours  # who has ended belongs to whoever asks, until it goes on
    if status is not task.status:
        ours = replace(ours, reason=None, reason_text="", due_at=None)
    values = (status.value, batch_id, stays_get, job.lease, ours.reason, ours.reason_text, ours.due_at)
    taken.setdefault(values, []).append(task.id)
    return ours
