"""Sizes, speeds, percentages and times as a person reads them, in few and steady cells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

BINARY: Final = (1024.0, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))
SI: Final = (1000.0, ("B", "kB", "MB", "GB", "TB", "PB", "EB"))
NEXT_UNIT_AT: Final = 999.5
"""From here on three digits no longer hold the number, so the next unit is used."""

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400
MOST_DAYS: Final = 99
"""Longer than this nobody waits; it is shown as more than that."""


@dataclass(frozen=True, slots=True)
class Units:
    """Which units the screen shows."""

    is_si: bool = False
    """Whether a kilobyte has 1000 bytes; otherwise KiB, MiB, GiB."""

    def size(self, size_bytes: float) -> str:
        """Return `3.90 GiB`: three significant digits; whole bytes below a thousand."""
        step, names = SI if self.is_si else BINARY
        value = max(0.0, size_bytes)
        index = 0
        while value >= NEXT_UNIT_AT and index < len(names) - 1:
            value /= step
            index += 1
        return f"{_three_digits(value) if index else int(value)} {names[index]}"

    def speed(self, speed_bps: float) -> str:
        """Return `41.3 MiB/s`; empty when nothing moves."""
        return f"{self.size(speed_bps)}/s" if speed_bps >= 1 else ""

    def limit(self, limit_bps: int) -> str:
        """Return a limit as a person says it; `no limit` for 0."""
        return f"{self.size(limit_bps)}/s at most" if limit_bps > 0 else "no limit"


def units_named(name: str) -> Units:
    """Return the units that the setting `units` names."""
    return Units(is_si=name == "si")


def _three_digits(value: float) -> str:
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def percent(percentage: float | None) -> str:
    """Return `61 %`; 100 only when all is there, empty while the length is unknown."""
    if percentage is None:
        return ""
    whole = 100 if percentage >= 100 else min(99, max(0, int(percentage)))
    return f"{whole} %"


def duration(seconds: float | None) -> str:
    """Return `0:38`, `3:21`, `1:02:03` or `2 d`; empty for unknown, never negative."""
    if seconds is None or seconds != seconds:  # noqa: PLR0124  # NaN differs from itself
        return ""
    if seconds >= (MOST_DAYS + 1) * DAY_S:
        return f">{MOST_DAYS} d"
    whole = max(0, round(seconds))
    if whole >= DAY_S:
        return f"{whole // DAY_S} d"
    hours, rest = divmod(whole, HOUR_S)
    minutes, left = divmod(rest, MINUTE_S)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def change_time(at: float, now: float) -> str:
    """Return the local time of a change to come: `18:00`, or `Sat 10:00` where that is a day off or more."""
    local = datetime.fromtimestamp(at).astimezone()
    return local.strftime("%H:%M" if at - now < DAY_S else "%a %H:%M")


def wait_time(seconds: float) -> str:
    """Return `23 s`, `4 min` or `2 h`, for a wait that the row counts down."""
    whole = max(0, round(seconds))
    if whole < 2 * MINUTE_S:
        return f"{whole} s"
    return f"{round(whole / MINUTE_S)} min" if whole < 2 * HOUR_S else f"{round(whole / HOUR_S)} h"


def count(number: int) -> str:
    """Return `1,204`."""
    return f"{number:,}"
