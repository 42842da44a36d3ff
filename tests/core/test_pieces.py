"""Pieces are written down and read back, and cover every byte of their file exactly once."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.errors import UsageError
from tui_dl.core.pieces import Pieces, checked_pieces, parse_pieces
from tui_dl.core.ranges import ByteRange, RangeSet

LENGTH = 1024


def pieces_of(count: int, length_bytes: int = LENGTH, algorithm: str = "sha1") -> Pieces:
    """Return pieces with values of their own."""
    values = [hashlib.new(algorithm, bytes([one % 256])).hexdigest() for one in range(count)]
    return checked_pieces(algorithm, length_bytes, values)


@given(st.integers(1, 40), st.integers(1024, 1 << 30), st.sampled_from(["md5", "sha1", "sha256", "sha512"]))
def test_what_was_written_is_read_back(count: int, length_bytes: int, algorithm: str) -> None:
    """Nothing of it is lost."""
    pieces = pieces_of(count, length_bytes, algorithm)
    assert parse_pieces(str(pieces)) == pieces


def test_the_text_is_short() -> None:
    """A thousand SHA-1 values take a third more than their bytes, not twice as much."""
    assert len(str(pieces_of(1000))) < 27_000


@given(st.integers(1, 200_000))
def test_every_byte_is_in_one_piece(total_bytes: int) -> None:
    """The last piece may be shorter."""
    pieces = pieces_of(-(-total_bytes // LENGTH))
    pieces.check_length(total_bytes)
    ranges = list(pieces.ranges(total_bytes))
    assert sum(one.length_bytes for one in ranges) == total_bytes
    assert list(RangeSet(ranges)) == [ByteRange(0, total_bytes)]


@given(st.integers(1, 20_000), st.integers(0, 20_000), st.integers(0, 20_000))
def test_pieces_within_are_those_wholly_held(total_bytes: int, one: int, other: int) -> None:
    """One byte less and a piece does not count."""
    pieces = pieces_of(-(-total_bytes // LENGTH))
    held = ByteRange(min(one, other, total_bytes), min(max(one, other), total_bytes))
    expected = [
        index
        for index, piece in enumerate(pieces.ranges(total_bytes))
        if held.start <= piece.start and piece.end <= held.end
    ]
    assert list(pieces.indices_within(held, total_bytes)) == expected


@pytest.mark.parametrize("total_bytes", [0, LENGTH * 2, LENGTH * 3 + 1])
def test_a_wrong_number_of_pieces_is_refused(total_bytes: int) -> None:
    """It would check other bytes than were meant."""
    with pytest.raises(UsageError, match="pieces"):
        pieces_of(3).check_length(total_bytes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write them as"),
        ("sha1", "write them as"),
        ("sha1:-5:AAAA", "write them as"),
        ("sha1:1024:nonsense!", "base64"),
        ("sha1:1024:", "0 digests"),
        ("sha1:1024:AAAA", "40 hexadecimal"),
        ("sha1:10:" + "A" * 28, "too small"),
        ("whirlpool:1024:AAAA", "not known"),
    ],
)
def test_nonsense_is_refused_with_its_reason(text: str, words: str) -> None:
    """Never guessed."""
    with pytest.raises(UsageError, match=words):
        parse_pieces(text)


def test_a_value_of_the_wrong_length_is_named() -> None:
    """With its number."""
    with pytest.raises(UsageError, match="number 2"):
        checked_pieces("sha-256", 4096, ["0" * 64, "0" * 63])


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused(text: str) -> None:
    """No other error ever leaves."""
    with suppress(UsageError):
        assert parse_pieces(text).hexes
