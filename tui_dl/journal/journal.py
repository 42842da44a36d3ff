"""The journal: the durable store of queue, ranges and history, asked and told from the event loop."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from tui_dl.core.query import TaskQuery
from tui_dl.core.status import FINISHED, Status
from tui_dl.journal import (
    adding,
    batches,
    checkpoints,
    failures,
    owners,
    placing,
    queue_steps,
    readdressing,
    sweeping,
    tables,
    views,
)
from tui_dl.journal.adding import Batch, BatchKind
from tui_dl.journal.opening import MOUNTS, Opened, open_file, open_memory
from tui_dl.journal.playlists import PlaylistBook
from tui_dl.journal.queue_steps import Selection
from tui_dl.journal.records import write_tasks
from tui_dl.journal.remembered import Remembered
from tui_dl.journal.shards import ShardBook
from tui_dl.journal.threads import JournalThreads
from tui_dl.journal.writer import Need, read_state

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from tui_dl.core.events import LogLine
    from tui_dl.core.extents import Extent
    from tui_dl.core.places import Place
    from tui_dl.core.ports import BatchView, FailureGroup
    from tui_dl.core.ranges import RangeSet
    from tui_dl.core.sharing import PriorityChange
    from tui_dl.core.status import Trigger
    from tui_dl.core.task import DownloadTask, NewTask
    from tui_dl.journal.checkpoints import Checkpoint
    from tui_dl.journal.outcomes import AddOutcome
    from tui_dl.journal.placing import Placed
    from tui_dl.journal.readdressing import AddressChange, Readdressed
    from tui_dl.journal.sweeping import Sweep
    from tui_dl.journal.views import Having

_MOST_ADDED: Final = 5_000
"""Wishes in one transaction: checkpoints of running transfers and other processes wait no longer than that."""


class Journal:
    """One open journal. Methods without `await` never block; the others resolve when the disk has answered.

    A crash at any instant leaves a journal that claims at most what was recorded; what a durable call
    acknowledged survives a power cut. All methods belong to the event loop that opened it.
    Durable calls raise `FileSystemError` where the disk refuses; grouped records are kept then and tried again.
    """

    def __init__(self, path: Path | None, opened: Opened, clock: Callable[[], float]) -> None:
        self.path = path
        """The file; None in memory."""
        self.instance_id: str = opened.owner.instance
        """Our random id; rows that we run carry it as their owner."""
        self._clock = clock
        self._owner = opened.owner
        self._lock = opened.lock
        self._lasting_notices = opened.notices
        self._threads = JournalThreads(path, opened)
        self._read, self._look, self._ask = self._threads.read, self._threads.look, self._threads.ask
        self.shards = ShardBook(self._threads.ask)
        """Which finished file is in which tar shard."""
        self.playlists = PlaylistBook(self._threads.ask, opened.owner)
        """Entries of playlists, and forms remembered by site."""
        self.remembered = Remembered(self._threads)
        """Runs of batches, and what was done before."""

    @classmethod
    async def open(
        cls,
        path: Path | None,
        *,
        instance_folder: Path | None = None,
        clock: Callable[[], float] = time.time,
        mounts: Path = MOUNTS,
    ) -> Journal:
        """Open the journal at `path`, made where there is none; None keeps everything in memory.

        Raises `FileSystemError` where the folder cannot be used, `UsageError` for a newer version.
        """
        if path is None:
            opened = await asyncio.to_thread(open_memory)
        else:
            locks = instance_folder or path.parent / "instances"
            opened = await asyncio.to_thread(open_file, path, locks, clock, mounts)
        return cls(path, opened, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # What is known without asking

    @property
    def generation(self) -> int:
        """Grows with every row added, removed, moved or changed in status, as far as known here."""
        return self._threads.state.generation

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know: a journal that was replaced, a disk that refuses to write."""
        trouble = self._threads.state.trouble
        if trouble is None:
            return self._lasting_notices
        return (*self._lasting_notices, f"The journal cannot be written: {trouble.message}. {trouble.hint}")

    def counts(self) -> dict[Status, int]:
        """Return the rows of the screen's default view by status, every status named."""
        return dict(self._threads.state.counts)

    async def refresh(self) -> bool:
        """Take notice of what other processes changed; return whether the generation grew."""
        before = self.generation
        found = await self._look(read_state)
        self._threads.publish(replace(found, trouble=self._threads.state.trouble))
        return self.generation != before

    # The queue

    async def add(
        self,
        new: Sequence[NewTask],
        *,
        batch: str,
        at: float,
        kind: BatchKind = BatchKind.SCREEN,
        keeps_first: bool = False,
    ) -> list[AddOutcome]:
        """Add rows, one outcome for each wish in order; durable on return.

        What is there already (same address, folder and name asked) is not added again. A row of nobody becomes ours:
        unfinished it is back in the queue, failed, cancelled, skipped or completed it stays so and the caller decides.
        A row that another living process owns is returned as it is, with that owner. A wish for a row that is ours
        already decides anew how it is fetched, with `keeps_first` it does not; of those of one add the first decides.
        """
        wishes = tuple(new)
        outcomes: list[AddOutcome] = []
        for start in range(0, len(wishes), _MOST_ADDED):
            piece = wishes[start : start + _MOST_ADDED]
            add = partial(adding.add, owner=self._owner, new=piece, batch=Batch(batch, kind, at, keeps_first))
            outcomes += await self._ask(add, Need.DURABLE)
        return outcomes

    async def adopt_orphans(self, *, batch_id: int | None = None, wants_ids: bool = True) -> array[int]:
        """Make unfinished rows of dead processes ours, those that ran back in the queue; return their ids in order.

        Without `wants_ids` none are listed, which is quick also for a million.
        """
        step = partial(owners.adopt_orphans, owner=self._owner, batch_id=batch_id, wants_ids=wants_ids)
        return await self._ask(step, Need.DURABLE)

    async def next_pending(
        self, limit: int, *, excluding_hosts: Collection[str] = (), excluding_ids: Collection[int] = ()
    ) -> list[DownloadTask]:
        """Return our next pending rows by priority and position."""
        # Rows whose newer state is not committed yet would look pending still.
        ids = {*excluding_ids, *self._threads.unsaved}
        hosts = tuple(excluding_hosts)
        return await self._look(lambda connection: views.next_pending(connection, self.instance_id, limit, hosts, ids))

    async def save(self, task: DownloadTask, *, is_durable: bool) -> None:
        """Record the state of a task that we own; durable on return, or within `GROUP_S` if that was not asked for.

        Position, priority, batch and owner are the journal's own and are not written. Completion drops the checkpoint.
        """
        if is_durable:
            await self.save_many((task,))
        else:
            self.save_soon(task)

    def save_soon(self, task: DownloadTask) -> None:
        """Record the state of a task that we own within `threads.GROUP_S`; of several the last one counts."""
        self._threads.unsaved[task.id] = self._threads.tell().saves[task.id] = task

    async def save_many(self, tasks: Sequence[DownloadTask]) -> None:
        """Record the state of many tasks in one transaction; durable on return."""
        held = tuple(tasks)
        for task in held:
            self._threads.take_back(task.id)
            self._threads.unsaved[task.id] = task
        try:
            await self._ask(lambda connection: write_tasks(connection, self.instance_id, held), Need.DURABLE)
        finally:
            self._threads.forget_unsaved(held)

    async def bulk(
        self,
        trigger: Trigger,
        query: TaskQuery | None = None,
        ids: Sequence[int] | None = None,
        *,
        excluding_ids: Collection[int] = (),
    ) -> int:
        """Step all rows of a query or of these ids for which `advance()` is legal; return how many; durable.

        Rows of other living processes stay as they are; the engine excludes its live ones and steps them itself.
        """
        selection = Selection(query, ids, tuple(excluding_ids))
        at = self._clock()
        return await self._ask(
            lambda connection: queue_steps.bulk(connection, self._owner, trigger, selection, at), Need.DURABLE
        )

    async def sweep(
        self,
        sweep: Sweep,
        *,
        in_hand: Callable[[], Collection[int]] = tuple,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        """Carry out a bulk step on all rows of a query, in many transactions; return how many changed; durable."""
        return await sweep.run(self._threads, self._owner, in_hand=in_hand, on_progress=on_progress)

    async def way_to_end(self, query: TaskQuery, ids: Sequence[int] | None = None, *, is_front: bool) -> int:
        """Return by how much a query's rows, or these of them, are to be shifted to stand before, or behind, all."""
        return await self._read(lambda connection: sweeping.way_to_end(connection, query, ids, is_front=is_front))

    async def move(self, ids: Sequence[int], *, up: bool) -> int:
        """Swap unfinished rows with their neighbours in the queue; return how many moved."""
        held = tuple(ids)
        return await self._ask(lambda connection: queue_steps.move(connection, held, is_up=up), Need.DURABLE)

    async def place(self, ids: Sequence[int], wanted: Place) -> Placed:
        """Put rows that wait for their turn at a counted place of the queue; durable."""
        held = tuple(ids)
        return await self._ask(lambda connection: placing.place(connection, held, wanted), Need.DURABLE)

    async def change_priority(self, ids: Sequence[int], change: PriorityChange) -> int:
        """Change the priority of rows; return how many it changed; durable."""
        selection = Selection(ids=tuple(ids))
        step = partial(queue_steps.change_priority, owner=self._owner, selection=selection, change=change)
        return await self._ask(step, Need.DURABLE)

    async def remove(self, ids: Sequence[int]) -> int:
        """Take rows out, kept aside for one `undo()`; return how many. Rows of other living processes stay."""
        selection = Selection(ids=tuple(ids))
        return await self._ask(lambda connection: queue_steps.remove(connection, self._owner, selection), Need.DURABLE)

    async def readdress(self, change: AddressChange) -> Readdressed:
        """Give a row that nobody runs another address; durable. The outcome says what stands against it."""
        return await self._ask(lambda connection: readdressing.readdress(connection, self._owner, change), Need.DURABLE)

    async def clear_finished(self) -> int:
        """Take out all finished rows that the default view shows, kept aside for one `undo()`; return how many."""
        selection = Selection(TaskQuery(statuses=FINISHED))
        return await self._ask(lambda connection: queue_steps.remove(connection, self._owner, selection), Need.DURABLE)

    async def undo(self) -> int:
        """Bring back what the last removal of this process took out; return how many rows."""
        restored, has_more = 0, True
        while has_more:
            step = partial(queue_steps.undo, owner=self._owner, most=_MOST_ADDED)
            count, has_more = await self._ask(step, Need.DURABLE)
            restored += count
        return restored

    async def expire_history(self, days: float, now: float) -> int:
        """Forget finished rows that ended more than `days` before `now`; return how many."""
        return await self._ask(lambda connection: queue_steps.expire(connection, self._owner, days, now), Need.DURABLE)

    # Checkpoints

    def record_written(self, task_id: int, extents: Sequence[Extent]) -> None:
        """Record extents that were handed to the kernel, within `threads.GROUP_S`; disjoint from what is held."""
        self._threads.tell().extents.setdefault(task_id, []).extend(extents)

    async def settle(self) -> None:
        """Return when all that was told before survives the end of this process, though not a power cut."""
        await self._ask(lambda _: None, Need.WRITE)

    async def record_synced(self, task_id: int, ranges: RangeSet) -> None:
        """Record all bytes of a part file that were synced before this call; durable on return."""
        held = ranges.copy()
        await self._ask(lambda connection: checkpoints.set_synced(connection, task_id, held), Need.DURABLE)

    async def load_checkpoint(self, task_id: int) -> Checkpoint:
        """Return what is recorded of a part file, with all that was told before."""
        return await self._ask(lambda connection: checkpoints.read_checkpoint(connection, task_id), Need.READ)

    async def forget_checkpoint(self, task_id: int) -> None:
        """Claim nothing of a part file any more; durable on return."""
        await self._ask(lambda connection: checkpoints.forget(connection, task_id), Need.DURABLE)

    async def drop_extents(self, task_id: int, start: int, end: int) -> None:
        """Claim nothing of `start <= offset < end` any more; durable on return."""
        await self._ask(lambda connection: checkpoints.drop(connection, task_id, start, end), Need.DURABLE)

    # Views

    async def ids(self, query: TaskQuery, *, limit: int = -1) -> array[int]:
        """Return the ids of matching rows in order, as committed when it was asked; at most `limit`, -1 for all."""
        return await self._read(lambda connection: views.ids_of(connection, query, limit))

    async def ids_having(self, query: TaskQuery, having: Having) -> array[int]:
        """Return the ids of matching rows of which that is true as well, in no order, as committed."""
        return await self._read(lambda connection: views.ids_having(connection, query, having))

    async def failure_groups(self, query: TaskQuery) -> list[FailureGroup]:
        """Return the failed rows that match, by reason and host, the largest group first."""
        return await self._read(lambda connection: failures.groups_of(connection, query))

    async def ids_among(self, ids: Collection[int], query: TaskQuery) -> array[int]:
        """Return those of these ids whose rows match, in no order, with all that was told before."""
        selection = Selection(query, tuple(ids))
        return await self._ask(lambda connection: views.ids_selected(connection, selection), Need.READ)

    async def rows(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return the rows of these ids, in this order; ids that are gone are left out."""
        held = tuple(ids)
        return await self._look(lambda connection: views.rows_of(connection, held))

    async def ids_named(self, prefix: str) -> list[int]:
        """Return at most two tasks whose gid begins with these hexadecimal digits."""
        return await self._read(lambda connection: views.ids_named(connection, prefix))

    async def is_part_of_another(self, part_path: str, task_id: int) -> bool:
        """Whether any other task counts on this part file, removed ones included; looks at all rows."""
        return await self._read(lambda connection: views.is_part_of_another(connection, part_path, task_id))

    async def children(self, ids: Sequence[int]) -> list[DownloadTask]:
        """Return the rows that these brought (the files of Metalinks), in the order of the queue."""
        held = tuple(ids)
        return await self._look(lambda connection: views.children_of(connection, held))

    async def get(self, task_id: int) -> DownloadTask | None:
        """Return one row with all that was told before; None if it is gone."""
        rows = await self._ask(lambda connection: views.rows_of(connection, (task_id,)), Need.READ)
        return rows[0] if rows else None

    async def batches(self) -> list[BatchView]:
        """Return all batches that have rows, the newest first."""
        return await self._read(batches.read_batches)

    async def batch_names(self) -> list[str]:
        """Return the names of the last batches, the newest first; no row is looked at."""
        return await self._look(batches.read_names)

    async def batch(self, batch_id: int) -> BatchView | None:
        """Return one batch with all that was told before; None if its rows are gone."""
        await self.settle()
        return await self._read(lambda connection: batches.read_batch(connection, batch_id))

    # Log and hosts

    def log(self, task_id: int, line: LogLine) -> None:
        """Append a line to a task's log within `threads.GROUP_S`; the last `records.LOG_LINES` are kept."""
        self._threads.tell().log.append((task_id, line))

    async def log_of(self, task_id: int) -> tuple[LogLine, ...]:
        """Return a task's log, oldest first, with all that was told before."""
        return await self._ask(lambda connection: tables.read_log(connection, task_id), Need.READ)

    async def save_hosts(self, hosts: Mapping[str, Mapping[str, Any]], at: float, *, keep_s: float) -> None:
        """Record what was learned of hosts (JSON values) and forget what is older than `keep_s`."""
        texts = {host: json.dumps(dict(facts)) for host, facts in hosts.items()}
        await self._ask(lambda connection: tables.write_hosts(connection, texts, at, keep_s), Need.WRITE)

    async def load_hosts(self) -> dict[str, tuple[dict[str, Any], float]]:
        """Return what was learned of each host, and when."""
        return await self._ask(tables.read_hosts, Need.READ)

    # Life

    async def flush(self) -> None:
        """Force all grouped records out; durable on return."""
        await self._ask(lambda _: None, Need.DURABLE)

    async def aclose(self) -> None:
        """Write what is left, close the file and let go of our rows; closed even where the disk refuses it."""
        if self._threads.is_closed:
            return
        try:
            await self._ask(lambda connection: queue_steps.bury(connection, self.instance_id), Need.DURABLE)
        finally:
            await self._threads.aclose()
            if self._lock is not None:
                await asyncio.to_thread(self._lock.release)
