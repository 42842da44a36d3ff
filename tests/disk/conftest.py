"""Fixtures of the disk room: a pool whose threads end with the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui_dl.disk.writer import DiskPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def pool() -> AsyncIterator[DiskPool]:
    """Give a pool and see that all its threads end."""
    pool = DiskPool()
    yield pool
    assert await pool.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder for downloads."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
