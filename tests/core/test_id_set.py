"""The set of ids behaves as Python's own, in a fraction of the room."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.id_set import IdSet

_STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 30_000) | st.integers(0, 2**63 - 1)))


@given(steps=_STEPS)
def test_it_holds_what_a_set_holds(steps: list[tuple[bool, int]]) -> None:
    """After any puts and takes, membership, size and what each step returned are those of a set."""
    ids, model = IdSet(), set[int]()
    for is_put, one in steps:
        if is_put:
            assert ids.add(one) is (one not in model)
            model.add(one)
        else:
            assert ids.discard(one) is (one in model)
            model.discard(one)
        assert (one in ids, len(ids)) == (one in model, len(model))
    assert all(one in ids for one in model)


def test_neighbours_take_a_bit_each() -> None:
    """A hundred thousand rows of one list take some kilobytes."""
    ids = IdSet()
    for one in range(100_000):
        ids.add(one)
    assert sum(map(sys.getsizeof, ids._blocks.values())) < 16_000
