"""A set of texts that only answers whether one is in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.name_set import MOST_SORTED, NameSet


@given(st.sets(st.text()), st.text())
def test_it_has_what_it_was_made_of(texts: set[str], other: str) -> None:
    """And nothing else."""
    names = NameSet(texts)
    assert all(text in names for text in texts)
    assert (other in names) == (other in texts)
    assert len(names) == len(texts)


def test_a_large_one_is_made_in_shares() -> None:
    """Each is sorted by itself, and a text is looked for in its own."""
    texts = [f"{number}.bin" for number in range(3 * MOST_SORTED)]
    names = NameSet(texts)
    assert len(names) == len(texts)
    assert all(text in names for text in texts)
    assert not any(f"{number}.png" in names for number in range(1000))
