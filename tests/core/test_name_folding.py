"""Names that some file system takes for one fold to one; a growing set that never says a false no."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.maybe_set import MaybeSet
from tui_dl.core.name_folding import folded


@pytest.mark.parametrize(
    ("one", "other"),
    [("A.JPG", "a.jpg"), ("é.txt", "e\u0301.txt"), ("Straße", "STRASSE"), ("Ǆ", "ǆ"), ("ﬁ", "FI"), ("Σ", "ς")],
)
def test_names_alike_fold_to_one(one: str, other: str) -> None:
    """Case, and how accents are written."""
    assert folded(one) == folded(other)


@given(st.text())
def test_case_and_normal_form_never_matter(name: str) -> None:
    """At least what APFS, NTFS and a casefolded ext4 do."""
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, name)) == folded(name)
    assert folded(name.casefold()) == folded(name)
    assert folded(folded(name)) == folded(name)


def test_names_that_differ_stay_apart() -> None:
    """Folding is no hash."""
    assert len({folded(f"image ({number}).jpg") for number in range(100)}) == 100


@given(st.lists(st.text()), st.text())
def test_a_maybe_set_never_denies_what_is_in_it(texts: list[str], other: str) -> None:
    """A no is certain."""
    names = MaybeSet()
    assert other not in names
    for one in texts:
        names.add(one)
    assert all(one in names for one in texts)


def test_a_maybe_set_seldom_says_a_false_yes() -> None:
    """Each one costs a look."""
    names = MaybeSet()
    for number in range(20_000):
        names.add(f"/d/{number}")
    assert sum(f"/e/{number}" in names for number in range(20_000)) <= 2
