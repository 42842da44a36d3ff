"""A browser's cookies for media in the queue: pages and transfers get them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.browser_profiles import Crumb, firefox
from tui_dl.core.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media.queue_stage import Queue
    from tests.media.site import Site


async def test_a_row_may_name_a_browser_itself(queue: Queue, site: Site, tmp_path: Path) -> None:
    """By yt-dlp's option; what is said while its cookies are read is in the row's log."""
    profile = await asyncio.to_thread(firefox, tmp_path / "profile", [Crumb()])
    task = await queue.ended(await queue.add(f"{site.url}/v360.mp4", "--cookies-from-browser", profile))
    assert (task.status, task.reason_text) == (Status.COMPLETED, "")
    assert {headers.get("cookie") for _, headers in site.seen} == {"id=c4nary"}
    log = await queue.log(task)
    assert "Extracting cookies from firefox" in log
    assert "c4nary" not in str(log)
