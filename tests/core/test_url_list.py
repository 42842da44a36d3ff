"""Lines of a list: cut out of blocks, decoded, addresses checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.url_list import MOST_ROW_BYTES, BadLines, LineCutter, check_url, decoded


def test_blanks_around_an_address_are_dropped() -> None:
    """What was pasted with a line end is taken."""
    assert check_url("  https://e.org/a \r\n") == "https://e.org/a"


def test_a_bare_host_is_refused_with_a_hint() -> None:
    """Nothing is guessed, but the way out is named."""
    with pytest.raises(UsageError, match=r"is https://e\.org/a meant"):
        check_url("e.org/a")


def test_a_good_block_is_decoded_at_once_and_a_bad_line_by_itself() -> None:
    """What is no text spoils its own line alone, and so does what is too long."""
    assert decoded([b"a", "\u00fc".encode(), b"c\r"], 10) == ["a", "\u00fc", "c\r"]
    assert decoded([b"a", b"\xff", b"c"], 10) == ["a", None, "c"]
    assert decoded([b"a", b"b" * 11, b"c" * 10 + b"\r"], 10) == ["a", None, "c" * 10 + "\r"]


def test_reports_are_safe_to_show_and_keep_secrets() -> None:
    """Neither the list's name nor its lines act on a terminal, and no password is shown."""
    bad = BadLines("li\x1bst").of_text(3, "http://me:CANARY@e.org/\x1b[2J?token=CANARY", "why\x07")
    assert bad.message == "li\ufffdst:3: why\ufffd"
    assert bad.text_shown.isprintable()
    assert "CANARY" not in bad.text_shown


@given(st.lists(st.binary(max_size=8) | st.just(b"\n") | st.just(b"a\nb\n"), max_size=20))
def test_blocks_are_cut_where_lines_end(blocks: list[bytes]) -> None:
    """Wherever blocks are cut, the lines are those of the whole."""
    cutter = LineCutter()
    lines = [line for block in blocks for line in cutter.feed(block)] + cutter.finish()
    whole = b"".join(blocks).split(b"\n")
    assert lines == (whole if whole[-1] else whole[:-1])


def test_a_line_without_end_costs_no_memory() -> None:
    """Ten megabytes without a line end are one line of bounded size, and the next line is whole."""
    cutter = LineCutter()
    for _ in range(10):
        assert cutter.feed(b"a" * 1_000_000) == []
        assert len(cutter._open) < MOST_ROW_BYTES + 10
    long, good = [*cutter.feed(b"a\nhttp://e.org/2\n"), *cutter.finish()]
    assert MOST_ROW_BYTES < len(long) < MOST_ROW_BYTES + 10
    assert good == b"http://e.org/2"
