"""Limits by day and time in the grammar of rclone's `--bwlimit`; the local time is passed in.

An entry holds until the next one, around the week too. What counts is the clock on the wall: nothing here remembers
when it was looked at last, so a clock that jumps, a summer time that begins or a night asleep cannot leave it behind.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tui_dl.core.errors import UsageError
from tui_dl.core.sizes import parse_size

if TYPE_CHECKING:
    from datetime import datetime

DAY_MINUTES: Final = 24 * 60
WEEK_MINUTES: Final = 7 * DAY_MINUTES
UNLIMITED: Final = "off"
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BETWEEN: Final = re.compile(r"[\s;]+")
_WHEN: Final = re.compile(r"(?:(?P<day>[a-z]+)-)?(?P<hour>\d{1,2}):(?P<minute>\d\d)", re.IGNORECASE)
_BARE_NUMBER: Final = re.compile(r"[\d.]+")
_EXAMPLE: Final = "08:00,512K 23:00,off or Mon-08:00,512K Sat-10:00,off"


@dataclass(frozen=True, slots=True)
class Switch:
    """One entry, for one day of the week."""

    minute: int
    """Minute of the week from which it holds, Monday 00:00 being 0."""
    bps: int
    """Bytes per second, 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Limits over the week; a plain limit is one entry."""

    switches: tuple[Switch, ...]
    """At least one, by minute; neighbours differ in rate, the last and the first too."""
    text: str
    """As it was written, with single spaces; a plain limit is its number of bytes."""

    def bps_at(self, local: datetime) -> int:
        """Return the limit at this local time, 0 for none."""
        return self.switches[self._index_at(local)].bps

    def next_at(self, local: datetime) -> datetime | None:
        """Return the local time, after this one, of the next change; None where the limit never changes."""
        if not self.is_changing:
            return None
        following = self.switches[(self._index_at(local) + 1) % len(self.switches)]
        ahead = (following.minute - _minute_of(local)) % WEEK_MINUTES or WEEK_MINUTES
        return local.replace(second=0, microsecond=0) + timedelta(minutes=ahead)

    @property
    def is_changing(self) -> bool:
        """Whether there is more than one rate."""
        return len(self.switches) > 1

    def _index_at(self, local: datetime) -> int:
        # Before the first entry of the week the last one of the week before holds: index -1.
        index = bisect_right(self.switches, _minute_of(local), key=lambda one: one.minute) - 1
        return index % len(self.switches)


def parse_limit(value: int | str) -> Timetable:
    """Return the limit that a number of bytes per second, a size, `off` or a timetable means. Raises `UsageError`."""
    if isinstance(value, int):
        if value < 0:
            raise UsageError(f"{value} is negative; a limit is 0 (none) or more")
        return Timetable((Switch(0, value),), str(value))
    entries = [entry for entry in _BETWEEN.split(value.strip()) if entry]
    if len(entries) <= 1 and "," not in value and not _WHEN.fullmatch(value.strip()):
        return parse_limit(_plain_rate(value))
    by_minute: dict[int, int] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        when, minutes, bps = _read_entry(entry)
        if seen.setdefault(when, bps) != bps:
            raise UsageError(f"limit {value!r}: {when} is given twice")
        # As with rclone a later entry wins, so that days may be excepted: "08:00,1M Sun-08:00,off".
        by_minute |= dict.fromkeys(minutes, bps)
    return Timetable(_merged(by_minute), " ".join(entries))


def limit_value(value: int | str) -> int | str:
    """Return a limit checked, as settings hold it: a number of bytes, or the text of a timetable."""
    known = parse_limit(value)
    return known.text if "," in known.text else known.switches[0].bps


def _merged(by_minute: dict[int, int]) -> tuple[Switch, ...]:
    """Return the entries in order without those that change nothing."""
    ordered = [Switch(minute, by_minute[minute]) for minute in sorted(by_minute)]
    kept = [one for index, one in enumerate(ordered) if one.bps != ordered[index - 1].bps]
    return tuple(kept or ordered[:1])


def _read_entry(entry: str) -> tuple[str, list[int], int]:
    """Return the time as written in full, the minutes of the week it stands for, and the rate."""
    when, comma, rate = entry.partition(",")
    found = _WHEN.fullmatch(when)
    if not comma or found is None:
        raise UsageError(f"limit: {entry!r} is no entry of a timetable; write {_EXAMPLE}")
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        raise UsageError(f"limit: {when!r} is no time of day; 00:00 to 23:59")
    at = hour * 60 + minute
    day = _day_of(found["day"])
    days = range(7) if day is None else (day,)
    name = f"{hour:02}:{minute:02}" if day is None else f"{_DAYS[day][:3].title()}-{hour:02}:{minute:02}"
    return name, [one * DAY_MINUTES + at for one in days], _rate_in_table(rate, when)


def _day_of(word: str | None) -> int | None:
    if word is None:
        return None
    for index, day in enumerate(_DAYS):
        if word.lower() in (day, day[:3]):
            return index
    raise UsageError(f"limit: {word!r} is no day of the week; write Mon, Tue, Wed, Thu, Fri, Sat or Sun")


def _rate_in_table(text: str, when: str) -> int:
    if _BARE_NUMBER.fullmatch(text) and text.strip("0."):
        raise UsageError(
            f"limit: {when},{text} lacks a unit, which is KiB for rclone and bytes elsewhere; "
            f"write {when},{text}K or {when},{text}B"
        )
    return _plain_rate(text)


def _plain_rate(text: str) -> int:
    rate = text.strip()
    if rate.lower() == UNLIMITED:
        return 0
    upload, colon, download = rate.partition(":")
    if colon and "," not in rate:
        raise UsageError(
            f"limit: {rate!r} is rclone's UPLOAD:DOWNLOAD; nothing is uploaded here, "
            f"so write the second half alone: {download or upload}"
        )
    return parse_size(rate)


def _minute_of(local: datetime) -> int:
    return local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute


@dataclass(frozen=True, slots=True)
class LimitNow:
    """The limit in force at an instant."""

    bps: int
    """Bytes per second, 0 for no limit."""
    until: datetime | None = None
    """Local time at which it changes by itself; None for never."""


class LimitPlan:
    """What limits one thing: a timetable, and what a person said in between."""

    def __init__(self, rule: Timetable) -> None:
        self.rule = rule
        """What holds when nothing else was said."""
        self._override_bps: int | None = None
        self._override_until: datetime | None = None

    def follow(self, rule: Timetable) -> None:
        """Follow another rule; what was said in between is over."""
        self.rule = rule
        self._override_bps = None

    def override(self, bps: int, local: datetime) -> None:
        """Hold this rate until the timetable's next switch; for good where it has none."""
        if not self.rule.is_changing:
            self.follow(parse_limit(bps))
            return
        self._override_bps, self._override_until = bps, self.rule.next_at(local)

    def at(self, local: datetime) -> LimitNow:
        """Return what holds at this local time."""
        until = self.rule.next_at(local)
        if self._override_bps is not None:
            # Compared for being the same, so that a clock that is set back by a week does not keep it for the week.
            if until == self._override_until:
                return LimitNow(self._override_bps, until)
            self._override_bps = None
        return LimitNow(self.rule.bps_at(local), until)
