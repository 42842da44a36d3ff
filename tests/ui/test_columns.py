"""Columns, and what a row says of its status."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.fake_engine import MIB, make_task
from tui_dl.core.errors import Reason
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress, DownloadTask, Flag, TaskOptions
from tui_dl.ui.columns import COLUMNS, layout, tail_piece
from tui_dl.ui.format import Units
from tui_dl.ui.glyphs import UNICODE
from tui_dl.ui.row import Look, Row
from tui_dl.ui.row_text import status_phrase

LOOK = Look(UNICODE, Units(), now=1000.0, max_retries=8)
WAITING = make_task(1, "a", Status.WAITING, due_at=1023.0, reason=Reason.TOO_MANY_REQUESTS, retry_count=2)


def drawn(key: str, row: Row, width: int = 12) -> str:
    """Return the text of one cell."""
    column = next(column for column in COLUMNS if column.key == key)
    return "".join(text for text, _role in column.draw(row, LOOK, width))


def test_all_columns_fit_eighty_cells() -> None:
    """A terminal of 80 cells shows every column."""
    assert [place.column.key for place in layout(79)] == [column.key for column in COLUMNS]


@pytest.mark.parametrize(
    ("width", "keys"),
    [(39, ["name", "percent", "speed"]), (50, ["name", "percent", "speed", "eta"]), (17, ["name"]), (1, ["name"])],
)
def test_columns_drop_by_priority(width: int, keys: list[str]) -> None:
    """A narrow terminal keeps name, percent and speed before anything else."""
    assert [place.column.key for place in layout(width)] == keys


@given(st.integers(min_value=3, max_value=500))
def test_columns_never_overlap_nor_overflow(width: int) -> None:
    """At any width columns stand side by side within it."""
    places = layout(width)
    for left, right in pairwise(places):
        assert left.x + left.width < right.x
    assert places[-1].x + places[-1].width <= width


@pytest.mark.parametrize(
    ("task", "phrase"),
    [
        (WAITING, "waits 23 s: too many requests (429), 2 of 8"),
        (replace(WAITING, options=TaskOptions(max_retries=4)), "waits 23 s: too many requests (429), 2 of 4"),
        (make_task(1, "a", Status.WAITING, reason=Reason.NO_NETWORK), "waits: no network"),
        (make_task(1, "a", Status.FAILED, reason=Reason.NOT_FOUND), "failed: not found (404), e: new link"),
        (make_task(1, "a", Status.PAUSED), "paused"),
        (make_task(1, "a", Status.COMPLETED), "done"),
        (
            make_task(1, "a", Status.COMPLETED, flags=frozenset({Flag.LENGTH_UNVERIFIED})),
            "completed, length unverified",
        ),
        (make_task(1, "a", Status.DOWNLOADING), ""),
    ],
)
def test_a_row_says_why_it_stands_still(task: DownloadTask, phrase: str) -> None:
    """Every status that does not move says its reason in words."""
    assert status_phrase(task, 1000.0, 8) == phrase


def test_every_resting_status_has_a_tail() -> None:
    """Words take the place of speed and host for all statuses but the ones that numbers tell."""
    silent = {status for status in Status if tail_piece(Row(make_task(1, "a", status)), LOOK) is None}
    assert silent == {Status.PENDING, Status.DOWNLOADING}


def test_an_unknown_length_shows_what_arrived() -> None:
    """Without a length the size column counts up and the percentage stays empty."""
    task = make_task(1, "a", Status.DOWNLOADING, total_bytes=None)
    progress = DownloadProgress(task, 37 * MIB, None, 1.0)
    row = Row(task, progress, progress)
    assert (drawn("size", row), drawn("percent", row)) == ("37.0 MiB+", "")


def test_an_empty_file_that_is_done_is_whole() -> None:
    """A completed file of no bytes is shown as 100 %."""
    assert drawn("percent", Row(make_task(1, "a", Status.COMPLETED, total_bytes=0))) == "100 %"


def test_numbers_are_slower_than_the_bar() -> None:
    """The bar follows the newest progress, speed and percentage the one taken over last."""
    task = make_task(1, "a", Status.DOWNLOADING)
    old, new = (DownloadProgress(task, part * MIB, 100 * MIB, part * MIB, 1.0) for part in (10, 90))
    row = Row(task, new, old)
    assert (drawn("percent", row), drawn("speed", row), drawn("bar", row, 10)) == ("10 %", "10.0 MiB/s", "━" * 9 + "─")
