"""Pieces of a part file are checked as soon as they are whole; the file's digest is computed behind its bytes."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.engine.stage import MIB, until
from tests.faults import oracle
from tui_dl.core.errors import ContentError, Reason
from tui_dl.core.pieces import Pieces, checked_pieces
from tui_dl.core.ranges import ByteRange, RangeSet
from tui_dl.core.splitting import SegmentPlan
from tui_dl.disk.part_file import PartFile
from tui_dl.disk.writer import DiskPool
from tui_dl.engine.hashing import STEP_BYTES, PrefixHasher
from tui_dl.engine.pieces import PieceChecker, piece_values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SIZE = 3 * MIB + 12_345
LENGTH = 256 * 1024
BODY = oracle.content(1, 0, SIZE)


def pieces_of(body: bytes, length_bytes: int = LENGTH, algorithm: str = "sha256") -> Pieces:
    """Return the pieces of a body."""
    values = (hashlib.new(algorithm, body[at : at + length_bytes]) for at in range(0, len(body), length_bytes))
    return checked_pieces(algorithm, length_bytes, [one.hexdigest() for one in values])


@pytest_asyncio.fixture
async def part(tmp_path: Path) -> AsyncIterator[PartFile]:
    """Open an empty part file."""
    pool = DiskPool()
    opened = await PartFile.open(pool, str(tmp_path), "f.bin", is_ordered=False)
    yield opened
    await opened.close()
    assert await pool.aclose()


async def test_only_whole_pieces_are_checked(part: PartFile) -> None:
    """Half a piece is neither right nor wrong."""
    await part.write([BODY[: 2 * LENGTH + 100]], 0)
    checker = PieceChecker(part, pieces_of(BODY), SIZE)
    assert await checker.check(RangeSet([(100, 2 * LENGTH + 100)])) == []
    assert list(checker.verified) == [ByteRange(LENGTH, 2 * LENGTH)]


async def test_a_wrong_piece_is_found_among_right_ones(part: PartFile) -> None:
    """Its range is named exactly, also where it is the shorter last one."""
    wrong = bytearray(BODY)
    wrong[LENGTH + 5] ^= 1
    wrong[-1] ^= 1
    await part.write([bytes(wrong)], 0)
    checker = PieceChecker(part, pieces_of(BODY), SIZE)
    bad = await checker.check(RangeSet([(0, SIZE)]))
    assert bad == [ByteRange(LENGTH, 2 * LENGTH), ByteRange(12 * LENGTH, SIZE)]
    assert checker.verified.total_bytes == SIZE - LENGTH - (SIZE - 12 * LENGTH)


async def test_what_is_verified_is_not_read_again(part: PartFile) -> None:
    """A second look at the same bytes finds nothing to do; a fresh piece is looked at."""
    await part.write([BODY], 0)
    checker = PieceChecker(part, pieces_of(BODY), SIZE)
    await checker.check(RangeSet([(0, LENGTH)]))
    await part.write([bytes(2 * LENGTH)], 0)
    assert await checker.check(RangeSet([(0, LENGTH)])) == []
    assert await checker.check(RangeSet([(0, 2 * LENGTH)])) == [ByteRange(LENGTH, 2 * LENGTH)]
    checker.forget(ByteRange(0, LENGTH))
    assert ByteRange(0, LENGTH) in await checker.check(RangeSet([(0, LENGTH)]))


async def test_a_wrong_piece_that_was_fetched_again_is_right(part: PartFile) -> None:
    """Nothing of the first look sticks to it."""
    await part.write([bytes(LENGTH)], 0)
    checker = PieceChecker(part, pieces_of(BODY), SIZE)
    assert await checker.check(RangeSet([(0, LENGTH)])) == [ByteRange(0, LENGTH)]
    await part.write([BODY[:LENGTH]], 0)
    assert await checker.check(RangeSet([(0, LENGTH)])) == []


async def test_a_file_that_ends_too_early_is_wrong_there(part: PartFile) -> None:
    """Whatever was claimed to be held."""
    await part.write([BODY[: LENGTH + 10]], 0)
    checker = PieceChecker(part, pieces_of(BODY), SIZE)
    bad = await checker.check(RangeSet([(0, SIZE)]))
    assert bad[0] == ByteRange(LENGTH, 2 * LENGTH)
    assert len(bad) == 12


async def test_a_wrong_piece_is_described_with_both_values(part: PartFile) -> None:
    """So that a person can compare."""
    await part.write([bytes(LENGTH)], 0)
    pieces = pieces_of(BODY)
    text = await PieceChecker(part, pieces, SIZE).describe(ByteRange(0, LENGTH))
    assert pieces.hexes[0] in text
    assert hashlib.sha256(bytes(LENGTH)).hexdigest() in text


async def test_pieces_of_another_length_are_refused(part: PartFile) -> None:
    """They are of another file."""
    with pytest.raises(ContentError) as caught:
        PieceChecker(part, pieces_of(BODY), SIZE + LENGTH)
    assert caught.value.reason is Reason.LENGTH_MISMATCH


def test_pieces_of_a_body_in_memory() -> None:
    """However it is cut."""
    pieces = pieces_of(BODY)
    cut = [BODY[at : at + 10_007] for at in range(0, SIZE, 10_007)]
    assert tuple(piece_values(pieces, cut)) == pieces.hexes


async def test_the_digest_follows_the_bytes(part: PartFile) -> None:
    """What is held in order is read while the rest is missing; the end is that of the whole file."""
    size = 3 * STEP_BYTES
    plan = SegmentPlan(size)
    hasher = PrefixHasher(part, plan, "sha256")
    body = oracle.content(2, 0, size)
    await part.write([body[: 2 * STEP_BYTES + 5]], 0)
    plan.hold(0, 2 * STEP_BYTES + 5)
    await until(lambda: hasher._position == 2 * STEP_BYTES)
    await part.write([body[2 * STEP_BYTES + 5 :]], 2 * STEP_BYTES + 5)
    plan.hold(0, size)
    assert await hasher.finish() == hashlib.sha256(body).hexdigest()


async def test_the_digest_begins_anew_where_bytes_were_dropped(part: PartFile) -> None:
    """Those that came again count, not those that were wrong."""
    size = 2 * STEP_BYTES
    plan = SegmentPlan(size)
    hasher = PrefixHasher(part, plan, "sha256")
    await part.write([bytes(size)], 0)
    plan.hold(0, size)
    await until(lambda: hasher._position == size)
    plan.drop(0, STEP_BYTES)
    await until(lambda: hasher._position == 0)
    body = oracle.content(2, 0, size)
    await part.write([body], 0)
    plan.hold(0, size)
    assert await hasher.finish() == hashlib.sha256(body).hexdigest()


async def test_a_digest_that_nobody_wants_any_more_ends(part: PartFile) -> None:
    """Its reading does not go on behind a closed file."""
    plan = SegmentPlan(None)
    hasher = PrefixHasher(part, plan, "sha256")
    await part.write([bytes(STEP_BYTES)], 0)
    plan.hold(0, STEP_BYTES)
    async with asyncio.timeout(5):
        await hasher.aclose()
    assert hasher._task.done()
