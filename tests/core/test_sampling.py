"""Samples of held bytes: both ends always, of little everything, never a byte that is not held."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.ranges import RangeSet
from tui_dl.core.resume import SAMPLE_COUNT, TAIL_BYTES
from tui_dl.core.sampling import samples_of

MIB = 1 << 20
RUNS = st.lists(st.tuples(st.integers(0, 40 * MIB), st.integers(0, 10 * MIB)), max_size=6)


@given(RUNS, st.integers())
def test_samples_are_held_and_bounded(runs: list[tuple[int, int]], seed: int) -> None:
    """What is compared is some of what is held, at most ten pieces, with the first and the last byte."""
    held = RangeSet((start, start + length) for start, length in runs)
    chosen = samples_of(held, random.Random(seed).random)
    assert all(held.covers(one.start, one.end) for one in chosen)
    assert chosen.total_bytes <= (SAMPLE_COUNT + 2) * TAIL_BYTES
    if held:
        first = next(iter(held)).start
        assert chosen.covers(first, first + 1)
        assert chosen.covers(held.end - 1, held.end)


def test_of_little_all_is_compared() -> None:
    """Up to ten pieces nothing is left to chance."""
    held = RangeSet([(5, 500_000), (MIB, MIB + 100)])
    assert samples_of(held, lambda: 0.5) == held


def test_every_byte_is_as_likely_as_any_other() -> None:
    """A long run among short ones gets most of the samples."""
    held = RangeSet([(0, TAIL_BYTES), (MIB, 100 * MIB)])
    chosen = samples_of(held, random.Random(1).random)
    assert sum(one.start >= MIB for one in chosen) >= SAMPLE_COUNT - 1
