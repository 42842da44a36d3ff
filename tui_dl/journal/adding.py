"""Add rows to the queue: each address and target once, by look-up, in chunks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from tui_dl.core.status import LIVE, TRANSITIONS, UNFINISHED, Status, Trigger
from tui_dl.core.task import TargetState, options_again
from tui_dl.journal.leaving import Left, is_left, is_left_already, left, record_left
from tui_dl.journal.schema import POSITION_GAP
from tui_dl.journal.task_rows import (
    SELECT_TASK,
    clean,
    cleaned,
    decode,
    encode_options,
    identity_of,
    insert_tasks,
    insert_values,
    task_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.owners import Owner

_CHUNK: Final = 500
"""Wishes looked up and inserted at a time."""


class BatchKind(StrEnum):
    """Who added a batch: it decides what the screen shows once its rows are finished."""

    SCREEN = "screen"
    GET = "get"


class AddOutcome(NamedTuple):
    """What came of one wish."""

    task: DownloadTask
    """The row as it stands now; ours to run only if its owner is our instance."""
    is_new: bool
    """Whether the row was made by this add; False: the same address and target was there already."""
    is_left: bool = False
    """Whether this add ended it as skipped: its target was there before the batch began."""


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
    owner: Owner
    batch: Batch
    batch_id: int
    lease: int
    hands_off: frozenset[int]
    """Leases of other processes that are alive."""
    next_id: int
    next_position: int
    asked: set[_Key] = field(default_factory=set)
    """What was asked for already; no later wish changes how it is fetched."""


def add(connection: sqlite3.Connection, owner: Owner, new: Sequence[NewTask], batch: Batch) -> list[AddOutcome]:
    """Add what is not there yet and take over what belongs to nobody; one outcome for each wish, in order."""
    (last_position,) = connection.execute("SELECT coalesce(max(position), 0) FROM tasks").fetchone()
    last_id = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'").fetchone()
    job = _Add(
        connection=connection,
        owner=owner,
        batch=batch,
        batch_id=batch_id_of(connection, batch),
        lease=owner.lease(connection),
        hands_off=frozenset(owner.foreign(connection)),
        next_id=(last_id[0] if last_id is not None else 0) + 1,
        next_position=last_position + POSITION_GAP,
    )
    outcomes: list[AddOutcome] = []
    for start in range(0, len(new), _CHUNK):
        outcomes.extend(_add_chunk(job, new[start : start + _CHUNK]))
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
    identities = [identity_of(*key) for key in keys]
    there = _look_up(job, identities)
    values = []
    outcomes = []
    over: list[Left] = []
    # The rows of a list share their options, which are long to write down.
    options, written = None, ""
    for wish, key, identity in zip(wishes, keys, identities, strict=True):
        known = there.get(key)
        if known is not None:
            if key not in job.asked:
                there[key] = _with_wishes(job, known, wish)
                job.asked.add(key)
            is_over = is_left(wish, known) and known.owner == job.owner.instance
            if is_over and not is_left_already(known, wish.target):
                there[key] = left(there[key], wish.target, job.batch.at)
                over.append(Left(known.id, wish.target is TargetState.ARCHIVED))
            outcomes.append(AddOutcome(there[key], is_new=False, is_left=is_over))
            continue
        task = task_of(
            wish,
            task_id=job.next_id,
            position=job.next_position,
            batch_id=job.batch_id,
            owner=job.owner.instance,
            at=job.batch.at,
        )
        job.next_id += 1
        job.next_position += POSITION_GAP
        is_get = job.batch.kind is BatchKind.GET
        is_over = is_left(wish, None)
        if is_over:
            task = left(task, wish.target, job.batch.at)
            over.append(Left(task.id, wish.target is TargetState.ARCHIVED))
        if options is not task.options:
            options, written = task.options, encode_options(task.options)
        values.append(
            insert_values(task, lease=job.lease, is_get=is_get, identity=identity, asked=key[2], options=written)
        )
        there[key] = task
        job.asked.add(key)
        outcomes.append(AddOutcome(task, is_new=True, is_left=is_over))
    insert_tasks(job.connection, values)
    record_left(job.connection, over, job.batch.at)
    return outcomes


def _look_up(job: _Add, identities: list[int]) -> dict[_Key, DownloadTask]:
    """Return the rows that are there already, those of nobody taken over."""
    statement = SELECT_TASK.replace(" FROM tasks", ", asked, owner, is_get FROM tasks")
    found = job.connection.execute(
        f"{statement} WHERE identity IN (SELECT value FROM json_each(?))",  # noqa: S608  # fixed parts
        (json.dumps(identities),),
    ).fetchall()
    there = {}
    for *row, asked, lease, is_get in found:
        task = decode(row)
        key = (task.url, task.dir, asked)
        is_ours = lease == job.lease
        there[key] = task if lease in job.hands_off else _take_over(job, task, is_ours=is_ours, is_get=is_get)
        if is_ours and job.batch.keeps_first:
            job.asked.add(key)
    return there


def _with_wishes(job: _Add, task: DownloadTask, wish: NewTask) -> DownloadTask:
    """Let the later wish decide how a row of ours is fetched (headers, priority): who repeats it means it so.

    What it does not speak of (a digest, mirrors) and what was learned of the bytes held stays.
    """
    priority = task.priority if wish.priority is None else wish.priority
    options = options_again(task.options, wish.options)
    is_same = task.options == options and task.priority == priority
    if task.owner != job.owner.instance or is_same or task.status in LIVE:
        return task
    job.connection.execute(
        "UPDATE tasks SET options = ?, priority = ? WHERE id = ?", (encode_options(options), priority, task.id)
    )
    return replace(task, options=options, priority=priority)


def _take_over(job: _Add, task: DownloadTask, *, is_ours: bool, is_get: bool) -> DownloadTask:
    """Make a row ours; an orphan that was running goes back to the queue, a completed one keeps its batch."""
    status = task.status if is_ours else TRANSITIONS[Trigger.REQUEUE].get(task.status, task.status)
    # What a screen added stays on the screen; what it adds again comes (back) there.
    stays_get = is_get and job.batch.kind is BatchKind.GET
    is_moving = task.status is not Status.COMPLETED or stays_get != is_get
    batch_id = job.batch_id if is_moving and not (is_ours and task.status in UNFINISHED) else task.batch_id
    taken = replace(task, status=status, batch_id=batch_id, owner=job.owner.instance)
    is_written = task.status in (Status.COMPLETED, Status.SKIPPED) and batch_id == task.batch_id and stays_get == is_get
    if is_written:
        return taken  # who has ended belongs to whoever asks, until it goes on
    if status is not task.status:
        taken = replace(taken, reason=None, reason_text="", due_at=None)
    job.connection.execute(
        "UPDATE tasks SET status = ?, batch_id = ?, is_get = ?, owner = ?, reason = ?, reason_text = ?, due_at = ?"
        " WHERE id = ?",
        (status.value, batch_id, stays_get, job.lease, taken.reason, taken.reason_text, taken.due_at, task.id),
    )
    return taken
