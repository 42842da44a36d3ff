"""The budgets of all hosts: made when first met, remembered from the last run, kept for the next one."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import TuiDlError
from tui_dl.core.host_budget import MEMORY_S, HostBudget
from tui_dl.core.host_memory import facts_of, recall
from tui_dl.core.parking import Parking
from tui_dl.core.request_rate import RequestBucket
from tui_dl.engine.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.host_rules import HostRules
    from tui_dl.journal.journal import Journal

logger = logging.getLogger(__name__)

SAVE_EVERY_S: Final = 1.0
"""Lessons are written down in groups this often, so that a killed process loses one of them at most."""
MOST_IDLE: Final = 4096
"""More budgets than this, and those at rest are let go: first those that hold no lesson, then the oldest."""
IDLE_S: Final = 10.0
"""A host that was asked for nothing this long, and wants no patience, is at rest."""
LED_AGAIN_S: Final = 1.0
"""A host that leads to one that wants patience is asked this often: it may lead elsewhere by now."""


class HostBudgets(dict[str, HostBudget]):
    """Budgets by host and port; one that is not there yet begins with the person's own bounds for that host."""

    def __init__(self, rules: HostRules) -> None:
        super().__init__()
        self._rules = rules
        self.on_room: Callable[[], None] = lambda: None
        """Told when a host was found to bear more than was known."""
        self.reach = Reach()
        """Which hosts answer."""
        self.parking = Parking(0.0)
        """Which hosts fail wholesale and are left alone for a while."""
        self.on_unparked: Callable[[str], None] = lambda _host: None
        """Told when a host that was parked has answered."""

    def __missing__(self, host: str) -> HostBudget:
        rule = self._rules.of_host(host)
        pace = None if rule.request_rate is None else RequestBucket(rule.request_rate.per_second)
        budget = self[host] = HostBudget(most_connections=rule.connections, most_tasks=rule.tasks, requests=pace)
        return budget

    def can_admit(self, host: str, now: float) -> bool:
        """Whether a host, and the one that it leads to where that is known to be busy, bears one more task now."""
        budget = self[host]
        if not budget.can_admit(now) or not self.parking.can_start(host, now):
            return False
        if not budget.leads_to or self[budget.leads_to].can_start(now):
            return True
        return now - budget.led_in_vain_at >= LED_AGAIN_S

    def works(self, host: str) -> None:
        """Note that a host answered to some use; of a parked one all tasks go on."""
        if self.parking.works(host):
            self.on_unparked(host)

    def start_wait_s(self, host: str, now: float) -> float:
        """Return the seconds until a task of a host may start, as far as time decides."""
        return max(self[host].start_wait_s(now), self.parking.wait_s(host, now))

    def let_go(self, now: float) -> None:
        """Forget hosts at rest, where there are very many: what they taught is in the journal."""
        if len(self) <= MOST_IDLE:
            return
        at_rest = [(one.changed_at or float("-inf"), host) for host, one in self.items() if _is_at_rest(one, now)]
        at_rest.sort()
        surplus = len(self) - MOST_IDLE
        for number, (lesson_at, host) in enumerate(at_rest):
            if number >= surplus and lesson_at > float("-inf"):
                break
            del self[host]


def _is_at_rest(budget: HostBudget, now: float) -> bool:
    is_unused = not (budget.open_connections or budget.coming or budget.tasks)
    return is_unused and now - budget.last_request_at >= IDLE_S and not budget.wait_s(now)


class HostKeeper:
    """Loads what was learned of hosts, and writes down what is learned now."""

    def __init__(
        self,
        budgets: HostBudgets,
        journal: Journal,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._budgets, self._journal = budgets, journal
        self._clock, self._wall_clock = clock, wall_clock
        self.saved: dict[str, float] = {}
        """Instant of the last lesson that the journal holds, by host."""
        self._task: asyncio.Task[None] | None = None

    async def load(self, most_pause_s: float) -> None:
        """Take up what earlier runs learned, as far as it is not too old; a journal that cannot tell stops nobody."""
        try:
            known = await self._journal.load_hosts()
        except TuiDlError as error:
            logger.warning("what was learned of hosts cannot be read: %s", error)
            return
        now, wall_now = self._clock(), self._wall_clock()
        for host, (facts, at) in known.items():
            budget = HostBudget()
            if recall(budget, facts, age_s=wall_now - at, now=now, most_pause_s=most_pause_s):
                rule = self._budgets[host]
                budget.most_connections, budget.most_tasks = rule.most_connections, rule.most_tasks
                budget.requests = rule.requests
                self._budgets[host] = budget
                assert budget.changed_at is not None
                self.saved[host] = budget.changed_at

    def start(self) -> None:
        """Begin to write down, from time to time."""
        self._task = asyncio.ensure_future(self._save_for_ever())

    async def aclose(self) -> None:
        """Write down the rest; a disk that refuses it costs only the memory of hosts."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._save()

    async def _save_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await self._save()
            self._budgets.let_go(self._clock())

    async def _save(self) -> None:
        now = self._clock()
        learned = {
            host: one.changed_at
            for host, one in self._budgets.items()
            if one.changed_at is not None and one.changed_at != self.saved.get(host)
        }
        if not learned:
            return
        facts = {host: facts_of(self._budgets[host], now) for host in learned}
        try:
            await self._journal.save_hosts(facts, self._wall_clock(), keep_s=MEMORY_S)
        except TuiDlError as error:
            logger.warning("what was learned of hosts cannot be written down: %s", error)
            return
        self.saved |= learned
        if len(self.saved) > 2 * MOST_IDLE:
            self.saved = {host: at for host, at in self.saved.items() if host in self._budgets}
