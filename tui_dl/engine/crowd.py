"""Connections of all tasks at one host: who may have one more, and who gives one up, by weight."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tui_dl.core.sharing import Claim, connection_shares, weight_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_dl.core.host_budget import HostBudget
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

HUNGER_S: Final = 1.0
"""A task that found no room holds its claim to one connection this long; whoever looks again says so again."""


class Crowd:
    """What tasks want of one host."""

    def __init__(self, budget: HostBudget) -> None:
        self.budget = budget
        """The host's."""
        self._claims: dict[int, Claim] = {}
        self._hungry_until_at = float("-inf")
        self._dealt: tuple[int, dict[int, int]] | None = None

    def claim(self, task_id: int, claim: Claim | None) -> None:
        """Take what a task wants; None: nothing any more."""
        if self._claims.get(task_id) == claim:
            return
        self._dealt = None
        if claim is None:
            del self._claims[task_id]
        else:
            self._claims[task_id] = claim

    @property
    def is_empty(self) -> bool:
        """Whether nobody wants anything."""
        return not self._claims

    def hunger(self, now: float) -> None:
        """Note that a task has a slot and finds no room at this host."""
        self._hungry_until_at = now + HUNGER_S

    def share_of(self, task_id: int, per_host: int, now: float) -> int:
        """Return how many connections a task may have here; at least 1."""
        # Tasks that claim nothing (small files, those that only begin) have one each.
        others = max(0, self.budget.tasks - len(self._claims)) + (now < self._hungry_until_at)
        allowed = max(1, self.budget.allowed(per_host) - others)
        if self._dealt is None or self._dealt[0] != allowed:
            self._dealt = (allowed, connection_shares(allowed, self._claims))
        return self._dealt[1].get(task_id, 1)


class Crowds:
    """Those of an engine, by host; there only while somebody wants something."""

    def __init__(self) -> None:
        self._by_budget: dict[int, Crowd] = {}

    def of(self, budget: HostBudget) -> Crowd:
        """Return that of a host."""
        # A budget compares by its counters, so that only the object itself can be the key; the crowd keeps it alive.
        return self._by_budget.setdefault(id(budget), Crowd(budget))

    def find(self, budget: HostBudget) -> Crowd | None:
        """Return that of a host, None where nobody wants anything."""
        return self._by_budget.get(id(budget))

    def hunger(self, budget: HostBudget, now: float) -> None:
        """Note that a task has a slot and finds no room at this host, if anybody there could make room."""
        crowd = self.find(budget)
        if crowd is not None:
            crowd.hunger(now)

    def leave(self, budget: HostBudget, task_id: int) -> None:
        """Note that a task wants nothing of a host any more."""
        crowd = self.find(budget)
        if crowd is not None:
            crowd.claim(task_id, None)
            if crowd.is_empty:
                del self._by_budget[id(budget)]


class Places:
    """The connections of one task in view of what others want at the same hosts."""

    def __init__(self, context: EngineContext, live: LiveTask) -> None:
        self._context, self._live = context, live
        self._claimed: dict[int, HostBudget] = {}

    def claim(self, wanted: int, at_work: Iterable[HostBudget]) -> None:
        """Say how many connections are wanted in all; `at_work` has the host of each that there is."""
        budgets: dict[int, HostBudget] = {}
        counts: Counter[int] = Counter()
        for budget in at_work:
            budgets[id(budget)] = budget
            counts[id(budget)] += 1
        more = max(0, wanted - counts.total())
        weight = weight_of(self._live.task.priority)
        for key, budget in budgets.items():
            self._context.crowds.of(budget).claim(self._live.task.id, Claim(weight, counts[key] + more))
        for key in self._claimed.keys() - budgets.keys():
            self._context.crowds.leave(self._claimed[key], self._live.task.id)
        self._claimed = budgets

    def surplus(self, budget: HostBudget, mine: int) -> int:
        """Return how many of `mine` connections at a host are others' by right; below 0: how many more it may have."""
        crowd = self._context.crowds.find(budget)
        per_host = self._context.settings.per_host
        if crowd is None:
            return mine - budget.allowed(per_host)
        return mine - crowd.share_of(self._live.task.id, per_host, self._context.clock())

    def leave(self) -> None:
        """Want nothing any more."""
        for budget in self._claimed.values():
            self._context.crowds.leave(budget, self._live.task.id)
        self._claimed = {}
