"""Bulk steps on all rows of a query, window by window: no ids in memory, and nobody waits long behind them."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from tui_dl.core.errors import Reason, UsageError
from tui_dl.core.status import UNFINISHED, Status, Trigger
from tui_dl.journal import queue_steps
from tui_dl.journal.queue_steps import Selection
from tui_dl.journal.schema import POSITION_GAP
from tui_dl.journal.transitions import words
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from tui_dl.core.query import TaskQuery
    from tui_dl.core.sharing import PriorityChange
    from tui_dl.journal.owners import Owner
    from tui_dl.journal.threads import JournalThreads

FIRST_WINDOW: Final = 2_000
"""Ids of the first window; the next ones follow from how long it took."""
_LEAST_WINDOW: Final = 500
_MOST_WINDOW: Final = 200_000
_WINDOW_S: Final = 0.06
"""How long a window should take: what else is to be recorded waits as long."""
_MOST_GROWTH: Final = 4.0
_MOST_IDS: Final = 10_000
"""Ids that one statement names: writing down more of them would keep everybody else from the interpreter."""
_FARTHEST: Final = 1 << 61
"""Positions beyond which no row is moved: SQLite's integers end soon after."""


class Step(Protocol):
    """What is done with the rows of one window."""

    def __call__(self, connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        """Do it within a transaction; return how many rows changed."""
        ...


def stepping(trigger: Trigger, at: float) -> Step:
    """Step rows for which it is legal; `at` is the present Unix time."""

    def step(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        del is_first
        return queue_steps.bulk(connection, owner, trigger, selection, at)

    return step


def retrying(at: float, *, restarts: bool, starts_over: Collection[Reason]) -> Step:
    """Put what ended without a file back in the queue.

    What failed for one of `starts_over` drops what it holds, as `restarts` makes all of them do; not where digests of
    pieces tell which bytes are right.
    """
    reasons = json.dumps([reason.value for reason in starts_over])
    mark = (
        f"UPDATE tasks SET options = json_set({queue_steps.OPTIONS}, '$.restarts', json('true'))"  # noqa: S608  # ours
        " WHERE (:restarts OR reason IN (SELECT value FROM json_each(:reasons))"
        " AND NOT (reason = :mismatch AND options LIKE '%\"pieces\"%')) AND status IN"
    )
    values = {"restarts": restarts, "reasons": reasons, "mismatch": Reason.DIGEST_MISMATCH.value}

    def step(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        del is_first
        queue_steps.change_some(connection, owner, mark, Trigger.RETRY, selection, values)
        return queue_steps.bulk(connection, owner, Trigger.RETRY, selection, at)

    return step


def toggling(at: float) -> Step:
    """Pause what runs or is queued and resume what is paused, each row by itself."""

    def step(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        del is_first
        where, parameters = selection.condition()
        statement = f"SELECT id FROM {selection.table} WHERE status = '{Status.PAUSED.value}' AND {where}"  # noqa: S608  # fixed
        paused = [row[0] for row in connection.execute(statement, parameters)]
        changed = queue_steps.bulk(connection, owner, Trigger.PAUSE, selection, at)
        return changed + queue_steps.bulk(connection, owner, Trigger.RESUME, Selection(ids=paused), at)

    return step


def removing() -> Step:
    """Take rows out, kept aside for one `undo()`."""
    return queue_steps.remove


def prioritising(change: PriorityChange) -> Step:
    """Change the priority."""

    def step(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        del is_first
        return queue_steps.change_priority(connection, owner, selection, change)

    return step


def shifting(by: int) -> Step:
    """Move unfinished rows by so many positions."""

    def step(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        del is_first
        return queue_steps.shift(connection, owner, selection, by)

    return step


def _options_changing(new: str, values: Mapping[str, Any]) -> Step:
    def step(connection: sqlite3.Connection, owner: Owner, selection: Selection, *, is_first: bool) -> int:
        del is_first
        return queue_steps.change_options(connection, owner, selection, new, values)

    return step


def wishing(values: Mapping[str, Any]) -> Step:
    """Change what was asked for rows: fields of `TaskOptions` by name, as JSON knows them; None for nothing asked."""
    return _options_changing(f"json_patch({queue_steps.OPTIONS}, :values)", {"values": json.dumps(dict(values))})


def connecting(number: int, usual: int | None, least: int, most: int) -> Step:
    """Give each row at most so many connections; with `usual` so many more than it asks for, or than that."""
    held = queue_steps.OPTIONS
    base = "0" if usual is None else f"coalesce(json_extract({held}, '$.connections'), :usual)"
    new = f"json_set({held}, '$.connections', max(:least, min(:most, {base} + :number)))"
    return _options_changing(new, {"number": number, "usual": usual, "least": least, "most": most})


def way_to_end(
    connection: sqlite3.Connection, query: TaskQuery, ids: Sequence[int] | None = None, *, is_front: bool
) -> int:
    """Return by how much the unfinished rows of a query are to move to stand before, or behind, all others.

    Where `ids` are given, in ascending order, those alone.
    """
    ends = [end for piece in _pieces(ids) for end in _extent(connection, Selection(query, piece)) if end is not None]
    if not ends:
        return 0
    low, high = min(ends), max(ends)
    first, last = connection.execute("SELECT min(position), max(position) FROM tasks").fetchone()
    by = int(first - high - POSITION_GAP if is_front else last - low + POSITION_GAP)
    if max(abs(low + by), abs(high + by)) > _FARTHEST:
        raise UsageError("these rows were moved to an end of the queue too often; give them a priority instead")
    return by


def _pieces(ids: Sequence[int] | None) -> Iterator[Sequence[int] | None]:
    if ids is None:
        yield None
        return
    for start in range(0, len(ids), _MOST_IDS):
        yield ids[start : start + _MOST_IDS]


def _extent(connection: sqlite3.Connection, selection: Selection) -> tuple[int | None, int | None]:
    """Return the first and the last position of the unfinished ones among rows."""
    where, parameters = selection.condition()
    low, high = connection.execute(
        f"SELECT min(position), max(position) FROM {selection.table} WHERE status IN ({words(UNFINISHED)}) AND {where}",  # noqa: S608  # fixed parts
        parameters,
    ).fetchone()
    return low, high


@dataclass(frozen=True, slots=True)
class Sweep:
    """One bulk step on all rows of a query that were there when it began."""

    step: Step
    """What is done."""
    query: TaskQuery
    """With which rows; its order does not matter."""
    excluding_ids: Collection[int] = ()
    """Rows that it leaves alone."""
    ids: Sequence[int] | None = None
    """With these alone of them, in ascending order; None for all."""

    async def run(
        self,
        threads: JournalThreads,
        owner: Owner,
        *,
        in_hand: Callable[[], Collection[int]],
        on_progress: Callable[[int, int], None],
    ) -> int:
        """Do it; return how many rows changed, durably. `in_hand` names rows that are left alone at that moment.

        `on_progress` is called on the loop with rows looked at and rows there are. Rows whose step comes too late
        because they changed meanwhile are as if they had changed before.
        """
        first, last = await threads.ask(_bounds, Need.READ)
        after, window, changed, is_first = first - 1, FIRST_WINDOW, 0, True
        while after < last:
            until, ids = self._window(after, min(after + window, last))
            excluded = (*self.excluding_ids, *in_hand())
            selection = Selection(self.query, ids, excluded, above_id=after, up_to_id=until)
            need = Need.DURABLE if until == last else Need.WRITE
            took_s, count = await threads.ask(partial(self._timed, owner, selection, is_first=is_first), need)
            changed, after, is_first = changed + count, until, False
            on_progress(after - first + 1, last - first + 1)
            growth = min(_MOST_GROWTH, _WINDOW_S / max(took_s, 1e-6))
            window = max(_LEAST_WINDOW, min(int(window * growth), _MOST_WINDOW))
        return changed

    def _window(self, after: int, until: int) -> tuple[int, Sequence[int] | None]:
        """Return where the window behind `after` ends, and which ids in it are meant; None for all."""
        if self.ids is None:
            return until, None
        start = bisect_right(self.ids, after)
        ids = self.ids[start : min(bisect_right(self.ids, until), start + _MOST_IDS)]
        return ids[-1] if len(ids) == _MOST_IDS else until, ids

    def _timed(
        self, owner: Owner, selection: Selection, connection: sqlite3.Connection, *, is_first: bool
    ) -> tuple[float, int]:
        began_at = time.perf_counter()
        count = self.step(connection, owner, selection, is_first=is_first)
        return time.perf_counter() - began_at, count


def _bounds(connection: sqlite3.Connection) -> tuple[int, int]:
    # Two statements: each is one look at an end of the table, together they would be a walk over it.
    (first,) = connection.execute("SELECT coalesce(min(id), 1) FROM tasks").fetchone()
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM tasks").fetchone()
    return int(first), int(last)
