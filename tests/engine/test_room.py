"""A task that waits for a full disk goes on when a look found room, and not before."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tui_dl.core.task import DownloadTask
from tui_dl.disk.writer import DiskPool
from tui_dl.engine import room as room_module
from tui_dl.engine.room import ENOUGH_BYTES, Room

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 5.0


async def ask(monkeypatch: pytest.MonkeyPatch, journal: Path | None, free: dict[str, int], missing: int) -> bool:
    """Return whether a look finds room where the folders have so much free."""
    monkeypatch.setattr(room_module, "free_bytes", lambda path: free[str(path)])
    pool, looked = DiskPool(), asyncio.Event()
    context: Any = SimpleNamespace(pool=pool, journal=SimpleNamespace(path=journal))
    room = Room(context, lambda _id: looked.set())
    task = DownloadTask(id=7, url="http://h/f", dir="/downloads", filename="f", total_bytes=missing)
    assert not room.is_there(task), "nobody has looked yet"
    looks = list(room._looks.values())
    await asyncio.wait_for(asyncio.gather(*looks), PATIENCE_S)
    found = room.is_there(task)
    assert found is looked.is_set()
    assert not room.is_there(task), "a find counts once"
    await room.aclose()
    await pool.aclose()
    return found


@pytest.mark.parametrize(
    ("free_bytes", "missing_bytes", "is_enough"),
    [
        (ENOUGH_BYTES, 10 * ENOUGH_BYTES, True),
        (ENOUGH_BYTES - 1, 10 * ENOUGH_BYTES, False),
        (5_000, 5_000, True),
        (0, 5_000, False),
    ],
)
async def test_room_is_a_mebibyte_or_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, free_bytes: int, missing_bytes: int, is_enough: bool
) -> None:
    """A request is worth it when it can be written on, or when so little is missing that all of it fits."""
    assert await ask(monkeypatch, None, {"/downloads": free_bytes}, missing_bytes) is is_enough


async def test_the_journal_needs_room_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the journal's own disk is the full one, room for the file is not enough."""
    free = {"/downloads": 10 * ENOUGH_BYTES, str(tmp_path): 0}
    assert not await ask(monkeypatch, tmp_path / "journal", free, ENOUGH_BYTES)
