"""Timetables in rclone's grammar: what holds when, what comes next, what is refused; whatever the clock does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.setting_facts import coerce
from tui_dl.core.settings import MIB, SETTINGS, Settings, settings_with
from tui_dl.core.timetable import LimitNow, LimitPlan, limit_value, parse_limit

KIB = 1024
DAILY = "08:00,512K 12:00,10M 13:00,512K 18:00,30M 23:00,off"
WEEKLY = "Mon-00:00,512K Fri-23:59,10M Sat-10:00,1M Sun-20:00,off"
MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001  # a clock on the wall has no zone
LOCAL_TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1))  # noqa: DTZ001  # see above


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time in a week of which day 0 is Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("at", "bps"),
    [
        (on(0, 8), 512 * KIB), (on(2, 11, 59), 512 * KIB), (on(2, 12), 10 * MIB), (on(4, 13), 512 * KIB),
        (on(6, 18), 30 * MIB), (on(3, 22, 59), 30 * MIB), (on(3, 23), 0), (on(4, 0), 0), (on(0, 7, 59), 0),
    ],
)  # fmt: skip
def test_a_daily_table_holds_on_every_day(at: datetime, bps: int) -> None:
    """Each entry holds from its minute until the next, past midnight and past Sunday too."""
    assert parse_limit(DAILY).bps_at(at) == bps


@pytest.mark.parametrize(
    ("at", "bps"),
    [
        (on(0, 0), 512 * KIB), (on(4, 23, 58), 512 * KIB), (on(4, 23, 59), 10 * MIB), (on(5, 9, 59), 10 * MIB),
        (on(5, 10), MIB), (on(6, 19, 59), MIB), (on(6, 20), 0), (on(6, 23, 59), 0), (on(7, 0), 512 * KIB),
    ],
)  # fmt: skip
def test_a_weekly_table_holds_until_its_next_entry(at: datetime, bps: int) -> None:
    """Days are the local ones, and the last entry of the week holds until the first."""
    assert parse_limit(WEEKLY).bps_at(at) == bps


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        (DAILY, on(0, 8), on(0, 12)), (DAILY, on(0, 23), on(1, 8)), (DAILY, on(6, 23, 30), on(7, 8)),
        (WEEKLY, on(1, 5), on(4, 23, 59)), (WEEKLY, on(6, 21), on(7, 0)), ("5M", on(0, 0), None),
        ("08:00,1M", on(0, 0), None), ("08:00,1M 12:00,1M 13:00,2M", on(0, 9), on(0, 13)),
    ],
)  # fmt: skip
def test_the_next_change_is_known(text: str, at: datetime, expected: datetime | None) -> None:
    """The next instant at which the rate differs; entries that change nothing are none."""
    assert parse_limit(text).next_at(at.replace(second=59)) == expected


def test_a_later_entry_excepts_a_day() -> None:
    """As with rclone, the entry written later wins at the same minute."""
    table = parse_limit("08:00,1M 20:00,off Sun-08:00,off")
    assert table.bps_at(on(5, 9)) == MIB
    assert table.bps_at(on(6, 9)) == 0


@pytest.mark.parametrize(
    ("text", "bps"), [("off", 0), ("0", 0), ("512", 512), ("5M", 5 * MIB), ("1.5M", 3 * MIB // 2), (" 2MiB ", 2 * MIB)]
)
def test_a_plain_rate_holds_always(text: str, bps: int) -> None:
    """A size alone is a limit at all times; bytes without a unit, as everywhere here."""
    assert parse_limit(text).bps_at(on(3, 3)) == bps
    assert limit_value(text) == bps


@pytest.mark.parametrize(
    "text",
    ["MONDAY-08:00,1M sunday-9:30,OFF", "08:00,512K;23:00,off", "  08:00,512K\t23:00,0 ", "08:00,1MiB 9:00,64B"],
)
def test_spellings_of_rclone_are_read(text: str) -> None:
    """Long days, any case, semicolons, one digit of the hour; the text that is kept reads the same."""
    kept = limit_value(text)
    assert isinstance(kept, str)
    assert parse_limit(kept).switches == parse_limit(text).switches


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "size"), ("fast", "size"), ("08:00", "entry"), ("08:00,", "size"), ("24:00,1M", "time of day"),
        ("08:60,1M", "time of day"), ("Foo-08:00,1M", "day of the week"), ("08:00,1M,2M", "size"), ("-5M", "negative"),
        ("08:00,1M 08:00,2M", "twice"), ("Mon-08:00,1M monday-08:00,2M", "twice"), ("08:00,10M:1M", "1M"),
        ("10M:1M", "second half"), ("08:00,512 23:00,off", "unit"), ("08:00, 512K", "size"), ("8,1M", "entry"),
        ("08:00,1M bananas", "entry"), ("08:00 1M", "entry"), ("1M 2M", "entry"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: str, word: str) -> None:
    """Each refusal says what is wrong with which entry."""
    with pytest.raises(UsageError, match=word):
        parse_limit(text)


def test_the_setting_takes_both() -> None:
    """Numbers stay numbers for the library; text is read as a person types it."""
    assert Settings(limit_rate=5 * MIB).limit_rate == 5 * MIB
    assert settings_with(Settings(), {"limit_rate": "5M"}).limit_rate == 5 * MIB
    assert settings_with(Settings(), {"limit_rate": f"  {DAILY} "}).limit_rate == DAILY
    assert coerce(SETTINGS["limit_rate"], 7) == 7
    for bad in (-1, 1.5, True, "noon,1M"):
        with pytest.raises(UsageError):
            coerce(SETTINGS["limit_rate"], bad)


def test_an_override_ends_at_the_next_switch() -> None:
    """What a person says in between holds until the timetable's next change, then the table again."""
    plan = LimitPlan(parse_limit(DAILY))
    plan.override(MIB, on(0, 9))
    assert plan.at(on(0, 9)) == plan.at(on(0, 11, 59)) == LimitNow(MIB, on(0, 12))
    assert plan.at(on(0, 12)) == LimitNow(10 * MIB, on(0, 13))
    assert plan.at(on(1, 9)) == LimitNow(512 * KIB, on(1, 12))


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1), timedelta(days=-7), timedelta(days=3650)])
def test_an_override_does_not_survive_a_clock_that_jumps(jump: timedelta) -> None:
    """The same hour of another day is no part of what the override was for."""
    plan = LimitPlan(parse_limit(DAILY))
    plan.override(MIB, on(0, 9))
    assert plan.at(on(0, 9) + jump).bps == 512 * KIB


def test_an_override_of_a_plain_limit_is_for_good() -> None:
    """Without a timetable there is nothing that ends it."""
    plan = LimitPlan(parse_limit(5 * MIB))
    plan.override(0, on(0, 9))
    assert plan.at(on(400, 9)) == LimitNow(0, None)


@given(LOCAL_TIMES, st.sampled_from([DAILY, WEEKLY, "Wed-12:00,1M Thu-12:00,2M"]))
def test_the_rate_holds_until_the_change_and_differs_after(local: datetime, text: str) -> None:
    """At any instant: the next change is ahead, within a week, the rate is the same until it and another then."""
    table = parse_limit(text)
    change = table.next_at(local)
    assert change is not None
    assert timedelta(0) < change - local <= timedelta(days=7)
    assert table.bps_at(max(local, change - timedelta(seconds=1))) == table.bps_at(local) != table.bps_at(change)
