"""Sizes, speeds and times as a person reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.ui.format import Units, duration, percent, units_named, wait_time


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "0.98 KiB"),
        (1024, "1.00 KiB"),
        (10_239, "10.0 KiB"),
        (90_000, "87.9 KiB"),
        (1024**3 - 1, "1.00 GiB"),
        (int(3.9 * 1024**3), "3.90 GiB"),
    ],
)
def test_a_size_has_three_digits(size_bytes: int, text: str) -> None:
    """A size is three significant digits with a binary unit."""
    assert Units().size(size_bytes) == text


def test_si_units_count_in_thousands() -> None:
    """The setting `si` shows thousands, not 1024s."""
    assert units_named("si").speed(41_300_000) == "41.3 MB/s"


@given(st.floats(min_value=0, max_value=2**62, allow_nan=False))
def test_a_size_never_outgrows_its_column(size_bytes: float) -> None:
    """No size is wider than eight cells, so that a table's column holds it with its plus sign."""
    assert len(Units().size(size_bytes)) <= 8


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (math.nan, ""),
        (-5, "0:00"),
        (38, "0:38"),
        (201, "3:21"),
        (3723, "1:02:03"),
        (2 * 86_400 + 5, "2 d"),
        (math.inf, ">99 d"),
    ],
)
def test_a_duration_is_never_negative_nor_endless(seconds: float | None, text: str) -> None:
    """Times left are short words, whatever the engine computed."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (99.99, "99 %"), (100.0, "100 %"), (-1, "0 %"), (250, "100 %")]
)
def test_hundred_percent_means_all(value: float | None, text: str) -> None:
    """A file that lacks one byte is not shown as 100 %."""
    assert percent(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0 s"), (23, "23 s"), (240, "4 min"), (7200, "2 h")])
def test_a_wait_is_counted_in_its_own_unit(seconds: float, text: str) -> None:
    """A wait that has passed is shown as none, not as a negative one."""
    assert wait_time(seconds) == text
