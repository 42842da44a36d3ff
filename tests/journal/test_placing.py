"""Rows are put at counted places: the same as a list would have it, however little room there is between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal.rows import added, wishes
from tui_dl.core.places import Base, Place
from tui_dl.core.query import TaskQuery
from tui_dl.core.status import Trigger
from tui_dl.journal.journal import Journal
from tui_dl.journal.writer import Need

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 6
moves = st.tuples(
    st.lists(st.integers(1, ROWS), min_size=1, max_size=3, unique=True), st.integers(-8, 8), st.sampled_from(Base)
)


def _moved(order: list[int], ids: Sequence[int], offset: int, base: Base) -> tuple[list[int], int]:
    others = [one for one in order if one not in ids]
    current = sum(one not in ids for one in order[: order.index(ids[0])])
    start = {Base.SET: 0, Base.CURRENT: current, Base.END: len(others)}[base]
    index = min(max(start + offset, 0), len(others))
    return [*others[:index], *ids, *others[index:]], index


@settings(max_examples=30)
@given(st.lists(moves, max_size=12), st.integers(1, 3))
async def test_places_are_those_of_a_list(made: list[tuple[list[int], int, Base]], gap: int) -> None:
    """Any row of moves gives the order of the same moves in a list, with gaps that are used up at once."""
    async with await Journal.open(None) as journal:
        order = [task.id for task in await added(journal, wishes(ROWS))]
        squeeze = "UPDATE tasks SET position = id * ?"
        await journal._ask(lambda connection: connection.execute(squeeze, (gap,)).rowcount, Need.DURABLE)
        for ids, offset, base in made:
            order, index = _moved(order, ids, offset, base)
            assert (await journal.place(ids, Place(offset, base))).index == index
            assert list(await journal.ids(TaskQuery())) == order


async def test_finished_rows_have_no_place() -> None:
    """Rows that are done are not counted, and asked for themselves nothing moves."""
    async with await Journal.open(None) as journal:
        ids = [task.id for task in await added(journal, wishes(4))]
        await journal.bulk(Trigger.CANCEL, ids=ids[:2])
        assert (await journal.place([ids[0]], Place(0))).moved == 0
        assert (await journal.place([ids[3]], Place(0))).index == 0
        before = journal.generation
        assert (await journal.place([ids[3]], Place(1))).index == 1
        assert journal.generation > before
