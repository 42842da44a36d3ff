"""Who may start now: slots, waiting tasks with due times, hosts that ask for patience."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import Reason, TuiDlError
from tui_dl.core.events import EventKind
from tui_dl.core.sharing import LOWEST
from tui_dl.core.status import Status, Trigger, can_advance
from tui_dl.engine.answered import facts_of_failure
from tui_dl.engine.ledger import save_rows
from tui_dl.engine.live import LiveTask
from tui_dl.engine.outcome import End, Outcome
from tui_dl.engine.overtime import run_in_time
from tui_dl.engine.ready_queue import ReadyQueue
from tui_dl.engine.retrying import LOCAL_WAITS, next_step
from tui_dl.engine.slot import Slot
from tui_dl.engine.transfer import Transfer
from tui_dl.engine.waiting import POLL_S, WaitingTasks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger

logger = logging.getLogger(__name__)

PAGE_TASKS: Final = 256
"""Pending rows fetched from the journal at a time."""
LEAST_WAIT_S: Final = 0.02
TROUBLE_S: Final = 1.0
"""Pause after the journal could not be read."""
MOST_DOUBLINGS: Final = 5
"""How often the pause of a local wait without progress doubles: each attempt costs the server a request."""
STOPPED_EVENTS: Final = {Trigger.PAUSE: EventKind.PAUSED, Trigger.CANCEL: EventKind.CANCELLED}


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
        self._strategy = strategy
        self.running: dict[int, Slot] = {}
        """Tasks in hand, by id."""
        self._occupied: set[int] = set()
        self._ready = ReadyQueue()
        self._may_have_pending = True
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = WaitingTasks(context, self._wake.set)
        context.budgets.on_room = self._wake.set
        self._is_closing = False
        self._host_due_s: float | None = None
        self._resting = 0
        self._looks = 0
        self._barred: list[Collection[int]] = []
        self._passed_over: frozenset[str] = frozenset()

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
        self._barred.append(ids)
        try:
            yield
        finally:
            self._barred.remove(ids)
            self.look_again()

    def look_again(self) -> None:
        """Look for pending rows again: some were added or changed in the journal."""
        self._looks += 1
        self._ready.clear()
        self._passed_over = frozenset()
        self._may_have_pending = True
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
        stopped = await self._stop_waiting([key for key in self.waiting if ids is None or key in ids], trigger)
        for slot in slots:
            await slot.done.wait()
            # It may have ended by itself in that moment.
            if slot.live.task.id in self.waiting:
                stopped += await self._stop_waiting([slot.live.task.id], trigger)
            elif slot.is_stopped:
                stopped.append(slot.live.task)
        return stopped

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
                self._may_have_pending = True
                await asyncio.sleep(TROUBLE_S)
                continue
            try:
                async with asyncio.timeout(self._next_look_s()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _next_look_s(self) -> float | None:
        if not self._has_room():
            return None
        waits = list(self._waiting.next_looks_s(self._context.clock()))
        if self._host_due_s is not None:
            waits.append(self._host_due_s)
        return max(LEAST_WAIT_S, min(waits)) if waits else None

    def _has_room(self) -> bool:
        return len(self._occupied) + self._resting < self._context.settings.concurrent_downloads

    def _can_start(self) -> bool:
        """Whether a task may start; it may not have been so any more since the journal was asked."""
        return self._has_room() and not self._is_closing

    async def _fill(self) -> None:
        while self._can_start():
            live = await self._take_next()
            if live is None:
                break
            self._launch(live)
        if not (self.running or self.waiting or self._ready or self._may_have_pending):
            self._idle.set()

    async def _take_next(self) -> LiveTask | None:
        """Take a task; hosts that do not answer must not hold up those that do."""
        slots = self._context.settings.concurrent_downloads
        for can_host in self._context.budgets.reach.preferences(slots):
            live = await self._take_of(can_host)
            if live is not None:
                return live
        return None

    async def _take_of(self, can_host: Callable[[str], bool]) -> LiveTask | None:
        """Take what waited long enough before what never began, unless that has a higher priority."""
        priority = self._waiting.highest_priority(self._context.clock(), can_host)
        if priority is not None:
            highest = self._ready.highest_priority
            if highest is not None and highest > priority:
                live = await self._take_ready(can_host, above=priority)
                if live is not None:
                    return live
            live = self._waiting.take(self._context.clock(), can_host, self._is_free) if self._can_start() else None
            if live is not None:
                return live
        return await self._take_ready(can_host)

    async def _take_ready(self, can_host: Callable[[str], bool], *, above: int = LOWEST - 1) -> LiveTask | None:
        if not self._ready and self._may_have_pending:
            await self._fetch_page(frozenset())
        live = self._pick(can_host, above)
        while live is None and self._ready and self._may_have_pending and self._can_start():
            # A page of hosts that bear no more must not keep others waiting.
            hosts = self._ready.hosts
            if hosts == self._passed_over:
                break
            self._passed_over = hosts
            await self._fetch_page(hosts)
            live = self._pick(can_host, above)
        return live

    def _pick(self, can_host: Callable[[str], bool], above: int) -> LiveTask | None:
        if not self._can_start():
            return None
        now, budgets = self._context.clock(), self._context.budgets
        task = self._ready.take(
            lambda host: can_host(host) and budgets.can_admit(host, now),
            lambda task: task.priority > above and self._may_start(task),
        )
        waits = (budgets[host].wait_s(now) or POLL_S for host in self._ready.hosts_aside)
        self._host_due_s = min(waits, default=None)
        for host in self._ready.hosts_aside:
            self._context.crowds.hunger(budgets[host], now)
        if task is None:
            return None
        return LiveTask(task, wall_clock=self._context.wall_clock, traffic=self._context.traffic)

    def _may_start(self, task: DownloadTask) -> bool:
        return self._waiting.is_open_for(task) and self._is_free(task)

    def _is_free(self, task: DownloadTask) -> bool:
        """Whether nothing that a person wants of it is on its way to the journal."""
        return not any(task.id in ids for ids in self._barred)

    async def _fetch_page(self, excluding_hosts: Collection[str]) -> None:
        looks = self._looks
        self._may_have_pending = False
        in_hand = [*self.running, *self.waiting]
        page = await self._context.journal.next_pending(
            PAGE_TASKS, excluding_hosts=excluding_hosts, excluding_ids=in_hand
        )
        if looks != self._looks:
            return  # rows changed while the journal was asked: what it answered may be old
        # A task may have been taken in hand while the journal was asked.
        self._ready.extend(task for task in page if task.id not in self.running and task.id not in self.waiting)
        self._may_have_pending = len(page) == PAGE_TASKS or bool(excluding_hosts)
        if page:
            self._passed_over = frozenset()

    # -- one task ------------------------------------------------------------------------------------------------------

    def _launch(self, live: LiveTask) -> None:
        key = live.task.id

        budget = self._context.budgets[live.task.host]
        slot = Slot(live, Transfer(self._context, live, partial(self._vacate, key)), budget)
        self.running[key] = slot
        self._occupied.add(key)
        budget.admit(self._context.clock())
        live.admitted_to = budget
        self._context.budgets.reach.take(slot.host)
        is_first = live.task.started_at is None
        started_at = self._context.wall_clock() if is_first else live.task.started_at
        live.may_be_named = not is_first
        live.step(Trigger.START, started_at=started_at, reason=None, reason_text="", due_at=None)
        self._ledger.tell(EventKind.STARTED if live.task.retry_count == 0 else EventKind.RETRYING, live.task)
        task = asyncio.ensure_future(self._work(slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, slot: Slot) -> None:
        key = slot.live.task.id
        received_before = slot.live.received_bytes
        try:
            outcome = await run_in_time(slot.transfer, slot.live, self._context.settings.max_time, self._context.clock)
            await self._settle(slot, outcome, has_progressed=slot.live.received_bytes > received_before)
        except Exception as error:  # the border of a task: a fault of ours, or of a foreign strategy, fails it alone
            logger.exception("task %s failed by a fault of ours", key)
            if can_advance(slot.live.task.status, Trigger.FAIL):
                text, now = f"a fault of tui-dl itself: {error!r}", self._context.wall_clock()
                slot.live.step(Trigger.FAIL, reason=Reason.INTERNAL, reason_text=text, finished_at=now)
                self._ledger.record_soon(slot.live, EventKind.FAILED)
        finally:
            slot.live.arrive()
            self._vacate(key)
            del self.running[key]
            slot.done.set()

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

    async def _settle(self, slot: Slot, outcome: Outcome, *, has_progressed: bool) -> None:
        live = slot.live
        if outcome.end is End.COMPLETED:
            if live.stored.status is not Status.COMPLETED:
                live.stored = live.task
            self._ledger.keep_story(live)
            self._ledger.tell(EventKind.COMPLETED, live.task)
        elif outcome.end is End.SKIPPED:
            now = self._context.wall_clock()
            live.step(Trigger.SKIP, reason=outcome.reason, reason_text=outcome.text, finished_at=now)
            self._ledger.record_soon(live, EventKind.SKIPPED)
        elif outcome.end is End.STOPPED:
            await self._record_stops([live], slot.stop_trigger)
            slot.is_stopped = True
        elif outcome.error is not None:
            await self._settle_failure(live, outcome.error, has_progressed=has_progressed)

    async def _settle_failure(self, live: LiveTask, error: TuiDlError, *, has_progressed: bool) -> None:
        context = self._context
        now = context.clock()
        live.note(f"{error.message}. {error.hint}")
        step = next_step(
            live.task,
            error,
            context.settings,
            has_progressed=has_progressed,
            random=context.random(),
            since_answer_s=now - context.last_answer_at,
            strategy=self._strategy,
        )
        facts = {"reason": step.reason, "reason_text": step.text, "retry_count": step.retry_count}
        facts |= facts_of_failure(error)
        if step.delay_s is None:
            live.step(Trigger.FAIL, finished_at=context.wall_clock(), **facts)
            self._ledger.record_soon(live, EventKind.FAILED)
            return
        is_local = step.reason in LOCAL_WAITS
        live.local_waits = live.local_waits + 1 if is_local and not has_progressed else 0
        delay_s = step.delay_s * 2 ** min(max(0, live.local_waits - 1), MOST_DOUBLINGS)
        has_due_time = not is_local and step.reason is not Reason.HOST_BUSY
        live.step(Trigger.WAIT, due_at=context.wall_clock() + delay_s if has_due_time else None, **facts)
        live.meter_now(now)
        self._waiting.add(live, now + delay_s)
        self._ledger.record_soon(live, EventKind.WAITING)

    async def _record_stops(self, lives: Sequence[LiveTask], trigger: Trigger) -> None:
        for live in lives:
            live.step(trigger, due_at=None)
        kind = STOPPED_EVENTS.get(trigger)
        if kind is not None:
            await self._ledger.record(lives, kind)
            return
        await save_rows(self._context.journal, [live.task for live in lives])
        for live in lives:
            live.stored = live.task
        if not self._is_closing:
            self.look_again()

    async def _stop_waiting(self, ids: Iterable[int], trigger: Trigger) -> list[DownloadTask]:
        # All at once: another command may want the same ones while the journal writes.
        lives = [self._waiting.remove(key) for key in ids]
        for live in lives:
            live.change(reason=None, reason_text="")
        if lives:
            await self._record_stops(lives, trigger)
        return [live.task for live in lives]
