"""Who may start now: slots, waiting tasks with due times, hosts that ask for patience."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import Reason, TuiDlError
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status, Trigger, can_advance
from tui_dl.engine.media_transfer import MediaTransfer, is_media_row
from tui_dl.engine.overtime import run_in_time
from tui_dl.engine.parker import Parker
from tui_dl.engine.picking import Picker
from tui_dl.engine.settling import Settler
from tui_dl.engine.short_transfer import ShortTransfer
from tui_dl.engine.slot import Slot
from tui_dl.engine.waiting import WaitingTasks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger
    from tui_dl.engine.live import LiveTask

logger = logging.getLogger(__name__)

LEAST_WAIT_S: Final = 0.02
TROUBLE_S: Final = 1.0
"""Pause after the journal could not be read."""


class Scheduler:
    """Starts tasks as slots come free; knows what runs and what waits."""

    def __init__(
        self,
        context: EngineContext,
        ledger: Ledger,
        strategy: Callable[[DownloadTask, Exception], bool] | None,
    ) -> None:
        self._context = context
        self._ledger = ledger
        self.running: dict[int, Slot] = {}
        """Tasks in hand, by id."""
        self._occupied: set[int] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = WaitingTasks(context, self._wake.set)
        self.parker = Parker(context, ledger, self._waiting, self.running, self._on_requeued)
        self._picker = Picker(context, self.running, self._waiting, self._can_start, self.parker.is_given_up)
        self._settler = Settler(context, ledger, self._waiting, self.parker, strategy, self._on_requeued)
        context.budgets.on_room = self._wake.set
        self._is_closing = False
        self._resting = 0

    # -- from outside --------------------------------------------------------------------------------------------------

    @property
    def slots_in_use(self) -> int:
        """Tasks that occupy a slot; those that only wait for their group's commit do not."""
        return len(self._occupied)

    @property
    def waiting(self) -> Mapping[int, LiveTask]:
        """Tasks that wait for a due time or for what holds them up, by id."""
        return self._waiting.lives

    def live_of(self, task_id: int) -> LiveTask | None:
        """Return a task that runs or waits for a due time, None for any other."""
        slot = self.running.get(task_id)
        return slot.live if slot is not None else self.waiting.get(task_id)

    @contextmanager
    def barring(self, ids: Collection[int]) -> Iterator[None]:
        """Start none of these meanwhile: what a person wants of them is on its way to the journal."""
        try:
            with self._picker.barring(ids):
                yield
        finally:
            self.look_again()

    def look_again(self) -> None:
        """Look for pending rows again: some were added or changed in the journal."""
        self._picker.look_again()
        self._idle.clear()
        self._wake.set()

    def sort_in(self, task_id: int) -> None:
        """Take a task's priority, that was changed, into account where it waits."""
        self._waiting.sort_in(task_id)

    def shrink(self) -> None:
        """Stop the youngest tasks beyond the limit; they go back to the queue as they are."""
        surplus = len(self._occupied) - self._context.settings.concurrent_downloads
        if surplus > 0:
            youngest = [slot for key, slot in self.running.items() if key in self._occupied][-surplus:]
            for slot in youngest:
                slot.transfer.stop()
        self._wake.set()

    async def stop(self, ids: Collection[int] | None, trigger: Trigger) -> list[DownloadTask]:
        """Stop what runs or waits of these tasks (None: all) and record what `trigger` makes of it."""
        slots = [slot for key, slot in self.running.items() if ids is None or key in ids]
        for slot in slots:
            slot.stop_trigger = trigger
            slot.transfer.stop()
        stopped = await self._settler.stop_waiting([key for key in self.waiting if ids is None or key in ids], trigger)
        for slot in slots:
            await slot.wait()
            # It may have ended by itself in that moment.
            if slot.live.task.id in self.waiting:
                stopped += await self._settler.stop_waiting([slot.live.task.id], trigger)
            elif slot.is_stopped:
                stopped.append(slot.live.task)
        return stopped

    async def retry_waiting(self, ids: Collection[int]) -> list[DownloadTask]:
        """Put what waits of these tasks back into the queue, to be tried at once; return their rows."""
        return await self._settler.stop_waiting([key for key in self.waiting if key in ids], Trigger.RETRY)

    async def run_until_idle(self) -> None:
        """Return when nothing runs, waits or is pending."""
        await self._idle.wait()

    async def aclose(self) -> None:
        """Stop all; everything is durable and back in the queue."""
        self._is_closing = True
        self._wake.set()
        await self.stop(None, Trigger.REQUEUE)
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._picker.aclose()
        await self._waiting.aclose()

    # -- the loop ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Start tasks until closed."""
        while not self._is_closing:
            self._wake.clear()
            try:
                await self._fill()
            except Exception as error:  # the border of the queue: were it to end in silence, all would wait for ever
                if isinstance(error, TuiDlError):
                    logger.warning("the queue cannot be read: %s", error)
                else:
                    logger.exception("a fault of ours in the queue")
                self._picker.doubt()
                await asyncio.sleep(TROUBLE_S)
                continue
            next_look_s = self._next_look_s()
            if next_look_s is None:
                await self._wake.wait()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(next_look_s):
                    await self._wake.wait()

    def _next_look_s(self) -> float | None:
        if not self._has_room() or self._picker.bars_all:
            return None
        if (paced_s := self._context.pacing.wait_s()) and (self.waiting or self._picker.may_have_more):
            return max(LEAST_WAIT_S, paced_s)
        waits = list(self._waiting.next_looks_s(self._context.clock()))
        if (host_due_s := self._picker.host_due_s()) is not None:
            waits.append(host_due_s)
        return max(LEAST_WAIT_S, min(waits)) if waits else None

    def _has_room(self) -> bool:
        return len(self._occupied) + self._resting < self._context.settings.concurrent_downloads

    def _can_start(self) -> bool:
        """Whether a task may start; it may not have been so any more since the journal was asked."""
        is_open = self._has_room() and not self._is_closing and not self._picker.bars_all
        return is_open and not self._context.pacing.wait_s()

    async def _fill(self) -> None:
        while self._can_start():
            live = await self._picker.take_next()
            if live is None:
                break
            self._launch(live)
        if not self.running:
            self.parker.hasten()
        if not (self.running or self.waiting or self._picker.may_have_more):
            self._idle.set()

    def _on_requeued(self) -> None:
        if not self._is_closing:
            self.look_again()

    # -- one task ------------------------------------------------------------------------------------------------------

    def _launch(self, live: LiveTask) -> None:
        key = live.task.id

        budget = self._context.budgets[live.task.host]
        is_media = is_media_row(self._context, live.task)
        kind = MediaTransfer if is_media else ShortTransfer
        slot = Slot(live, kind(self._context, live, partial(self._vacate, key)), budget)
        self.running[key] = slot
        self._occupied.add(key)
        budget.admit(self._context.clock())
        live.admitted_to = budget
        self._context.budgets.reach.take(slot.host)
        self._context.pacing.started(key)
        self._context.budgets.parking.started(slot.host, key)
        is_first = live.task.started_at is None
        started_at = self._context.wall_clock() if is_first else live.task.started_at
        live.may_be_named = not is_first
        if is_media:
            self._context.sites.started(live.task)
            if live.task.status is Status.WAITING:
                live.step(Trigger.REQUEUE)
        first = Trigger.RESOLVE if is_media else Trigger.START
        live.step(first, started_at=started_at, reason=None, reason_text="", due_at=None)
        self._ledger.tell(EventKind.STARTED if live.task.retry_count == 0 else EventKind.RETRYING, live.task)
        task = asyncio.get_running_loop().create_task(self._work(slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, slot: Slot) -> None:
        key = slot.live.task.id
        received_before = slot.live.received_bytes
        try:
            max_time_s = self._context.settings.max_time
            if max_time_s:
                outcome = await run_in_time(slot.transfer, slot.live, max_time_s, self._context.clock)
            else:
                outcome = await slot.transfer.run()
            await self._settler.settle(slot, outcome, has_progressed=slot.live.received_bytes > received_before)
        except Exception as error:  # noqa: BLE001  # the border of a task: a fault of ours fails it alone
            reason, text = _reason_of(error, key)
            if can_advance(slot.live.task.status, Trigger.FAIL):
                now = self._context.wall_clock()
                slot.live.step(Trigger.FAIL, reason=reason, reason_text=text, finished_at=now)
                self._ledger.record_soon(slot.live, EventKind.FAILED)
        finally:
            slot.live.arrive()
            self._context.pacing.ended(key)
            self._context.budgets.parking.ended(slot.host, key)
            self._vacate(key)
            del self.running[key]
            if isinstance(slot.transfer, MediaTransfer):
                self._context.sites.ended(slot.live.task)
                self._context.playlists.note(slot.live.task)
            slot.end()

    def _vacate(self, key: int) -> None:
        """Free the slot of a task, after the pause between the requests of a slot; a second call does nothing."""
        if key in self._occupied:
            self._occupied.discard(key)
            slot = self.running[key]
            slot.budget.tasks -= 1
            self._context.budgets.reach.leave(slot.host)
            if delay_ms := self._context.settings.delay_ms:
                self._resting += 1
                asyncio.get_running_loop().call_later(delay_ms / 1000, self._end_rest)
        self._wake.set()

    def _end_rest(self) -> None:
        self._resting -= 1
        self._wake.set()


def _reason_of(error: Exception, key: int) -> tuple[Reason, str]:
    """Return why a task failed by what no room below mapped, and log a fault of ours with where it is."""
    if isinstance(error, UnicodeEncodeError):
        # No room knows it: each system call with a path may say so, under a locale of one language.
        return Reason.NAME_REFUSED, "the name has letters that file names of this locale have not: set LANG=C.UTF-8"
    logger.error("task %s failed by a fault of ours", key, exc_info=error)
    return Reason.INTERNAL, f"a fault of tui-dl itself: {error!r}"
