"""What becomes of a task when an attempt at it ends, or a person stops it: recorded, told, and maybe kept waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import Reason
from tui_dl.core.events import EventKind
from tui_dl.core.status import Status, Trigger
from tui_dl.engine.answered import facts_of_failure
from tui_dl.engine.ledger import save_rows
from tui_dl.engine.outcome import End, Outcome
from tui_dl.engine.retrying import LOCAL_WAITS, next_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tui_dl.core.errors import TuiDlError
    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.parker import Parker
    from tui_dl.engine.slot import Slot
    from tui_dl.engine.waiting import WaitingTasks

MOST_DOUBLINGS: Final = 5
"""How often the pause of a local wait without progress doubles: each attempt costs the server a request."""
STOPPED_EVENTS: Final = {
    Trigger.PAUSE: EventKind.PAUSED,
    Trigger.CANCEL: EventKind.CANCELLED,
    Trigger.RETRY: EventKind.RETRYING,
}


class Settler:
    """One per scheduler."""

    def __init__(
        self,
        context: EngineContext,
        ledger: Ledger,
        waiting: WaitingTasks,
        parker: Parker,
        strategy: Callable[[DownloadTask, Exception], bool] | None,
        on_requeued: Callable[[], None],
    ) -> None:
        """`strategy` may overrule what is worth a retry; `on_requeued` hears that tasks are pending again."""
        self._context, self._ledger, self._waiting = context, ledger, waiting
        self._parker, self._strategy = parker, strategy
        self._on_requeued = on_requeued

    async def settle(self, slot: Slot, outcome: Outcome, *, has_progressed: bool) -> None:
        """Record how an attempt ended; a task that goes on later waits from now on."""
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
        elif outcome.end in (End.HANDED_ON, End.ASKING):
            await self._lay_aside(live, outcome)
        elif outcome.end is End.STOPPED:
            await self._record_stops([live], slot.stop_trigger)
            slot.is_stopped = True
        elif outcome.error is not None:
            await self._settle_failure(live, outcome.error, has_progressed=has_progressed)

    async def _lay_aside(self, live: LiveTask, outcome: Outcome) -> None:
        """Record what goes on by others' doing: a playlist by its entries, a choice by a person."""
        if outcome.end is End.ASKING:
            live.step(Trigger.WAIT, reason=Reason.CHOICE, reason_text=outcome.text, due_at=None)
            await self._ledger.record([live], EventKind.WAITING)
            return
        live.step(Trigger.REQUEUE, reason=None, reason_text="", due_at=None, retry_count=0)
        await save_rows(self._context.journal, [live.task])
        live.stored = live.task
        self._ledger.changes += 1
        self._on_requeued()

    async def _settle_failure(self, live: LiveTask, error: TuiDlError, *, has_progressed: bool) -> None:
        context = self._context
        now = context.clock()
        live.note(f"{error.message}. {error.hint}")
        if self._parker.takes(live, error, has_progressed=has_progressed):
            return
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
            if trigger is Trigger.RETRY:
                self._on_requeued()
            return
        await save_rows(self._context.journal, [live.task for live in lives])
        for live in lives:
            live.stored = live.task
        self._on_requeued()

    async def stop_waiting(self, ids: Iterable[int], trigger: Trigger) -> list[DownloadTask]:
        """End the waiting of these, and return their rows as they are now."""
        # All at once: another command may want the same ones while the journal writes.
        lives = [self._waiting.remove(key) for key in ids]
        for live in lives:
            live.change(reason=None, reason_text="", **({"retry_count": 0} if trigger is Trigger.RETRY else {}))
        if lives:
            await self._record_stops(lives, trigger)
        return [live.task for live in lives]
