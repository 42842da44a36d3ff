"""The rows behind the table, and the selection."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from tests.ui.fake_engine import make_task
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Status
from tui_dl.core.task import DownloadProgress
from tui_dl.ui.columns import LiveSort
from tui_dl.ui.row_model import MOST_RECORDS, PAGE_ROWS, RowModel
from tui_dl.ui.selection import MOST_IDS, Selection


def model_of(count: int) -> RowModel:
    """Make a model that shows ids 1 to `count`."""
    model = RowModel()
    model.replace(array("q", range(1, count + 1)))
    return model


def test_missing_rows_are_asked_for_by_pages() -> None:
    """One visible row that is unknown brings its whole page."""
    assert model_of(1000).missing(130, 140) == list(range(PAGE_ROWS + 1, 2 * PAGE_ROWS + 1))


def test_known_rows_are_not_asked_for_again() -> None:
    """After the answer nothing is missing, also where a row turned out to be gone."""
    model = model_of(10)
    asked = model.missing(0, 9)
    model.put(asked, [make_task(task_id, "x") for task_id in asked if task_id != 3])
    assert (model.missing(0, 9), model.row(2)) == ([], None)


def test_a_new_view_shows_old_records_until_newer_ones_come() -> None:
    """Rows do not vanish while they are fetched again."""
    model = model_of(3)
    model.put([1, 2, 3], [make_task(task_id, f"{task_id}") for task_id in (1, 2, 3)])
    model.replace(array("q", [3, 1]))
    row = model.row(0)
    assert (row is not None and row.task.id, model.missing(0, 1)) == (3, [3, 1])


def test_live_progress_lies_over_the_record() -> None:
    """A live row is never asked for, and shows the engine's own record."""
    model = model_of(1)
    task = make_task(1, "live", Status.DOWNLOADING)
    model.live = {1: DownloadProgress(task, 5, 10)}
    row = model.row(0)
    assert model.missing(0, 0) == []
    assert row is not None
    assert row.downloaded_bytes == 5


def test_a_row_that_ends_does_not_blink() -> None:
    """Between the end of its progress and its record a row stays on the screen."""
    model = model_of(1)
    model.live = {1: DownloadProgress(make_task(1, "x", Status.DOWNLOADING), 5, 10)}
    model.live = {}
    assert model.row(0) is not None
    assert model.missing(0, 0) == [1]


def test_records_are_bounded() -> None:
    """Scrolling through everything keeps a bounded number of records."""
    model = model_of(10 * MOST_RECORDS)
    for first in range(0, len(model), PAGE_ROWS):
        asked = model.missing(first, first)
        model.put(asked, [make_task(task_id, "x") for task_id in asked])
    assert model.row(0) is None
    assert model.row(len(model) - 1) is not None


PLACES = st.integers(min_value=0, max_value=39)


@given(st.sets(PLACES), PLACES, PLACES)
def test_sorting_live_rows_loses_and_doubles_none(places: set[int], first: int, last: int) -> None:
    """Live rows come first, the others follow in the order of the view, all of them once; ranges are cut from that."""
    model = model_of(40)
    model.sort_live(LiveSort.SPEED, is_descending=True, live_places=sorted(places))
    shown = [model.id_at(index) for index in range(40)]
    head = {place + 1 for place in places}
    assert set(shown[: len(head)]) == head
    assert shown[len(head) :] == [task_id for task_id in range(1, 41) if task_id not in head]
    assert model.ids_between(first, last) == array("q", shown[first : last + 1])


def test_the_fastest_comes_first() -> None:
    """Sorted by speed and descending, the fastest live row is the first."""
    model = model_of(5)
    tasks = {task_id: make_task(task_id, "x", Status.DOWNLOADING) for task_id in (2, 4)}
    model.live = {2: DownloadProgress(tasks[2], 0, 9, 1.0), 4: DownloadProgress(tasks[4], 0, 9, 7.0)}
    model.sort_live(LiveSort.SPEED, is_descending=True, live_places=[1, 3])
    assert [model.id_at(index) for index in range(5)] == [4, 2, 1, 3, 5]


def test_many_selected_rows_are_a_question() -> None:
    """Selecting all of a huge view remembers its question instead of its ids."""
    selection, query = Selection(), TaskQuery(text="iso")
    selection.add_all(query, range(MOST_IDS + 1), MOST_IDS + 1)
    assert (selection.query, selection.ids, 5 in selection) == (query, (), True)


def test_letting_one_go_of_all_keeps_the_question() -> None:
    """After all rows were selected by a question, one let go is an exception to it; again, and it is selected."""
    selection, query = Selection(), TaskQuery()
    selection.add_all(query, (), MOST_IDS + 1)
    selection.toggle(2)
    assert (selection.query, selection.excluded, selection.ids) == (query, (2,), ())
    assert (2 in selection, 3 in selection, selection.count(MOST_IDS + 1)) == (False, True, MOST_IDS)
    selection.toggle(2)
    assert (selection.excluded, 2 in selection) == ((), True)


@given(
    st.lists(st.tuples(st.integers(1, 40_000), st.sampled_from([1, 3, MOST_IDS + 5])), max_size=3),
    st.lists(st.integers(1, 45_000), max_size=4),
)
def test_ranges_however_long_are_a_set_of_ids(ranges: list[tuple[int, int]], toggles: list[int]) -> None:
    """Short and long ranges and single rows let go add up as sets do."""
    selection, model = Selection(), set[int]()
    for first, length in ranges:
        selection.add(array("q", range(first, first + length)))
        model.update(range(first, first + length))
    for task_id in toggles:
        selection.toggle(task_id)
        model ^= {task_id}
    assert set(selection.ids) == model
    assert (selection.count(0), bool(selection)) == (len(model), bool(model))
    assert all((task_id in selection) == (task_id in model) for task_id in (*toggles, 1, 40_001))
