"""When a host that fails wholesale is left alone, tried again by one task, and given up. Time is passed in.

A circuit breaker: closed while a host answers; open (parked) after many failures of several tasks in a row; half open
while one task probes. The pauses between probes double.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tui_dl.core.errors import HttpError, NetworkError, Reason, SiteRefusedError, TuiDlError

TASKS_TO_PARK: Final = 5
"""Fewer different tasks than this say nothing of their host."""
FAILURES_TO_PARK: Final = 10
"""So many failures in a row, without an answer of use between them, of a host that cannot be reached or breaks off."""
ANSWERED_TASKS_TO_PARK: Final = 15
"""The same where it answers, but with 403 or 5xx, which may be meant for single addresses."""
ANSWERED_FAILURES_TO_PARK: Final = 30
FIRST_PAUSE_S: Final = 5.0
"""Until the first probe; each that fails doubles it."""
MOST_PAUSE_S: Final = 300.0
"""Longest pause between two probes."""
MOST_STREAKS: Final = 4096
"""Hosts whose failures are counted; of more, the one that failed first is forgotten."""
MOST_GIVEN_UP: Final = 4096

_UNREACHED: Final = frozenset(
    {
        *(Reason.DNS_FAILED, Reason.NO_NETWORK, Reason.CONNECT_REFUSED, Reason.CONNECT_TIMEOUT),
        *(Reason.CONNECTION_RESET, Reason.STALLED, Reason.TLS_FAILED),
    }
)
_ANSWERED: Final = frozenset({Reason.SERVER_ERROR, Reason.FORBIDDEN})


def is_wholesale(error: TuiDlError) -> bool:
    """Whether an error may be that of the whole host, and not of one address."""
    if isinstance(error, SiteRefusedError):
        return True
    return (isinstance(error, NetworkError) and error.reason in _UNREACHED) or (
        isinstance(error, HttpError) and error.reason in _ANSWERED
    )


@dataclass(slots=True)
class Streak:
    """Failures of one host in a row."""

    failures: int = 0
    """How many."""
    tasks: set[int] = field(default_factory=set)
    """Whose; no more than matter."""

    def count(self, task_id: int, error: TuiDlError) -> bool:
        """Count one; return whether the host is to be parked."""
        self.failures += 1
        if isinstance(error, SiteRefusedError):
            return True
        if len(self.tasks) < ANSWERED_TASKS_TO_PARK:
            self.tasks.add(task_id)
        is_answer = error.reason in _ANSWERED
        most, tasks = (
            (ANSWERED_FAILURES_TO_PARK, ANSWERED_TASKS_TO_PARK) if is_answer else (FAILURES_TO_PARK, TASKS_TO_PARK)
        )
        return self.failures >= most and len(self.tasks) >= tasks


@dataclass(slots=True)
class ParkedHost:
    """A host that is left alone."""

    since_at: float
    """Monotonic instant at which it was parked."""
    until_at: float
    """When the next probe may start."""
    pause_s: float
    """Pause that leads there."""
    failures: int
    """In a row, probes included."""
    text: str
    """What it did last, in words."""
    probe: int | None = None
    """Task that tries it just now."""

    def words(self, host: str) -> str:
        """Return why its tasks wait."""
        many = f"{self.failures} failures in a row, the last: " if self.failures > 1 else ""
        return f"{host} is parked: {many}{self.text}"


class Parking:
    """All hosts of an engine: those that fail, those that are parked, those that were given up."""

    def __init__(self, park_time_s: float) -> None:
        self.park_time_s = park_time_s
        """A host that was parked for so long is given up once nothing else is to be done; 0: none is parked."""
        self.parked: dict[str, ParkedHost] = {}
        """By host, as rows name it."""
        self._streaks: dict[str, Streak] = {}
        self._given_up: dict[str, tuple[float, str]] = {}

    # -- questions -----------------------------------------------------------------------------------------------------

    def can_start(self, host: str, now: float) -> bool:
        """Whether a task of a host may start: of a parked one, only a probe whose time has come."""
        if not self.parked or (parked := self.parked.get(host)) is None:
            return True
        return parked.probe is None and now >= parked.until_at

    def wait_s(self, host: str, now: float) -> float:
        """Return the seconds until the next probe; 0 for a host that is not parked, or whose probe's time has come."""
        parked = self.parked.get(host) if self.parked else None
        return 0.0 if parked is None else max(0.0, parked.until_at - now)

    def given_up_before(self, host: str, added_at: float) -> str:
        """Return why a task that was added at this Unix time is not tried; empty where it is."""
        if not self._given_up or (known := self._given_up.get(host)) is None:
            return ""
        return known[1] if added_at <= known[0] else ""

    # -- what happens --------------------------------------------------------------------------------------------------

    def started(self, host: str, task_id: int) -> None:
        """Note that a task of a host starts; of a parked host it is the probe."""
        if self.parked and (parked := self.parked.get(host)) is not None:
            parked.probe = task_id

    def ended(self, host: str, task_id: int) -> None:
        """Note that a task ended; a probe that was stopped told nothing, and another may try."""
        if self.parked and (parked := self.parked.get(host)) is not None and parked.probe == task_id:
            parked.probe = None

    def works(self, host: str) -> bool:
        """Note that a host answered to some use, or that a person wants it tried; return whether it was parked."""
        if self._streaks:
            self._streaks.pop(host, None)
        return self.parked.pop(host, None) is not None if self.parked else False

    def known_hosts(self) -> tuple[str, ...]:
        """Return those that are parked or given up."""
        return (*self.parked, *self._given_up)

    def try_again(self, host: str) -> bool:
        """Note that a person wants a host tried; return whether it was parked."""
        self._given_up.pop(host, None)
        return self.works(host)

    def failed(self, host: str, task_id: int, error: TuiDlError, now: float) -> bool:
        """Note a failure that may be the host's; return whether that is parked now, and its task with it."""
        if not self.park_time_s:
            return False
        parked = self.parked.get(host)
        if parked is None:
            streak = self._streaks.get(host)
            if streak is None:
                streak = self._streaks[host] = Streak()
                if len(self._streaks) > MOST_STREAKS:
                    del self._streaks[next(iter(self._streaks))]
            if not streak.count(task_id, error):
                return False
            del self._streaks[host]
            pause_s = (error.retry_after_s if isinstance(error, SiteRefusedError) else None) or FIRST_PAUSE_S
            self.parked[host] = ParkedHost(now, now + pause_s, pause_s, streak.failures, error.message)
            return True
        parked.failures += 1
        parked.text = error.message
        if parked.probe == task_id:
            parked.probe = None
            parked.pause_s = self._next_pause_s(parked, now)
            parked.until_at = now + parked.pause_s
        return True

    def is_to_be_given_up(self, host: str, now: float) -> bool:
        """Whether a host that just failed again was parked for as long as a person is ready to wait."""
        parked = self.parked.get(host)
        return parked is not None and now - parked.since_at >= self.park_time_s

    def hasten(self, now: float) -> list[str]:
        """Have the next probe at once where the time is up, as nothing else is to be done; return those hosts."""
        late = [host for host, one in self.parked.items() if now - one.since_at >= self.park_time_s]
        late = [host for host in late if self.parked[host].until_at > now]
        for host in late:
            self.parked[host].until_at = now
        return late

    def give_up(self, host: str, wall_now: float) -> str:
        """End the parking of a host; what was added up to now is not tried any more. Return why, in words."""
        parked = self.parked.pop(host)
        text = f"{host} was given up: {parked.failures} failures in a row, the last: {parked.text}"
        self._given_up[host] = (wall_now, text)
        if len(self._given_up) > MOST_GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]
        return text

    def _next_pause_s(self, parked: ParkedHost, now: float) -> float:
        """Return twice the pause, but so that one probe comes when the time is up."""
        doubled_s = min(2 * parked.pause_s, MOST_PAUSE_S)
        left_s = parked.since_at + self.park_time_s - now
        return min(doubled_s, left_s) if left_s > 0 else doubled_s
