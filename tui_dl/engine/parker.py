"""Parked hosts with their tasks: who waits for which probe, who goes on when one succeeds, who fails in the end."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui_dl.core.display_text import display_text
from tui_dl.core.errors import ContentError, HttpError, Reason, SiteRefusedError, TuiDlError
from tui_dl.core.events import EventKind
from tui_dl.core.parking import is_wholesale
from tui_dl.core.status import Status, Trigger, advance
from tui_dl.engine.live import LiveTask
from tui_dl.engine.retrying import ANSWERED_LATELY_S, LOCAL_WAITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tui_dl.core.task import DownloadTask
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.ledger import Ledger
    from tui_dl.engine.slot import Slot
    from tui_dl.engine.waiting import WaitingTasks

logger = logging.getLogger(__name__)

OTHERS_FIRST_S: Final = 1.0
"""A task whose probe failed lets others of its host try before it: the fault may be its own."""
MOST_NOTICES: Final = 3
"""Parked hosts that are named where all are told of."""
SHOWN_CELLS: Final = 60


class Parker:
    """The engine's side of `core.parking`; one per scheduler."""

    def __init__(
        self,
        context: EngineContext,
        ledger: Ledger,
        waiting: WaitingTasks,
        running: Mapping[int, Slot],
        look_again: Callable[[], None],
    ) -> None:
        """`look_again` is called when pending rows of a host may start, or are to fail."""
        self._context, self._ledger = context, ledger
        self._waiting, self._running = waiting, running
        self._look_again = look_again
        self._parking = context.budgets.parking
        context.budgets.on_unparked = self.release

    # -- what happens --------------------------------------------------------------------------------------------------

    def takes(self, live: LiveTask, error: TuiDlError, *, has_progressed: bool) -> bool:
        """Learn from a failed attempt; return whether the task waits from now on, as its host is parked."""
        host, now = live.task.host, self._context.clock()
        if has_progressed or _is_of_use(error):
            self._context.budgets.works(host)
            return False
        is_sure = isinstance(error, SiteRefusedError)
        if not is_wholesale(error) or self._is_without_network(error, now):
            return False
        if not is_sure and self._gives_others(live, now):
            return False
        was_parked = host in self._parking.parked
        was_probe = was_parked and self._parking.parked[host].probe == live.task.id
        if not self._parking.failed(host, live.task.id, error, now):
            return False
        if was_probe and self._parking.is_to_be_given_up(host, now) and not self._has_other_work():
            self._give_up(host, live)
            return True
        self._park(live, OTHERS_FIRST_S if was_probe else 0.0)
        if not was_parked:
            logger.info("%s", self._words(host))
        if was_probe or not was_parked:
            self._wait_anew(host, is_told=not was_parked)
        return True

    def release(self, host: str) -> None:
        """Let the tasks of a host go on that is not parked any more."""
        now = self._context.clock()
        for live in self._of(host):
            live.change(due_at=None)
            self._waiting.add(live, now)
            self._context.journal.save_soon(live.task)
            live.stored = live.task
        self._look_again()

    def try_again(self, hosts: Iterable[str] | None = None) -> int:
        """Try hosts again (None: all) because a person wants it; return how many were parked."""
        parking = self._parking
        known = parking.known_hosts() if hosts is None else tuple(dict.fromkeys(hosts))
        parked = [host for host in known if parking.try_again(host)]
        for host in parked:
            self.release(host)
        return len(parked)

    def hasten(self) -> None:
        """Probe hosts at once that were parked long enough, where nothing else is left to be done."""
        if not self._parking.parked or self._has_other_work():
            return
        now = self._context.clock()
        for host in self._parking.hasten(now):
            for live in self._of(host):
                self._waiting.add(live, now)

    def is_given_up(self, task: DownloadTask) -> bool:
        """Whether a pending row is not to be tried, as its host was given up; it has failed then."""
        text = self._parking.given_up_before(task.host, task.added_at)
        if text:
            self._fail(LiveTask(task, wall_clock=self._context.wall_clock, traffic=self._context.traffic), text)
        return bool(text)

    # -- what is shown -------------------------------------------------------------------------------------------------

    def present(self, task: DownloadTask) -> DownloadTask:
        """Return a pending row as it is to be seen: one of a parked host waits with the others."""
        if not self._parking.parked or task.status is not Status.PENDING or task.host not in self._parking.parked:
            return task
        return replace(task, status=advance(task.status, Trigger.WAIT), **self._facts(task.host))

    def notices(self) -> Iterator[str]:
        """Yield what is to be said of the parked hosts."""
        now = self._context.clock()
        for host in tuple(self._parking.parked)[:MOST_NOTICES]:
            left_s = self._parking.wait_s(host, now)
            yield f"{self._words(host)}; tried again {f'in {left_s:.0f} s' if left_s >= 1 else 'now'}"
        more = len(self._parking.parked) - MOST_NOTICES
        if more > 0:
            yield f"{more} more host{'' if more == 1 else 's'} parked"

    # -- within --------------------------------------------------------------------------------------------------------

    def _is_without_network(self, error: TuiDlError, now: float) -> bool:
        return error.reason is Reason.NO_NETWORK and now - self._context.last_answer_at > ANSWERED_LATELY_S

    def _gives_others(self, live: LiveTask, now: float) -> bool:
        """Whether its host gives bytes to another task just now: then it is not the host that fails."""
        host = live.task.host
        if self._context.budgets[host].working:
            return True
        others = (slot.live for slot in self._running.values() if slot.host == host and slot.live is not live)
        return any(other.connections and other.meter.speed_bps(now) > 0 for other in others)

    def _has_other_work(self) -> bool:
        """Whether a task of a host that is not parked runs, or waits for its turn."""
        parked = self._parking.parked
        if any(slot.host not in parked for slot in self._running.values()):
            return True
        return any(live.task.host not in parked for live in self._waiting.lives.values())

    def _of(self, host: str) -> list[LiveTask]:
        lives = self._waiting.lives.values()
        return [live for live in lives if live.task.host == host and live.task.reason is Reason.HOST_PARKED]

    def _words(self, host: str) -> str:
        return self._parking.parked[host].words(display_text(host, SHOWN_CELLS))

    def _facts(self, host: str) -> dict[str, Any]:
        left_s = self._parking.wait_s(host, self._context.clock())
        due_at = self._context.wall_clock() + left_s
        return {"reason": Reason.HOST_PARKED, "reason_text": self._words(host), "due_at": due_at}

    def _park(self, live: LiveTask, later_s: float) -> None:
        host, now = live.task.host, self._context.clock()
        live.step(Trigger.WAIT, **self._facts(host))
        live.meter_now(now)
        self._waiting.add(live, now + self._parking.wait_s(host, now) + later_s)
        self._ledger.record_soon(live, EventKind.WAITING)

    def _wait_anew(self, host: str, *, is_told: bool) -> None:
        """Have all tasks of a host that wait do so for its next probe."""
        now = self._context.clock()
        facts, until_at = self._facts(host), now + self._parking.wait_s(host, now)
        mine = [live for live in self._waiting.lives.values() if live.task.host == host]
        for live in [live for live in mine if live.task.reason not in LOCAL_WAITS]:
            is_new = live.task.reason is not Reason.HOST_PARKED
            live.change(**facts)
            self._waiting.postpone(live.task.id, until_at)
            if is_new and is_told:
                self._ledger.record_soon(live, EventKind.WAITING)
            else:
                self._context.journal.save_soon(live.task)
                live.stored = live.task
        self._ledger.changes += 1

    def _give_up(self, host: str, live: LiveTask) -> None:
        text = self._parking.give_up(host, self._context.wall_clock())
        logger.warning("%s", text)
        for one in (live, *(self._waiting.remove(other.task.id) for other in self._of(host))):
            self._fail(one, text)
        self._look_again()

    def _fail(self, live: LiveTask, text: str) -> None:
        now = self._context.wall_clock()
        live.step(Trigger.FAIL, reason=Reason.HOST_GIVEN_UP, reason_text=text, due_at=None, finished_at=now)
        self._ledger.record_soon(live, EventKind.FAILED)


def _is_of_use(error: TuiDlError) -> bool:
    """Whether an error shows that the host answers as hosts do."""
    if isinstance(error, ContentError):
        return True
    return isinstance(error, HttpError) and error.status > 0 and not is_wholesale(error)
