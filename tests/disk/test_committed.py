"""Files that a crash left committed and unrecorded are found by their sums, and nothing else is taken for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui_dl.disk.committed import find_committed
from tui_dl.disk.writer import DiskPool, sum_extents

if TYPE_CHECKING:
    from pathlib import Path

BODY = os.urandom((2 << 20) + 7)
EXTENTS = sum_extents([BODY], 0)


async def test_the_committed_file_is_found(pool: DiskPool, folder: Path) -> None:
    """The file with the very bytes is found behind one of the same length and one of the same name."""
    (folder / "a.bin").write_bytes(bytes(len(BODY)))
    (folder / "a (1).bin").write_bytes(b"short")
    (folder / "a (2).bin").write_bytes(BODY)
    assert await find_committed(pool, str(folder), "a.bin", EXTENTS, len(BODY)) == str(folder / "a (2).bin")


async def test_links_are_not_followed(pool: DiskPool, folder: Path) -> None:
    """A link to the right bytes is not our file."""
    (folder / "else").write_bytes(BODY)
    (folder / "a.bin").symlink_to("else")
    assert await find_committed(pool, str(folder), "a.bin", EXTENTS, len(BODY)) is None


async def test_sums_of_a_part_prove_nothing(pool: DiskPool, folder: Path) -> None:
    """Where the extents do not cover the whole length no file is taken."""
    (folder / "a.bin").write_bytes(BODY)
    assert await find_committed(pool, str(folder), "a.bin", EXTENTS[:-1], len(BODY)) is None
