"""A task that waits for a full disk goes on when a look found room, and not before."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tui_dl.core.errors import FileSystemError, Reason
from tui_dl.core.task import DownloadTask
from tui_dl.engine.room import Room

TASK = DownloadTask(id=7, url="http://h/f", dir="/downloads", filename="f", total_bytes=5)


class Looked:
    """A watermark that answers what a test says."""

    def __init__(self, answer: bool | FileSystemError) -> None:
        self._answer = answer

    async def has_room(self, task: DownloadTask, _least_bytes: int) -> bool:
        """Answer for the one task."""
        assert task is TASK
        if isinstance(self._answer, FileSystemError):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [(True, True), (False, False), (FileSystemError(Reason.FOLDER_MISSING, "gone"), True)],
    ids=["room", "none", "trouble"],
)
async def test_a_find_counts_once(answer: bool | FileSystemError, goes_on: bool) -> None:
    """A look is begun by asking, tells of itself, and what is wrong with the folder is for the attempt to say."""
    told: list[int] = []
    context: Any = SimpleNamespace(watermark=Looked(answer))
    room = Room(context, told.append)
    assert not room.is_there(TASK), "nobody has looked yet"
    await asyncio.gather(*room._looks.values())
    assert room.is_there(TASK) is goes_on
    assert told == ([7] if goes_on else [])
    assert not room.is_there(TASK), "a find counts once"
    await room.aclose()
