"""Files that got their final name just before a crash, and were not recorded: found by their sums."""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.extents import range_set
from tui_dl.core.filename import numbered
from tui_dl.disk.durable import sync_folder
from tui_dl.disk.folder import require_component
from tui_dl.disk.placing import MOST_NUMBERS
from tui_dl.disk.proving import grouped, split_proven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.extents import Extent
    from tui_dl.disk.folder import Folder
    from tui_dl.disk.writer import DiskPool, DiskWriter

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


async def find_committed(
    pool: DiskPool, folder: str, name: str, extents: Sequence[Extent], total_bytes: int
) -> str | None:
    """Return the path of the file that a commit before a crash left, None where there is none.

    For a task whose part file is gone although `extents` cover all of it: `NAME`, `NAME (1)`... are compared with
    their sums. The folder is synced, so that what was found may be recorded.
    """
    require_component(name)
    if not range_set(extents).covers(0, total_bytes):
        return None
    held, writer = await pool.open_folder(folder)
    try:
        names = await writer.call(_candidates, held, name, total_bytes, what=f"look into the folder {folder}")
        for candidate in names:
            path = held.join(candidate)
            opening = partial(os.open, candidate, _READ, dir_fd=held.fd)
            fd = await writer.call(opening, what=f"read {path}", undo=os.close)
            if await _holds_all(writer, fd, extents, path):
                await writer.sync_call(sync_folder, held.fd, what=f"sync the folder {folder}")
                return path
    finally:
        await writer.close(held.fd)
    return None


def _candidates(folder: Folder, name: str, total_bytes: int) -> list[str]:
    """Return the regular files of this length among `NAME`, `NAME (1)`... up to the first free one."""
    names = []
    for number in range(MOST_NUMBERS):
        candidate = numbered(name, number)
        try:
            facts = os.stat(candidate, dir_fd=folder.fd, follow_symlinks=False)
        except FileNotFoundError:
            break
        if stat.S_ISREG(facts.st_mode) and facts.st_size == total_bytes:
            names.append(candidate)
    return names


async def _holds_all(writer: DiskWriter, fd: int, extents: Sequence[Extent], path: str) -> bool:
    try:
        for group in grouped(extents):
            _, refuted = await writer.sync_call(split_proven, fd, group, what=f"read {path}")
            if refuted:
                return False
    finally:
        await writer.close(fd)
    return True
