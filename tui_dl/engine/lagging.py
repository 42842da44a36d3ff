"""Watches the connections of a transfer for one that lags so far behind that another does better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_dl.core.pace import Replacing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tui_dl.engine.connection import Connection
    from tui_dl.engine.live import LiveTask
    from tui_dl.engine.sources import Source, Sources

PACE_EVERY_S: Final = 0.5
"""How often the rates of connections are looked at."""


class Laggards:
    """Finds at most one at a time; tells the sources how fast each of them is."""

    def __init__(self, live: LiveTask, sources: Sources, now: float) -> None:
        self._live, self._sources = live, sources
        self._replacing = Replacing()
        self._looked_at = now

    def find(
        self, now: float, source_of: Mapping[Connection, Source], coming: Collection[Connection]
    ) -> Connection | None:
        """Return the connection to give up, if its host bears one more request; it is marked as replaced."""
        if now - self._looked_at < PACE_EVERY_S:
            return None
        self._looked_at = now
        working = [one for one in source_of if one not in coming and not one.is_replaced]
        for one in working:
            self._mark(one, source_of[one], now)
        self._replacing.observe(one.pace.rate_bps for one in working)
        slowest = min(working, key=lambda one: _or_infinite(one.pace.rate_bps), default=None)
        if slowest is None or not self._replacing.is_laggard(slowest.pace.rate_bps, now):
            return None
        is_unbounded = slowest.segment is None or slowest.segment.end is None
        if is_unbounded or source_of[slowest].asker.budget.wait_s(now) > 0:
            return None
        self._replacing.replaced(now)
        slowest.is_replaced = True
        rate = f"{(slowest.pace.rate_bps or 0.0) / 1024:.0f} KiB/s"
        self._live.note(f"a connection to {source_of[slowest].host} at {rate} lags behind; another takes over")
        return slowest

    def _mark(self, one: Connection, source: Source, now: float) -> None:
        one.pace.mark(now, one.received_bytes)
        if one.is_limited:
            one.pace.restart(now, one.received_bytes)
        rate_bps = one.pace.rate_bps
        if rate_bps is None:
            return
        self._sources.rated(source, rate_bps)
        if one.follows_bps is not None:
            self._replacing.judged(one.follows_bps, rate_bps)
            one.follows_bps = None


def _or_infinite(rate_bps: float | None) -> float:
    return float("inf") if rate_bps is None else rate_bps
