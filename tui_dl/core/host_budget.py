"""What a host allows: connections and pauses, learned from its own answers, over all tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIN_GAP_AFTER_REFUSAL_S: Final = 1.0
"""A host that said 429 or 503 sees at most one request in this time until it answers well again."""
REGROW_AFTER_S: Final = 60.0
"""So long without a refusal, and one connection more is tried."""


@dataclass(slots=True)
class HostBudget:
    """Counters of one host; instants are monotonic seconds."""

    open_connections: int = 0
    """Connections at work now, all tasks."""
    learned_connections: int | None = None
    """Most connections that it bore; None while it never refused one."""
    blocked_until_at: float = 0.0
    """No new request before this."""
    is_on_probation: bool = False
    """Whether it refused lately and has not answered well since."""
    last_request_at: float = float("-inf")
    """When the last request was sent."""
    last_refusal_at: float = float("-inf")
    """When it refused last."""
    refuses_ranges: bool = False
    """Whether it refused ranges altogether."""

    def wait_s(self, now: float) -> float:
        """Seconds until a request may be sent; 0 when it may be sent now."""
        due_at = self.blocked_until_at
        if self.is_on_probation:
            due_at = max(due_at, self.last_request_at + MIN_GAP_AFTER_REFUSAL_S)
        return max(0.0, due_at - now)

    def can_start(self, now: float, *, coming: int = 0) -> bool:
        """Whether a task may open its first connection; only what was learned bounds it.

        `coming` are connections that are decided, but not opened yet.
        """
        self._regrow(now)
        limit = self.learned_connections
        return self.wait_s(now) <= 0 and (limit is None or self.open_connections + coming < limit)

    def can_grow(self, now: float, per_host: int, *, coming: int = 0) -> bool:
        """Whether a task may open one more connection."""
        return self.can_start(now, coming=coming) and self.open_connections + coming < self.allowed(per_host)

    def allowed(self, per_host: int) -> int:
        """Most connections for split tasks: the setting, or less if less was learned."""
        return per_host if self.learned_connections is None else min(per_host, self.learned_connections)

    def opened(self, now: float) -> None:
        """Note that a connection is being opened."""
        self.open_connections += 1
        self.last_request_at = now

    def closed(self) -> None:
        """Note that a connection ended."""
        self.open_connections -= 1

    def answered_well(self) -> None:
        """Note a good answer."""
        self.is_on_probation = False

    def refused(self, now: float, *, pause_s: float | None) -> None:
        """Note a refusal while others work: one connection less, and a pause if it named one.

        Call it while the refused connection is still counted as open.
        """
        self.last_refusal_at = now
        borne = max(1, self.open_connections - 1)
        known = self.learned_connections
        self.learned_connections = borne if known is None else min(known, borne)
        if pause_s is not None:
            self.pause(now, pause_s)

    def pause(self, now: float, pause_s: float) -> None:
        """Note that it asked everyone to wait (429, 503)."""
        self.is_on_probation = True
        self.last_refusal_at = now
        self.blocked_until_at = max(self.blocked_until_at, now + pause_s)

    def _regrow(self, now: float) -> None:
        if self.learned_connections is not None and now - self.last_refusal_at >= REGROW_AFTER_S:
            self.learned_connections += 1
            self.last_refusal_at = now
