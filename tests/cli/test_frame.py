"""A terminal that follows the frame's escape sequences shows exactly its lines, whatever changed in between."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.cli.frame import Frame, Line, Span, Style, fitted, plain_text

COLUMNS, ROWS = 30, 12
_LINES = st.lists(st.text("ab 中━", max_size=40).map(lambda text: (Span(text.rstrip()),)), max_size=6)


def shown(screen: pyte.Screen) -> list[str]:
    """Return what stands on a screen, without blank ends."""
    rows = [row.rstrip() for row in screen.display]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def terminal() -> tuple[pyte.Screen, pyte.Stream]:
    """Return a terminal on which one line stands already."""
    screen = pyte.Screen(COLUMNS, ROWS)
    screen.set_mode(pyte.modes.LNM)
    stream = pyte.Stream(screen)
    stream.feed("before\n")
    return screen, stream


def texts(lines: list[Line]) -> list[str]:
    """Return what such lines look like."""
    seen = [plain_text(fitted(line, COLUMNS - 1)).rstrip() for line in lines]
    while seen and not seen[-1]:
        seen.pop()
    return seen


@given(pictures=st.lists(_LINES, min_size=1, max_size=5))
def test_any_picture_follows_any_other(pictures: list[list[Line]]) -> None:
    """Only changed lines are written, and nothing of the last picture stays."""
    screen, stream = terminal()
    frame = Frame(has_colour=True)
    for lines in pictures:
        stream.feed(frame.painted(lines, COLUMNS, ROWS))
        assert [row.replace(" ", "") for row in shown(screen)] == [
            row.replace(" ", "") for row in ["before", *texts(lines)]
        ]
    stream.feed(frame.erased(COLUMNS))
    assert shown(screen) == ["before"]


def test_what_is_the_same_is_not_written() -> None:
    """Two equal pictures cost nothing; of two lines the changed one is written."""
    frame = Frame(has_colour=False)
    frame.painted([(Span("one"),), (Span("two"),)], COLUMNS, ROWS)
    assert frame.painted([(Span("one"),), (Span("two"),)], COLUMNS, ROWS) == ""
    assert "one" not in frame.painted([(Span("one"),), (Span("three"),)], COLUMNS, ROWS)


def test_no_line_is_wider_than_the_terminal() -> None:
    """One cell stays free, so that no terminal wraps."""
    assert plain_text(fitted((Span("a" * 20), Span("b" * 20)), COLUMNS - 1)) == "a" * 20 + "b" * 8 + "…"


def test_no_more_lines_than_the_terminal_has() -> None:
    """Its first line must not scroll away."""
    text = Frame(has_colour=False).painted([(Span(str(number)),) for number in range(20)], COLUMNS, 5)
    assert text.count("\n") == 3


def test_what_a_narrower_terminal_wrapped_is_taken_away() -> None:
    """The way up counts the rows that the lines take now."""
    frame = Frame(has_colour=False)
    frame.painted([(Span("a" * 25),), (Span("b" * 8),)], COLUMNS, ROWS)
    assert frame.painted([(Span("new"),)], 10, ROWS).startswith("\r\x1b[3A\x1b[J")


def test_a_forgotten_frame_is_left_where_it_is() -> None:
    """After Ctrl+Z and `fg` the shell's words stand below it; the next picture is drawn below them."""
    screen, stream = terminal()
    frame = Frame(has_colour=False)
    stream.feed(frame.painted([(Span("one"),), (Span("two"),)], COLUMNS, ROWS))
    stream.feed("\nstopped\n")
    frame.forget()
    stream.feed(frame.painted([(Span("three"),)], COLUMNS, ROWS))
    assert shown(screen) == ["before", "one", "two", "stopped", "three"]


def test_without_colour_there_are_no_styles() -> None:
    """NO_COLOR is a person's wish."""
    line = (Span("bad", Style.BAD), Span(" plain"))
    assert "\x1b[31m" not in Frame(has_colour=False).painted([line], COLUMNS, ROWS)
    assert "\x1b[31mbad\x1b[m plain" in Frame(has_colour=True).painted([line], COLUMNS, ROWS)
