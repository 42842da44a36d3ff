"""Files that lie elsewhere already: copied, sharing their blocks where that can be, and committed as any other."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.crc32 import crc32
from tui_dl.core.errors import FileSystemError
from tui_dl.core.extents import Extent
from tui_dl.core.http_rules import Validator
from tui_dl.core.settings import CACHE_WORDS
from tui_dl.disk.cloning import PIECE_BYTES, copy_whole, open_unchanged
from tui_dl.engine.bodies import save_small
from tui_dl.engine.revalidating import is_as_kept, is_named
from tui_dl.journal.archive import Kept, url_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.holding import Holding
    from tui_dl.engine.live import LiveTask

logger = logging.getLogger(__name__)

SMALL_BYTES: Final = PIECE_BYTES
"""Files up to this are saved as small ones."""
_PIECES: Final = 8
"""Pieces that are read at once."""


class NotAsKept(Exception):  # noqa: N818  # a turn of events: it is fetched then
    """A file that was to be copied has other bytes than were recorded."""


def name_as(live: LiveTask, kept: Kept) -> None:
    """Give a task without a name of its own the one that the file got, which a server may have named."""
    name = os.path.basename(kept.path)  # noqa: PTH119  # text in, text out
    task = live.task
    is_same_address = kept.url == task.url
    # In a folder of copies files are called by their digests.
    if is_same_address and not (task.name_fixed or name == kept.sha256 or is_named(task.filename, name)):
        live.change(filename=name)
    validator = kept.validator if is_same_address else Validator()
    live.change(name_fixed=True, validator=validator, total_bytes=kept.size_bytes, sha256=kept.sha256)
    live.total_bytes = kept.size_bytes
    live.note(f"taken from {kept.path}")


async def take(
    context: EngineContext, live: LiveTask, holding: Holding, kept: Kept, on_written: Callable[[], None]
) -> bool:
    """Copy a file; whether it is committed already, as small ones are. Raises `NotAsKept`, with nothing held."""
    opening = partial(open_unchanged, kept.path, partial(is_as_kept, kept))
    source_fd = await context.pool.scout(opening, what=f"read {kept.path}")
    if source_fd < 0:
        raise NotAsKept
    try:
        if kept.size_bytes <= SMALL_BYTES and holding.part is None:
            body = b"".join(await _read(context, source_fd, 0, kept))
            if len(body) != kept.size_bytes or (kept.sha256 and hashlib.sha256(body).hexdigest() != kept.sha256):
                raise NotAsKept
            live.rewind(len(body))
            await save_small(context, live, [body], on_written)
            return True
        await _copy(context, live, holding, kept, source_fd)
    finally:
        await asyncio.shield(context.pool.scout(os.close, source_fd, what=f"close {kept.path}"))
    return False


async def _copy(context: EngineContext, live: LiveTask, holding: Holding, kept: Kept, source_fd: int) -> None:
    holding.plan.total_bytes = kept.size_bytes
    part, checkpointer = await holding.open_part()
    sha256 = hashlib.sha256()
    is_cloned = await part.clone(source_fd)
    offset = 0
    while offset < kept.size_bytes:
        pieces = await _read(context, source_fd, offset, kept)
        if not pieces:
            break
        await asyncio.to_thread(_feed, sha256, pieces)
        if is_cloned:
            extents = list(_extents(offset, pieces))
        else:
            extents = await checkpointer.write(pieces, offset)
        checkpointer.on_written(extents)
        end = offset + sum(map(len, pieces))
        holding.plan.hold(offset, end)
        offset = end
        live.rewind(offset)
    facts = await context.pool.scout(os.fstat, source_fd, what=f"look at {kept.path}")
    is_whole = offset == kept.size_bytes and is_as_kept(kept, facts)
    if not is_whole or (kept.sha256 and sha256.hexdigest() != kept.sha256):
        await holding.restart(is_proven=False)
        raise NotAsKept


async def _read(context: EngineContext, source_fd: int, offset: int, kept: Kept) -> list[bytes]:
    return await context.pool.scout(_read_now, source_fd, offset, what=f"read {kept.path}")


def _read_now(source_fd: int, offset: int) -> list[bytes]:
    pieces: list[bytes] = []
    while len(pieces) < _PIECES and (piece := os.pread(source_fd, PIECE_BYTES, offset)):
        pieces.append(piece)
        offset += len(piece)
    return pieces


def _feed(sha256: hashlib._Hash, pieces: list[bytes]) -> None:
    for piece in pieces:
        sha256.update(piece)


def _extents(offset: int, pieces: list[bytes]) -> list[Extent]:
    extents = []
    for piece in pieces:
        extents.append(Extent(offset, offset + len(piece), crc32(piece)))
        offset += len(piece)
    return extents


async def store(context: EngineContext, live: LiveTask) -> None:
    """Put a copy of a finished file into the folder of copies, if there is one; a disk that refuses fails nothing."""
    folder, task = context.settings.cache, live.task
    if folder in CACHE_WORDS or task.total_bytes is None or not task.path:
        return
    name = task.sha256 or f"{url_identity(task.url) & 0xFFFF_FFFF_FFFF_FFFF:016x}"
    target = os.path.join(folder, name[:2], name)  # noqa: PTH118  # text in, text out
    try:
        mtime_ns, sha256 = await context.pool.scout(copy_whole, task.path, target, what=f"copy to {target}")
    except FileSystemError as error:
        logger.warning("no copy of %s: %s", task.path, error)
        return
    if task.sha256 in ("", sha256):
        kept = Kept(target, task.url, task.total_bytes, mtime_ns, task.validator, sha256, context.wall_clock())
        await context.journal.remembered.keep([kept])
