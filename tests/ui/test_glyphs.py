"""Which drawing characters a terminal gets."""

from __future__ import annotations

import pytest

from tui_dl.ui.glyphs import ASCII, UNICODE, glyphs_for, is_utf8


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "C"}, False),
        ({}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, False),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({"LANG": "de_DE.UTF-8@euro"}, True),
    ],
)
def test_utf8_is_read_from_the_locale(environment: dict[str, str], expected: bool) -> None:
    """Only a locale that a person set to UTF-8 counts, not the one that Python sets for itself."""
    assert is_utf8(environment) is expected


def test_the_setting_forces_ascii() -> None:
    """`ascii` wins over any locale."""
    assert glyphs_for({"LANG": "en_US.UTF-8"}, wants_ascii=True) is ASCII


def test_the_ascii_set_is_ascii() -> None:
    """Nothing of the plain set needs UTF-8, names included."""
    drawn = "".join(getattr(ASCII, name) for name in ASCII.__slots__ if name != "is_ascii")
    assert (drawn + ASCII.text("fotografías 写真")).isascii()


def test_a_bar_fills_its_width() -> None:
    """At any fraction, also wrong ones, a bar is exactly as wide as its column."""
    assert {sum(map(len, UNICODE.bar(fraction / 10, 7))) for fraction in range(-3, 14)} == {7}


def test_a_bar_is_full_only_at_the_end() -> None:
    """One byte missing leaves half a cell open."""
    assert UNICODE.bar(0.999999, 10)[0] != "━" * 10


def test_a_still_graph_is_empty() -> None:
    """Where nothing moved there is no graph."""
    assert UNICODE.graph((0.0, 0.0), 10) == ""
