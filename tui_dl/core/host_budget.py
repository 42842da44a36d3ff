"""What a host allows: connections, pauses and the pace of requests, learned from its own answers, over all tasks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui_dl.core.request_rate import RequestBucket

MIN_GAP_AFTER_REFUSAL_S: Final = 1.0
"""A host that said 429 or 503 sees at most one request in this time; each good answer halves it."""
LEAST_GAP_S: Final = 0.02
"""A shorter pause between requests is none."""
MOST_GAP_S: Final = 60.0
"""Longest pause between requests that is learned."""
MEMORY_S: Final = 3600.0
"""A host that taught nothing for so long is as one never met."""
REGROW_AFTER_S: Final = 60.0
"""So long without a refusal, and one connection more is tried, twice the pace as well."""
REGROW_DOUBTED_S: Final = 10.0
"""The same where the refusal may have been the fault of an address."""
MOST_REGROW_S: Final = 900.0
"""Each refusal of what was tried again doubles the time until the next try, up to this."""
ONE_BY_ONE: Final = 4
"""Up to so many connections a host is met with one more at a time, each after the last was answered; from there on with
twice as many. Most hosts that count allow fewer, and are then offended once, not by a whole burst."""
UNANSWERED_S: Final = 0.5
"""A host without an answer for so long is asked once more all the same: one slow address must not hold up others."""
GOODS_TO_REGROW: Final = 8
"""So many good answers do the same where the refusal was doubtful."""


class Crowds(Enum):
    """What a 403 means that a host gives while others work."""

    UNKNOWN = "unknown"
    """It may mean the file, or that there are too many connections."""
    BORNE = "borne"
    """It means the file: alone it was forbidden, too."""
    REFUSED = "refused"
    """It means the crowd: alone the same file was given."""


@dataclass(slots=True)
class HostBudget:
    """Counters of one host; instants are monotonic seconds."""

    most_connections: int | None = None
    """Bound over all tasks that a person set for this host; None leaves it to the settings."""
    most_tasks: int | None = None
    """Tasks at once that a person allows for this host; None leaves it to the settings."""
    requests: RequestBucket | None = None
    """Pace of requests that a person set for this host; None for any."""
    open_connections: int = 0
    """Requests and bodies at work now, all tasks."""
    coming: int = 0
    """Tasks that were admitted and have not sent their request yet."""
    working: int = 0
    """Those of the open ones that were answered well."""
    tasks: int = 0
    """Tasks in hand whose address names this host."""
    proven_connections: int = 1
    """Most connections that worked at the same time."""
    answered_connections: int = 0
    """Most that were open when a request was sent that was then answered and not refused."""
    learned_connections: int | None = None
    """Most connections that it bore; None while it never refused one."""
    is_doubtful: bool = False
    """Whether only refusals taught that which may have been the fault of an address."""
    crowds: Crowds = Crowds.UNKNOWN
    """What its 403 means while others work."""
    blocked_until_at: float = 0.0
    """No new request before this."""
    gap_s: float = 0.0
    """Least time between two requests now."""
    least_gap_s: float = 0.0
    """Under this pause between requests it refused again; 0 where none was needed."""
    last_request_at: float = float("-inf")
    """When the last request was sent."""
    last_start_at: float = float("-inf")
    """When a request was last sent or a task admitted that will send one."""
    last_refusal_at: float = float("-inf")
    """When it refused last, or when one connection more was allowed since."""
    last_pause_at: float = float("-inf")
    """When it asked everyone to wait last."""
    regrow_s: float = REGROW_AFTER_S
    """Time without a refusal until one connection more is tried."""
    leads_to: str = ""
    """Host that it redirected to in vain last; empty once a redirect was of use."""
    led_in_vain_at: float = float("-inf")
    """When that was."""
    refuses_ranges: bool = False
    """Whether it refused ranges altogether."""
    changed_at: float | None = None
    """When a lesson was learned that is worth keeping; None while there is none."""
    _goods: int = 0
    _has_regrown: bool = False

    # -- questions -----------------------------------------------------------------------------------------------------

    def wait_s(self, now: float) -> float:
        """Seconds until a request may be sent; 0 when it may be sent now."""
        paced_s = 0.0 if self.requests is None else self.requests.wait_s(now)
        return max(paced_s, self.blocked_until_at - now, self.last_request_at + self.gap_s - now)

    def start_wait_s(self, now: float) -> float:
        """Seconds until a task may start, as far as time decides: those that were admitted send theirs before."""
        paced_s = 0.0 if self.requests is None else self.requests.wait_s(now, ahead=self.coming)
        return max(paced_s, self.wait_s(now))

    def is_own_pause(self, now: float) -> bool:
        """Whether the pause of now is of a person's making, and not the host's."""
        return self.requests is not None and self.requests.wait_s(now) >= self.wait_s(now)

    def can_start(self, now: float, *, coming: int = 0) -> bool:
        """Whether a task may open its first connection; what was learned or set for this host bounds it.

        `coming` are connections that are decided, but not opened yet, besides those of admitted tasks.
        """
        if self.requests is not None and self.requests.wait_s(now, ahead=self.coming + coming) > 0:
            return False
        return self._can_have(self.open_connections + self.coming + coming, now)

    def can_send(self, now: float) -> bool:
        """Whether a request that was admitted may be sent now: others that are still to come do not count."""
        return self._can_have(self.open_connections, now)

    def _can_have(self, taken: int, now: float) -> bool:
        self.regrow(now)
        limit = self.bound
        if self.wait_s(now) > 0 or (limit is not None and taken >= limit):
            return False
        return taken < self.next_connections or now - self.last_start_at >= UNANSWERED_S

    def can_admit(self, now: float, *, is_doubted: bool = False) -> bool:
        """Whether a task may start now; one that a 403 met while others worked only where it cannot be the crowd."""
        if self.most_tasks is not None and self.tasks >= self.most_tasks:
            return False
        if is_doubted and self.crowds is not Crowds.BORNE:
            taken = self.open_connections + self.coming
            return self.can_start(now) and taken < self.proven_connections
        return self.can_start(now)

    def can_grow(self, now: float, per_host: int, *, coming: int = 0) -> bool:
        """Whether a task may open one more connection."""
        taken = self.open_connections + self.coming + coming
        return self.can_start(now, coming=coming) and taken < self.allowed(per_host)

    @property
    def bound(self) -> int | None:
        """Most connections by what was learned and what a person set for this host; None for no bound."""
        most, learned = self.most_connections, self.learned_connections
        if most is None or learned is None:
            return learned if most is None else most
        return min(most, learned)

    @property
    def next_connections(self) -> int:
        """Connections that may be tried next, by those that were answered so far."""
        answered = self.answered_connections
        return answered + 1 if answered < ONE_BY_ONE else 2 * answered

    def allowed(self, per_host: int) -> int:
        """Most connections for split tasks: the host's own setting or the general one, or less if less was learned."""
        most = per_host if self.most_connections is None else self.most_connections
        return most if self.learned_connections is None else min(most, self.learned_connections)

    def is_of_the_crowd(self) -> bool:
        """Whether a refusal just now, of a request still counted as open, may be due to the others."""
        return self.crowds is not Crowds.BORNE and self.open_connections > max(1, self.proven_connections)

    # -- lessons -------------------------------------------------------------------------------------------------------

    def admit(self, now: float) -> None:
        """Note that a task may start: it counts until its first request is sent."""
        self.tasks += 1
        self.coming += 1
        self.last_start_at = now

    def opened(self, now: float) -> int:
        """Note that a connection is being opened; return how many are open with it."""
        self.open_connections += 1
        if self.requests is not None:
            self.requests.take(now)
        self.last_request_at = self.last_start_at = now
        return self.open_connections

    def answered(self, among: int) -> bool:
        """Note an answer that is no refusal to a request sent as one of so many; return whether more may be tried."""
        has_grown = among > self.answered_connections
        self.answered_connections = max(self.answered_connections, among)
        return has_grown

    def closed(self, *, was_working: bool = False) -> None:
        """Note that a connection ended."""
        self.open_connections -= 1
        self.working -= was_working

    def started_work(self) -> None:
        """Note that an open connection was answered well and now brings a body."""
        self.working += 1
        self.proven_connections = max(self.proven_connections, self.working)
        self.answered_well()

    def answered_well(self) -> None:
        """Note a good answer: requests may follow each other faster."""
        faster = self.gap_s / 2
        self.gap_s = max(self.least_gap_s, faster if faster >= LEAST_GAP_S else 0.0)
        self._goods += 1
        if self.is_doubtful and self._goods >= GOODS_TO_REGROW:
            self._grow()

    def refused(self, now: float, *, pause_s: float | None, is_sure: bool = True) -> None:
        """Note a refusal while others work: one connection less, and a pause if it named one.

        Call it while the refused connection is still counted as open. Where it is not sure that it was the crowd, it
        is forgotten sooner.
        """
        borne = max(1, self.open_connections - 1)
        known = self.learned_connections
        self.is_doubtful = not is_sure and (known is None or self.is_doubtful)
        self.learned_connections = borne if known is None else min(known, borne)
        if is_sure:
            self.proven_connections = min(self.proven_connections, self.learned_connections)
            self.answered_connections = min(self.answered_connections, self.learned_connections)
        if self._has_regrown:
            self.regrow_s = min(2 * self.regrow_s, MOST_REGROW_S)
        elif known is None:
            self.regrow_s = REGROW_DOUBTED_S
        if not self.is_doubtful:
            self.regrow_s = max(self.regrow_s, REGROW_AFTER_S)
        self._has_regrown = False
        self._goods = 0
        self.last_refusal_at = self.changed_at = now
        if pause_s is not None:
            self.pause(now, pause_s)

    def pause(self, now: float, pause_s: float, *, sent_at: float | None = None) -> None:
        """Note that it asked everyone to wait (429, 503), by the answer to a request that was sent at `sent_at`."""
        if sent_at is not None and sent_at > self.last_pause_at and self.gap_s:
            # It was sent at the pace we took for bearable after the last refusal.
            self.least_gap_s = min(2 * self.gap_s, MOST_GAP_S)
        self.gap_s = max(MIN_GAP_AFTER_REFUSAL_S, self.least_gap_s)
        self.last_refusal_at = self.last_pause_at = self.changed_at = now
        self.blocked_until_at = max(self.blocked_until_at, now + pause_s)

    def led_in_vain(self, now: float, host: str) -> None:
        """Note that it redirected to a host that could not be asked."""
        self.leads_to, self.led_in_vain_at = host, now

    def learn_crowds(self, now: float, crowds: Crowds) -> None:
        """Note what the same file gave alone that was forbidden while others worked."""
        if self.crowds is Crowds.UNKNOWN or crowds is Crowds.REFUSED:
            self.crowds, self.changed_at = crowds, now
        if not self.is_doubtful:
            return
        self.is_doubtful = False
        if crowds is Crowds.BORNE:
            self.learned_connections = None
        else:
            self.regrow_s = max(self.regrow_s, REGROW_AFTER_S)

    def learn_no_ranges(self, now: float) -> None:
        """Note that it refuses ranges altogether."""
        self.refuses_ranges, self.changed_at = True, now

    def regrow(self, now: float) -> None:
        """Allow one connection more, and twice the pace, for each time without a refusal that has passed."""
        if self.changed_at is not None and now - self.changed_at >= MEMORY_S:
            self._forget()
        while self._is_restricted() and now - self.last_refusal_at >= self.regrow_s:
            self.last_refusal_at += self.regrow_s
            slower = self.least_gap_s / 2
            self.least_gap_s = slower if slower >= LEAST_GAP_S else 0.0
            if self.learned_connections is not None:
                self._grow()

    def _forget(self) -> None:
        self.learned_connections = self.changed_at = None
        self.least_gap_s = 0.0
        self.is_doubtful = self.refuses_ranges = self._has_regrown = False
        self.crowds, self.regrow_s = Crowds.UNKNOWN, REGROW_AFTER_S

    def _is_restricted(self) -> bool:
        return self.learned_connections is not None or self.least_gap_s > 0

    def _grow(self) -> None:
        assert self.learned_connections is not None
        self.learned_connections += 1
        self._goods = 0
        self._has_regrown = True
