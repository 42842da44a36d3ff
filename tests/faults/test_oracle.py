"""The oracle: what it says is content, and that it notices every kind of misplaced byte."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.oracle import BLOCK_BYTES, check, content, first_wrong, sha256_of

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 3 * BLOCK_BYTES + 12_345


@settings(max_examples=60)
@given(st.integers(0, SIZE), st.integers(0, 70_000))
def test_a_slice_is_a_slice_of_the_whole(start: int, length: int) -> None:
    """Content made from the middle equals the middle of content made from the beginning."""
    assert content(7, start, start + length) == content(7, 0, SIZE + 70_000)[start : start + length]


def test_blocks_begin_with_their_own_number() -> None:
    """The header of block 2 is 2, big-endian, at 2 MiB."""
    assert content(7, 2 << 20, (2 << 20) + 8) == b"\0\0\0\0\0\0\0\2"


def test_seeds_differ() -> None:
    """Two versions have nothing in common where it matters."""
    left, right = content(1, 8, 4104), content(2, 8, 4104)
    assert sum(a == b for a, b in zip(left, right, strict=True)) < 100


def test_the_digest_is_that_of_the_bytes() -> None:
    """sha256_of equals hashing the content in one piece."""
    assert sha256_of(3, SIZE) == hashlib.sha256(content(3, 0, SIZE)).hexdigest()


def test_a_true_file_has_no_wrong_offset(tmp_path: Path) -> None:
    """Check returns None for the exact content, also for none at all."""
    path = tmp_path / "f"
    path.write_bytes(content(1, 0, SIZE))
    assert check(path, 1, SIZE) is None
    path.write_bytes(b"")
    assert check(path, 1, 0) is None


@pytest.mark.parametrize("at", [0, 7, 8, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 5, SIZE - 1])
def test_one_wrong_byte_is_found_where_it_is(tmp_path: Path, at: int) -> None:
    """Check names the offset of a single altered byte."""
    altered = bytearray(content(1, 0, SIZE))
    altered[at] ^= 1
    path = tmp_path / "f"
    path.write_bytes(altered)
    assert check(path, 1, SIZE) == at


def test_a_wrong_length_is_wrong_at_the_end(tmp_path: Path) -> None:
    """A short file is wrong at its own length, a long one at the length it should have."""
    path = tmp_path / "f"
    path.write_bytes(content(1, 0, SIZE - 1))
    assert check(path, 1, SIZE) == SIZE - 1
    path.write_bytes(content(1, 0, SIZE + 1))
    assert check(path, 1, SIZE) == SIZE


@pytest.mark.parametrize("shift", [1, 8, 4096, 65_536, BLOCK_BYTES, 2 * BLOCK_BYTES])
def test_a_shifted_piece_is_found_within_its_first_bytes(shift: int) -> None:
    """A piece written where another belongs differs at once, whole blocks included."""
    moved = content(1, BLOCK_BYTES + shift, BLOCK_BYTES + shift + 4096)
    wrong = first_wrong(moved, 1, BLOCK_BYTES)
    assert wrong is not None
    assert wrong < BLOCK_BYTES + 16


def test_the_middle_of_one_block_is_not_that_of_another() -> None:
    """A piece without a header, moved by whole blocks, differs at once."""
    moved = content(1, 3 * BLOCK_BYTES + 500_000, 3 * BLOCK_BYTES + 504_096)
    wrong = first_wrong(moved, 1, BLOCK_BYTES + 500_000)
    assert wrong is not None
    assert wrong < BLOCK_BYTES + 500_016


def test_the_oracle_outpaces_the_disk() -> None:
    """Sixty-four MiB are made without noticing: the server's speed must not hang on the content."""
    assert len(content(1, 0, 64 << 20)) == 64 << 20
