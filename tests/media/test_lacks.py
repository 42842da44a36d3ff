"""What media want and lack here is said where a person sees it: on the screen, in a row's log, beside the formats."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.media.queue_stage import until
from tui_dl.core.commands import CommandName
from tui_dl.core.status import Status
from tui_dl.media import library, worker
from tui_dl.media.library import Lack, lack_of_youth, lacks_of

if TYPE_CHECKING:
    from tests.media.queue_stage import Queue
    from tests.media.site import Site

TODAY = date(2026, 11, 30)


def test_programs_and_age_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lack has its way out, and nothing is said where all is well."""
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(library, "installed_version", lambda: "2026.10.26")
    assert lacks_of(TODAY) == ()
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr(library, "installed_version", lambda: "2026.8.19")
    ffmpeg, javascript, age = lacks_of(TODAY)
    assert "apt install ffmpeg" in ffmpeg.way_out
    assert not javascript.concerns_all
    assert str(age) == (
        "yt-dlp: 2026.8.19, 103 days old; sites may have changed since. "
        "`tui-dl ytdlp -U` updates it; it may be newer than this program."
    )


@pytest.mark.parametrize(
    ("version", "is_lacking"), [("2026.10.1", False), ("2026.9.30", True), ("2024.1.1", True), ("", False)]
)
def test_yt_dlp_is_old_after_sixty_days(version: str, is_lacking: bool) -> None:
    """To the day; a version that is no date says nothing."""
    assert (lack_of_youth(version, TODAY) is not None) is is_lacking


async def test_lacks_are_shown_while_media_are_in_hand(
    queue: Queue, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of all sites above the table, those of some in the row's log; both beside the formats."""
    lacks = (Lack("ffmpeg", "not installed", "Install it."), Lack("JS", "none", "Get one.", concerns_all=False))
    monkeypatch.setattr(worker, "lacks_of", lambda _today: lacks)
    task = await queue.add(f"{site.url}/gate/v360.mp4")
    await until(lambda: queue.engine.snapshot().notices)
    assert queue.engine.snapshot().notices == ("ffmpeg: not installed. Install it.",)
    assert {"ffmpeg: not installed. Install it.", "JS: none. Get one."} <= set(await queue.log(task))
    site.gate.set()
    await queue.ended(task)
    assert queue.engine.snapshot().notices == ()
    assert (await queue.engine.media_formats(task.id)).notices == tuple(map(str, lacks))


async def test_a_video_is_counted_once_and_shows_how_far_it_came(queue: Queue, site: Site) -> None:
    """In every state that it goes through; paused, its row says what is held."""
    totals: set[int] = set()

    def has_bytes() -> bool:
        snapshot = queue.engine.snapshot()
        totals.add(sum(snapshot.counts.values()))
        return any(one.downloaded_bytes for one in snapshot.live.values())

    task = await queue.add(f"{site.url}/gate/v360.mp4")
    await until(has_bytes)
    await queue.engine.context.journal.flush()
    assert has_bytes()
    await queue.order(CommandName.PAUSE, task)
    row = await queue.row(task)
    assert (row.status, row.downloaded_bytes > 0) == (Status.PAUSED, True)
    site.gate.set()
    await queue.order(CommandName.RESUME, task)
    await until(lambda: has_bytes() or queue.engine.progress(task.id) is None)
    await queue.ended(task)
    assert not has_bytes()
    assert totals == {1}
