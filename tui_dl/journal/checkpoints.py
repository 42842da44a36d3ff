"""Checkpoints: which bytes of a part file were written, with their sums, and which are known durable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui_dl.core.crc32 import crc32
from tui_dl.core.extents import MOST_EXTENT_BYTES, Extent
from tui_dl.core.ranges import RangeSet

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_ZEROS: Final = memoryview(bytes(MOST_EXTENT_BYTES))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the journal knows of a part file; it claims at most what was recorded."""

    extents: list[Extent] = field(default_factory=list)
    """Written ranges with their sums, in order, disjoint; those beyond `synced` are to be read back and compared."""
    synced: RangeSet = field(default_factory=RangeSet)
    """Bytes that were synced to the disk before they were recorded."""


def joined_crc32(first: int, second: int, second_bytes: int) -> int:
    """Return the CRC-32 of two pieces in a row from the sums of each.

    CRC-32 is affine in its start value, so the sums of as many zeros show what the length does to the first one.
    """
    zeros = _ZEROS[:second_bytes]
    return second ^ crc32(zeros, first) ^ crc32(zeros)


def joined(extents: Iterable[Extent]) -> list[Extent]:
    """Return the extents with neighbours joined up to 1 MiB; of overlapping ones the later counts, the earlier goes."""
    done: list[Extent] = []
    for extent in extents:
        if done and can_join(done[-1], extent):
            first = done.pop()
            done.append(_join(first, extent))
        else:
            done.append(extent)
    return done


def can_join(first: Extent, second: Extent) -> bool:
    """Whether the second begins where the first ends and both together stay within the longest extent."""
    return first.end == second.start and second.end - first.start <= MOST_EXTENT_BYTES


def _join(first: Extent, second: Extent) -> Extent:
    both = joined_crc32(first.crc32, second.crc32, second.end - second.start)
    return Extent(first.start, second.end, both)


def add_written(connection: sqlite3.Connection, task_id: int, extents: Iterable[Extent]) -> None:
    """Record extents, joined with their recorded neighbours so that there are about as many rows as MiB."""
    for extent in joined(extents):
        _forget_overlapping(connection, task_id, extent.start, extent.end)
        before = connection.execute(
            "SELECT start, end, crc32 FROM extents WHERE task_id = ? AND start < ? ORDER BY start DESC LIMIT 1",
            (task_id, extent.start),
        ).fetchone()
        after = connection.execute(
            "SELECT start, end, crc32 FROM extents WHERE task_id = ? AND start = ?", (task_id, extent.end)
        ).fetchone()
        whole = extent
        if before is not None and can_join(Extent(*before), whole):
            whole = _join(Extent(*before), whole)
        if after is not None and can_join(whole, Extent(*after)):
            whole = _join(whole, Extent(*after))
            connection.execute("DELETE FROM extents WHERE task_id = ? AND start = ?", (task_id, after[0]))
        connection.execute("INSERT OR REPLACE INTO extents VALUES (?, ?, ?, ?)", (task_id, *whole))


def _forget_overlapping(connection: sqlite3.Connection, task_id: int, start: int, end: int) -> None:
    # Recorded extents are disjoint, so only the last one that begins before may reach in.
    connection.execute(
        "DELETE FROM extents WHERE task_id = :task AND start < :end AND end > :start AND start >= coalesce("
        "(SELECT max(start) FROM extents WHERE task_id = :task AND start <= :start), 0)",
        {"task": task_id, "start": start, "end": end},
    )


def set_synced(connection: sqlite3.Connection, task_id: int, synced: RangeSet) -> None:
    """Record which bytes are known durable."""
    pairs = json.dumps([[start, end] for start, end in synced])
    connection.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (task_id, pairs))


def read_checkpoint(connection: sqlite3.Connection, task_id: int) -> Checkpoint:
    """Return what is recorded of a task's part file; an empty checkpoint where nothing is."""
    rows = connection.execute("SELECT start, end, crc32 FROM extents WHERE task_id = ? ORDER BY start", (task_id,))
    return Checkpoint([Extent(*row) for row in rows], _read_synced(connection, task_id))


def _read_synced(connection: sqlite3.Connection, task_id: int) -> RangeSet:
    row = connection.execute("SELECT synced FROM checkpoints WHERE task_id = ?", (task_id,)).fetchone()
    return RangeSet((start, end) for start, end in json.loads(row[0])) if row is not None else RangeSet()


def forget(connection: sqlite3.Connection, task_id: int) -> None:
    """Claim nothing of a task's part file any more."""
    connection.execute("DELETE FROM extents WHERE task_id = ?", (task_id,))
    connection.execute("DELETE FROM checkpoints WHERE task_id = ?", (task_id,))


def drop(connection: sqlite3.Connection, task_id: int, start: int, end: int) -> None:
    """Claim nothing of `start <= offset < end` any more; an extent that reaches in goes as a whole."""
    _forget_overlapping(connection, task_id, start, end)
    synced = _read_synced(connection, task_id)
    if synced.overlaps(start, end):
        synced.remove(start, end)
        set_synced(connection, task_id, synced)
