"""Fixtures of the media tests: clips and a site for the whole run, an engine and a manager for each test."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.media.clips import has_ffmpeg, make_clips, write_pages
from tests.media.queue_stage import Queue
from tests.media.site import Site
from tui_dl.core.settings import Settings
from tui_dl.engine.engine import MEMORY, AsyncDownloadEngine
from tui_dl.media.manager import AsyncDownloadManager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve clips of every kind; skips where there is no ffmpeg to make them."""
    if not has_ffmpeg():
        pytest.skip("ffmpeg is not installed")
    root = tmp_path_factory.mktemp("site") / "root"
    # Workers of one run share the making, which is most of the work of a short run.
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "clips"
    with (shared.parent / "clips.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            make_clips(shared.with_suffix(".new"))
            shared.with_suffix(".new").rename(shared)
    shutil.copytree(shared, root)
    site = Site(root)
    write_pages(site)
    yield site
    site.close()


@pytest.fixture
def site(shared_site: Site) -> Site:
    """Return the site in a good mood, its counters at nought."""
    shared_site.forget()
    return shared_site


@pytest_asyncio.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    """Return a queue that keeps nothing; whoever opens it otherwise closes this one first."""
    made = Queue(tmp_path)
    await made.open()
    yield made
    await made.close()


@pytest_asyncio.fixture
async def manager() -> AsyncIterator[AsyncDownloadManager]:
    """Return a manager over an engine that keeps nothing."""
    words: dict[str, Any] = {"retry_delay": 0.01, "timeout": 10.0}
    async with AsyncDownloadEngine(Settings(**words), MEMORY) as engine:
        async with AsyncDownloadManager(engine, extracts_elsewhere=False) as made:
            yield made
        left = {host: one.open_connections for host, one in engine.context.budgets.items() if one.open_connections}
        assert not left
