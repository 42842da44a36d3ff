"""Content by offset, and the list of what is served."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_dl.demo.tempers import BLOCK_BYTES, SMALL_FILES, Trouble, all_tempers, content, small_files

_OFFSETS = st.integers(0, 5 * BLOCK_BYTES)


@given(_OFFSETS, _OFFSETS, _OFFSETS)
def test_a_piece_equals_the_same_place_of_the_whole(first: int, second: int, third: int) -> None:
    """Content depends on the offset alone, not on how it is cut."""
    start, middle, end = sorted((first, second, third))
    assert content(7, start, end) == content(7, start, middle) + content(7, middle, end)
    assert len(content(7, start, end)) == end - start


def test_blocks_differ_from_each_other() -> None:
    """A block written to a wrong place is seen as wrong."""
    assert content(7, 0, BLOCK_BYTES) != content(7, BLOCK_BYTES, 2 * BLOCK_BYTES)


def test_versions_differ() -> None:
    """A mixture of two versions is seen as one."""
    assert content(7, 0, BLOCK_BYTES) != content(8, 0, BLOCK_BYTES)


def test_every_file_has_its_own_content() -> None:
    """Neither two files nor two versions of them share a seed."""
    seeds = [seed for temper in all_tempers() for seed in (temper.seed, temper.seed + 1)]
    assert len(set(seeds)) == len(seeds)


def test_every_temper_is_there() -> None:
    """Issue 2 item 6: fast, throttled, without ranges, without length, and every trouble; a hundred small ones."""
    tempers = all_tempers()
    assert {temper.trouble for temper in tempers} == set(Trouble)
    assert any(temper.pace_bps for temper in tempers)
    assert any(not temper.has_ranges and temper.has_length for temper in tempers)
    assert any(not temper.has_length for temper in tempers)
    assert len(small_files()) == SMALL_FILES == 100
    assert all(5_000 <= temper.size_bytes <= 50_000 for temper in small_files())
    assert len({temper.name for temper in tempers}) == len(tempers)
