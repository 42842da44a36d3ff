"""Lists are read line by line; every bad line is reported with its number, none stops the rest."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import MOST_LINE_BYTES, BadLine, Line, LineCutter, check_url, parse_bytes_lines, parse_lines

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def test_blanks_around_an_address_are_dropped() -> None:
    """What was pasted with a line end is taken."""
    assert check_url("  https://e.org/a \r\n") == "https://e.org/a"


def test_a_bare_host_is_refused_with_a_hint() -> None:
    """Nothing is guessed, but the way out is named."""
    with pytest.raises(UsageError, match=r"is https://e\.org/a meant"):
        check_url("e.org/a")


def test_lines_have_numbers_comments_and_blanks() -> None:
    """Comments and blank lines are skipped but counted; line ends and the byte order mark vanish."""
    lines = [
        "\ufeffhttp://e.org/1\r\n",
        "\n",
        "# http://e.org/no\n",
        "  http://e.org/4  \n",
        "   # no\n",
        "http://e.org/6",
    ]
    assert list(parse_lines(lines, name="list")) == [
        Line(1, "http://e.org/1"),
        Line(4, "http://e.org/4"),
        Line(6, "http://e.org/6"),
    ]


def test_bad_lines_are_reported_and_the_rest_goes_on() -> None:
    """Each defect has its line number and its words."""
    lines = ["nonsense", "http://e.org/a b", "gopher://e.org/", "http://e.org/\x1b[2J", "http://e.org/ok"]
    parsed = list(parse_lines(lines, name="li\x1bst"))
    bad = [line for line in parsed if isinstance(line, BadLine)]
    assert [line.number for line in bad] == [1, 2, 3, 4]
    assert all((line.text_shown + line.message).isprintable() for line in bad)
    assert bad[1].message.startswith("li\ufffdst:2: white space")
    assert parsed[-1] == Line(5, "http://e.org/ok")


def test_a_byte_order_mark_counts_on_the_first_line_only() -> None:
    """Elsewhere it is an invisible character inside an address."""
    parsed = list(parse_lines(["http://e.org/1", "\ufeffhttp://e.org/2"], name="list"))
    assert isinstance(parsed[1], BadLine)


def test_bad_lines_hide_secrets() -> None:
    """A report of a list shows no password."""
    (bad,) = parse_lines(["http://me:CANARY@e.org/a b?token=CANARY"], name="list")
    assert isinstance(bad, BadLine)
    assert "CANARY" not in bad.text_shown + bad.problem


def test_long_lines_are_bad_lines() -> None:
    """The limit is exact, line end apart; of a longer line only the beginning is kept."""
    longest = "http://e.org/".ljust(MOST_LINE_BYTES, "a")
    good, bad = parse_lines([longest + "\r\n", longest + "a\r\n"], name="list")
    assert good == Line(1, longest)
    assert isinstance(bad, BadLine)
    assert "64 KiB" in bad.problem
    assert len(bad.text_shown) < 100


def test_undecodable_bytes_are_reported() -> None:
    """Bytes that are not UTF-8 are a defect of their line alone; UTF-16 is named."""
    lines = [b"http://e.org/\xff\n", b"\xef\xbb\xbfhttp://e.org/2\n", b"http://e.org/\xc3\xbc\r\n"]
    parsed = list(parse_bytes_lines(lines, name="list"))
    assert isinstance(parsed[0], BadLine)
    assert "UTF-8" in parsed[0].problem
    assert parsed[2] == Line(3, "http://e.org/%C3%BC")
    (utf16,) = parse_bytes_lines(["http://e.org".encode("utf-16")], name="list")
    assert isinstance(utf16, BadLine)
    assert "UTF-16" in utf16.problem


def test_bytes_with_a_byte_order_mark() -> None:
    """The mark that Windows editors write is no part of the first address."""
    assert list(parse_bytes_lines([b"\xef\xbb\xbfhttp://e.org/1\r\n"], name="list")) == [Line(1, "http://e.org/1")]


def test_lines_are_streamed() -> None:
    """An endless list yields its first line at once."""
    assert next(parse_lines((f"http://e.org/{number}" for number in count(1)), name="-")) == Line(1, "http://e.org/1")


def test_pieces_go_on_counting() -> None:
    """A list that arrives in pieces keeps its numbers."""
    assert list(parse_lines(["http://e.org/"], name="list", start=1000)) == [Line(1000, "http://e.org/")]


@given(st.lists(ANY_TEXT, max_size=5), st.sampled_from(["", "http://", "http://e.org/"]))
def test_any_line_is_an_address_or_a_report(texts: list[str], prefix: str) -> None:
    """No line raises, and what is reported is safe to show."""
    octets = [(prefix + text).encode("utf-8", "surrogatepass") for text in texts]
    for line in [
        *parse_lines([prefix + text for text in texts], name="\x1b"),
        *parse_bytes_lines(octets, name="list"),
        *parse_bytes_lines([b"\xff" + line for line in octets], name="list"),
    ]:
        assert line.number >= 1
        if isinstance(line, BadLine):
            assert (line.text_shown + line.problem + line.message).isprintable()
        else:
            assert line.url.isascii()


@given(st.lists(st.binary(max_size=8) | st.just(b"\n") | st.just(b"a\nb\n"), max_size=20))
def test_blocks_are_cut_where_lines_end(blocks: list[bytes]) -> None:
    """Wherever blocks are cut, the lines are those of the whole."""
    cutter = LineCutter()
    lines = [line for block in blocks for line in cutter.feed(block)] + cutter.finish()
    whole = b"".join(blocks).split(b"\n")
    assert lines == (whole if whole[-1] else whole[:-1])


def test_a_line_without_end_costs_no_memory() -> None:
    """Ten megabytes without a line end are one bad line of bounded size, and the next line is read well."""
    cutter = LineCutter()
    for _ in range(10):
        assert cutter.feed(b"a" * 1_000_000) == []
        assert len(cutter._open) < MOST_LINE_BYTES + 10
    lines = [*cutter.feed(b"a\nhttp://e.org/2\n"), *cutter.finish()]
    bad, good = parse_bytes_lines(lines, name="list")
    assert isinstance(bad, BadLine)
    assert "64 KiB" in bad.problem
    assert good == Line(2, "http://e.org/2")
