"""Makes the pictures of the README from the real screen and engine, in front of the demo server and a site of media.

`python -m tests.screenshots` takes them all.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.media.clips import make_clips, write_pages
from tests.media.conference import TALKS, write_conference
from tests.media.site import Site
from tui_dl.core.settings import Settings
from tui_dl.core.task import NewTask
from tui_dl.demo.server import DemoServer
from tui_dl.engine.engine import AsyncDownloadEngine
from tui_dl.media.worker import QueueMedia
from tui_dl.ui.app import TuiDlApp
from tui_dl.ui.start import Start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from tui_dl.core.ports import EnginePort

SIZE: Final = (120, 36)
UNDER_WAY_S: Final = 3.0
"""So that speeds and graphs have something to show."""
PATIENCE_S: Final = 60.0
FOLDER: Final = Path(__file__).parent.parent / "screenshots"
ADDRESSES: Final = """\
https://cdimage.debian.org/debian-cd/current/amd64/iso-dvd/debian-12.7.0-amd64-DVD-1.iso
https://releases.ubuntu.com/24.04/ubuntu-24.04.1-desktop-amd64.iso
ftp:/mistyped.example/file.bin
"""


async def make_screenshots(
    connect: Callable[[], Awaitable[EnginePort]],
    folder: Path = FOLDER,
    *,
    settle_s: float = 1.0,
    downloads: str = "/tmp",
) -> list[Path]:
    """Write the pictures into `folder`, `settle_s` after each step, and return their paths."""
    app = TuiDlApp(Start(connect=connect, folder=downloads, environment={"COLORTERM": "truecolor"}))
    made: list[Path] = []

    async def shoot(pilot: Pilot[object], name: str) -> None:
        await pilot.pause(settle_s)
        path = folder / f"{name}.svg"
        path.write_text(app.export_screenshot(title="tui-dl"), encoding="utf-8")
        made.append(path)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(UNDER_WAY_S)
        await shoot(pilot, "table")
        await pilot.press("j", "enter")
        await shoot(pilot, "details")
        await pilot.press("enter", "a")
        await pilot.pause()
        app.screen.query_one("#urls").load_text(ADDRESSES)  # type: ignore[attr-defined]
        await shoot(pilot, "add")
        await pilot.press("escape", "question_mark")
        await shoot(pilot, "help")
        await pilot.press("escape", "/", *"size:>20K")
        await pilot.pause(settle_s)
        app.main.filter_line.value += " status:"
        app.main.filter_line.cursor_position = len(app.main.filter_line.value)
        await shoot(pilot, "filter")
        await pilot.press("escape", ":", *"retry sta", "tab", *"failed reason:")
        await shoot(pilot, "prompt")
        await pilot.press("escape", "f")
        await shoot(pilot, "triage")
    return made


async def make_media_screenshots(
    connect: Callable[[], Awaitable[EnginePort]], feed: str, folder: Path = FOLDER, *, downloads: str = "/tmp"
) -> list[Path]:
    """Write the pictures of a playlist and of the format picker into `folder`, as soon as there is something to see."""
    app = TuiDlApp(Start(connect=connect, folder=downloads, environment={"COLORTERM": "truecolor"}))
    made: list[Path] = []

    async def shows(pilot: Pilot[object], words: str, times: int = 1) -> None:
        ends_at = time.monotonic() + PATIENCE_S
        while (text := _text_of(app)).count(words) < times:
            assert time.monotonic() < ends_at, text
            await pilot.pause(0.1)

    async def shoot(pilot: Pilot[object], name: str) -> None:
        path = folder / f"{name}.svg"
        path.write_text(app.export_screenshot(title="tui-dl"), encoding="utf-8")
        made.append(path)

    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "at once")
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one("#urls").load_text(feed)  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await shows(pilot, "waits for your choice")
        await pilot.press("j", "j", "m")
        await shows(pilot, "subtitles")
        await pilot.press(*["j"] * 9, "space", *["j"] * 4, "a")
        await shoot(pilot, "formats")
        await pilot.press("g", "j", "j", "j", "enter")
        await shows(pilot, "1:00, 720p", len(TALKS))
        await pilot.press("j", "space", "j", "space", "D")
        await shows(pilot, "not chosen", 2)
        await shows(pilot, "100 %", 2)
        await pilot.press("p")
        await shows(pilot, "paused")
        await shows(pilot, "iB/s  ", 3)
        await shoot(pilot, "playlist")
    return made


def _text_of(app: TuiDlApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def main() -> None:
    """Take all pictures."""
    await take_files()
    await take_media()


async def take_media() -> None:
    """Run a site with a conference and an engine of our own, and take the pictures of media."""
    async with AsyncExitStack() as stack:
        downloads = stack.enter_context(tempfile.TemporaryDirectory(prefix="downloads-"))
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="site-")))
        await asyncio.to_thread(make_clips, root)
        site = Site(root)
        stack.callback(site.close)
        write_pages(site)
        feed = await asyncio.to_thread(write_conference, site, loops=10)
        site.rate_bps = 400_000.0

        async def connect() -> EnginePort:
            settings = Settings(dir=downloads, site_delay=0.0)
            journal = Path(downloads) / "journal.sqlite3"
            media = QueueMedia(connections=settings.connections, chunk_bytes=settings.chunk_size)
            return await stack.enter_async_context(AsyncDownloadEngine(settings, journal, media=media))

        for path in await make_media_screenshots(connect, feed, downloads=downloads):
            print(path)  # noqa: T201  # a script that says what it made


async def take_files() -> None:
    """Run the demonstration's server and an engine of our own, and take the pictures of files."""
    async with AsyncExitStack() as stack:
        downloads = stack.enter_context(tempfile.TemporaryDirectory(prefix="downloads-"))
        server = await stack.enter_async_context(DemoServer())

        async def connect() -> EnginePort:
            journal = Path(downloads) / "journal.sqlite3"
            engine = await stack.enter_async_context(AsyncDownloadEngine(Settings(dir=downloads), journal))
            await engine.add_many([NewTask(url, downloads) for url in server.urls()], batch="demonstration")
            gone = [f"{url}-{number}" for number in range(4) for url in server.urls()[:8]]
            await engine.add_many([NewTask(url, downloads, priority=1) for url in gone], batch="old links")
            return engine

        for path in await make_screenshots(connect, downloads="/home/ada/Downloads"):
            print(path)  # noqa: T201  # a script that says what it made


if __name__ == "__main__":
    asyncio.run(main())
