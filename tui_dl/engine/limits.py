"""All speed limits of an engine: for everything, by host, by task; timetables followed, overridden by a person."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from tui_dl.core.addresses import host_of
from tui_dl.core.sharing import weight_of
from tui_dl.core.timetable import LimitPlan, parse_limit
from tui_dl.engine.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.core.task import DownloadTask
    from tui_dl.core.timetable import LimitNow
    from tui_dl.engine.throttle import Share


class PlannedThrottle(Throttle):
    """A throttle whose rate follows a plan."""

    def __init__(self, limit: int | str, local: datetime) -> None:
        self.plan = LimitPlan(parse_limit(limit))
        """What holds when."""
        super().__init__(self.plan.at(local).bps)

    def refresh(self, local: datetime) -> LimitNow:
        """Bring the rate up to the plan; return what holds."""
        now = self.plan.at(local)
        self.set_rate(now.bps)
        return now


class Limits:
    """One per engine. Nothing is remembered between two looks at the clock, so none of its jumps does harm."""

    def __init__(
        self, limit: int | str, *, wall_clock: Callable[[], float], host_limit: Callable[[str], int | str]
    ) -> None:
        """`limit` is for everything; `host_limit` tells what the settings say of a host. Raises `UsageError`."""
        self._wall_clock = wall_clock
        self._host_limit = host_limit
        self._hosts: WeakValueDictionary[str, PlannedThrottle] = WeakValueDictionary()
        self._told: dict[str, PlannedThrottle] = {}
        self._tasks: dict[int, Throttle] = {}
        self.whole = PlannedThrottle(limit, self.local())
        """For everything."""

    def local(self) -> datetime:
        """Return the time that clocks on the wall show."""
        return datetime.fromtimestamp(self._wall_clock())  # noqa: DTZ006  # timetables are written in local time

    def refresh(self) -> None:
        """Follow the timetables; called a few times a second."""
        local = self.local()
        for one in (self.whole, *self._hosts.values()):
            if one.plan.rule.is_changing:
                one.refresh(local)

    def changes_at(self) -> float | None:
        """Return the Unix time at which the limit for everything changes by itself; None for never."""
        until = self.whole.plan.rule.next_at(self.local())
        return None if until is None else until.timestamp()

    def host(self, host: str) -> PlannedThrottle:
        """Return the limit of a host, by the name that rows have for it."""
        known = self._hosts.get(host)
        if known is None:
            known = self._hosts[host] = PlannedThrottle(self._host_limit(host), self.local())
        return known

    def keep_host(self, host: str) -> PlannedThrottle:
        """Return the limit of a host, to be changed by a person and so kept even while nothing is fetched there."""
        known = self._told[host] = self.host(host)
        return known

    def shares_of(self, task: DownloadTask, host: str = "") -> tuple[Share, ...]:
        """Return the places of a task in hand at its limits, the narrowest first.

        `host` is the one that sends, where it is not the one that redirects led to last.
        """
        weight = weight_of(task.priority)
        own = self._tasks.get(task.id)
        if own is None:
            own = self._tasks[task.id] = Throttle(task.options.limit_rate_bps or 0)
        sender = host or (host_of(task.final_url) if task.final_url else task.host)
        throttles = (own, self.host(sender), self.whole)
        return tuple(throttle.share(task.id, weight) for throttle in throttles)

    def may_hold(self, task: DownloadTask) -> bool:
        """Whether any limit is in force for a task now, so that it needs its shares."""
        if self.whole.rate_bps or task.options.limit_rate_bps or self._told:
            return True
        sender = host_of(task.final_url) if task.final_url not in ("", task.url) else task.host
        return bool(self._host_limit(sender))

    def set_task_rate(self, task_id: int, bps: int) -> None:
        """Change the limit of a task, if it is in hand."""
        own = self._tasks.get(task_id)
        if own is not None:
            own.set_rate(bps)

    def set_priority(self, task_id: int, priority: int) -> None:
        """Change the weight of a task, wherever it waits."""
        for one in (self.whole, *self._hosts.values()):
            one.set_weight(task_id, weight_of(priority))

    def forget(self, task_id: int) -> None:
        """Drop the limit of a task that is no longer in hand."""
        self._tasks.pop(task_id, None)
