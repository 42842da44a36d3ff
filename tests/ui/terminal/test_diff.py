"""The cell diff on its own: what it writes, and how little."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui_dl.ui.terminal.diff import DiffUpdate, split_cells
from tui_dl.ui.terminal.look import PLAIN, Look, leap


def line(*parts: str | tuple[str, str]) -> Strip:
    """Make a strip of texts, each plain or with a style."""
    return Strip(
        [Segment(part, None) if isinstance(part, str) else Segment(part[0], Style.parse(part[1])) for part in parts]
    )


def full(*strips: Strip) -> LayoutUpdate:
    """Make an update of a whole screen of such lines."""
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, strips[0].cell_length, len(strips)))


def drawn(*strips: Strip) -> DiffUpdate:
    """Make a diff whose terminal shows these lines."""
    diff = DiffUpdate(strips[0].cell_length, len(strips), "truecolor")
    diff.render(full(*strips))
    return diff


def test_the_first_frame_writes_everything() -> None:
    """An unknown terminal gets every cell, blanks as well."""
    assert DiffUpdate(5, 2, "truecolor").render(full(line("ab   "), line("  cd "))) == "\x1b[1;1Hab   \x1b[2;1H  cd "


def test_an_equal_frame_writes_nothing() -> None:
    """New strips with the same cells cost no byte."""
    diff = drawn(line("same ", ("bold", "bold")))
    assert diff.render(full(line("same ", ("bold", "bold")))) == ""


def test_only_changed_cells_are_written() -> None:
    """One digit of a line is a cursor placement and the digit."""
    diff = drawn(line("speed 12.3 MB/s"))
    assert diff.render(full(line("speed 12.4 MB/s"))) == "\x1b[1;10H4"


def test_short_gaps_are_written_and_long_ones_jumped() -> None:
    """Two unchanged cells are cheaper than a jump; ten are not."""
    diff = drawn(line("a--b----------c"))
    assert diff.render(full(line("A--B----------C"))) == "\x1b[1;1HA--B\x1b[10CC"


def test_a_look_is_said_once_and_ended() -> None:
    """A run of red cells has one code before it, and the frame ends plain."""
    diff = drawn(line("abc"))
    assert diff.render(full(line(("abc", "#ff0000")))) == "\x1b[1;1H\x1b[38;2;255;0;0mabc\x1b[m"


def test_a_change_of_look_alone_is_a_change() -> None:
    """The same text in bold is written again."""
    diff = drawn(line("abc"))
    assert diff.render(full(line("a", ("b", "bold"), "c"))) == "\x1b[1;2H\x1b[1mb\x1b[m"


def test_the_cursor_is_placed_anew_after_an_uncertain_width() -> None:
    """Behind an emoji, whose width terminals dispute, the column is said absolutely; behind CJK it is not."""
    uncertain = DiffUpdate(4, 1, "truecolor").render(full(line("🎬ab")))
    assert uncertain == "\x1b[1;1H  \x1b[1;1H🎬\x1b[1;3Hab"
    assert DiffUpdate(4, 1, "truecolor").render(full(line("日ab"))) == "\x1b[1;1H日ab"


def test_half_of_a_wide_character_is_blanked() -> None:
    """When a piece covers the right half of a wide character, its left half becomes a space on the terminal."""
    diff = drawn(line("日本x"))
    chops = ChopsUpdate([{0: None, 3: line("AB")}], [(0, 3, 5)], [[3, 5]])
    assert diff.render(chops) == "\x1b[1;3H AB"


def test_a_partial_update_writes_its_pieces_alone() -> None:
    """Pieces outside the spans are not looked at."""
    diff = drawn(line("abcdef"))
    chops = ChopsUpdate([{0: line("XXX"), 3: line("dEf")}], [(0, 3, 6)], [[3, 6]])
    assert diff.render(chops) == "\x1b[1;5HE"


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a日b", ("a", "日", "", "b")),
        ("e\u0301x", ("e\u0301", "x")),
        ("a\x1bb\nc", ("a", "b", "c")),
        ("\u202eab", ("a", "b")),
    ],
)
def test_text_is_split_by_columns(text: str, cells: tuple[str, ...]) -> None:
    """Wide characters fill two columns, marks none, and control characters end here."""
    assert split_cells(text) == cells


def test_codes_between_looks_are_the_fewest() -> None:
    """Only what differs is said; leaving attributes needs a reset."""
    red, bold_red = Look("", "31", "49", ""), Look("1", "31", "49", "")
    assert leap(PLAIN, red) == "\x1b[31m"
    assert leap(red, bold_red) == "\x1b[1m"
    assert leap(bold_red, red) == "\x1b[0;31m"
    assert leap(bold_red, PLAIN) == "\x1b[m"
    assert leap(PLAIN, Look("", "39", "49", "https://example.org")) == "\x1b]8;;https://example.org\x1b\\"
