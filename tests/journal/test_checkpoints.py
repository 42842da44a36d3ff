"""Checkpoints claim at most what was recorded, in about one row a MiB, with sums that stay true when joined."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal.rows import added, wishes
from tui_dl.core.extents import MOST_EXTENT_BYTES, Extent
from tui_dl.core.ranges import RangeSet
from tui_dl.core.status import Status
from tui_dl.journal.checkpoints import joined_crc32
from tui_dl.journal.journal import Journal

if TYPE_CHECKING:
    from tests.journal.conftest import OpenJournal

MIB = 1 << 20


def _extent(content: bytes, start: int, end: int) -> Extent:
    return Extent(start, end, zlib.crc32(content[start:end]))


@given(first=st.binary(max_size=300), second=st.binary(max_size=300))
def test_joined_sums_are_those_of_the_joined_bytes(first: bytes, second: bytes) -> None:
    """No byte is read again to join two extents."""
    assert joined_crc32(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["written", "drop", "synced", "forget"]), st.integers(0, 60), st.integers(1, 20)),
        max_size=25,
    )
)
def test_every_claim_is_true_after_any_order_of_records(steps: list[tuple[str, int, int]]) -> None:
    """Extents stay disjoint, cover at most what was written and not dropped, and their sums are right."""
    unit = 64 * 1024
    content = Random(1).randbytes(80 * unit)

    async def scenario() -> None:
        async with await Journal.open(None) as journal:
            written, synced = RangeSet(), RangeSet()
            for step, first, count in steps:
                start, end = first * unit, min((first + min(count, 16)) * unit, len(content))
                if step == "written":
                    journal.record_written(7, [_extent(content, start, end)])
                    written.add(start, end)
                elif step == "drop":
                    await journal.drop_extents(7, start, end)
                    written.remove(start, end)
                    synced.remove(start, end)
                elif step == "synced":
                    synced = written.copy()
                    await journal.record_synced(7, synced)
                else:
                    await journal.forget_checkpoint(7)
                    written, synced = RangeSet(), RangeSet()
            found = await journal.load_checkpoint(7)
        assert found.synced == synced
        for extent in found.extents:
            assert written.covers(extent.start, extent.end)
            assert extent == _extent(content, extent.start, extent.end)
            assert extent.length_bytes <= MOST_EXTENT_BYTES
        assert all(one.end <= two.start for one, two in zip(found.extents, found.extents[1:], strict=False))

    asyncio.run(scenario())


async def test_small_extents_become_about_one_row_a_mib(journal: Journal) -> None:
    """A slow connection's many small records do not make the journal grow without bound."""
    content = bytes(8 * MIB)
    step = 40_000
    for turn in range(4):
        # Every fourth piece at a time, so that neighbours come from both sides and in different transactions.
        pieces = range(turn * step, len(content), 4 * step)
        journal.record_written(7, [_extent(content, start, min(start + step, len(content))) for start in pieces])
        await journal.flush()
    found = await journal.load_checkpoint(7)
    assert RangeSet((extent.start, extent.end) for extent in found.extents) == RangeSet([(0, len(content))])
    assert len(found.extents) <= 16
    assert all(extent == _extent(content, extent.start, extent.end) for extent in found.extents)


async def test_what_is_told_is_seen_at_once(journal: Journal) -> None:
    """Grouped records count before they are written."""
    journal.record_written(7, [Extent(0, 10, 3)])
    assert (await journal.load_checkpoint(7)).extents == [Extent(0, 10, 3)]


async def test_completion_drops_the_checkpoint(journal: Journal) -> None:
    """The part file is gone, and with it its sums, in the same transaction."""
    (task,) = await added(journal, wishes(1))
    journal.record_written(task.id, [Extent(0, 10, 3)])
    await journal.record_synced(task.id, RangeSet([(0, 10)]))
    await journal.save_many([replace(task, status=Status.COMPLETED)])
    found = await journal.load_checkpoint(task.id)
    assert not found.extents
    assert not found.synced


async def test_grouped_records_are_written_without_being_asked(open_journal: OpenJournal) -> None:
    """A process that dies a moment later has lost nothing older than the group."""
    journal, other = await open_journal(), await open_journal()
    (task,) = await added(journal, wishes(1))
    journal.record_written(task.id, [Extent(0, 10, 3)])
    journal.save_soon(replace(task, downloaded_bytes=10))
    async with asyncio.timeout(10):
        while (await other.rows([task.id]))[0].downloaded_bytes != 10:
            continue
    assert (await other.load_checkpoint(task.id)).extents == [Extent(0, 10, 3)]
