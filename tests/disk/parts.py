"""Part files for tests, and what a folder holds."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tui_dl.disk.part_file import PartFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tui_dl.disk.writer import DiskPool


BODY = b"0123456789" * 1000


@asynccontextmanager
async def opened(
    pool: DiskPool, folder: Path, name: str = "a.bin", *, is_ordered: bool = True, part_path: str = ""
) -> AsyncIterator[PartFile]:
    """Open a part file and close it in the end."""
    part = await PartFile.open(pool, str(folder), name, is_ordered=is_ordered, part_path=part_path)
    try:
        yield part
    finally:
        await part.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files of a folder hold."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
