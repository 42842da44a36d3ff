"""`tui-dl demo`: a local server with files of every temper, and the screen on it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tui_dl.cli.listed import new_task
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import HOOK_PARAMETERS, PlainCommand, log_options, setting_options
from tui_dl.cli.order import read_order
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.core.settings import settings_with
from tui_dl.core.task import TaskOptions
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from tui_dl.core.settings import Settings
    from tui_dl.engine.engine import AsyncDownloadEngine

KEPT_PORT: Final = 8765
"""First port where `--dir` keeps the demonstration: the same addresses next time, so that its queue goes on."""
JOURNAL_FOLDER: Final = ".tui-dl-demo"
"""Folder of the demonstration's own journal, beside its files."""


@click.command(cls=PlainCommand)
@click.option("--port", type=click.IntRange(1, 65_532), help="First of four ports on 127.0.0.1; default: free ones.")
@setting_options
@log_options
def demo(**given: Any) -> int:
    """Try it on a local server with files of every temper.

    It needs no internet and leaves your own queue alone. With --dir the same command goes on where it was.
    """
    locations = find_locations(os.environ)
    order = read_order(given, locations=locations, environment=os.environ, folder=Path.cwd())
    port = given["port"] or (KEPT_PORT if given["dir"] else 0)
    folder = _made(Path(order.dir)) if given["dir"] else Path(tempfile.mkdtemp(prefix="tui-dl-demo-"))
    with logging_to(given["log_file"], given["verbose"], fallback=locations.log_file):
        from tui_dl.cli.screen import run_screen_loop  # noqa: PLC0415  # `--help` must not pay for it

        # What a person wants done with files of theirs is not meant for these.
        settings = settings_with(order.effective.settings, dict.fromkeys(HOOK_PARAMETERS, ""))
        code = run_screen_loop(_show(settings, folder, port))
    click.echo(f"The files are in {display_text(str(folder))}", err=True)
    return code


async def _show(settings: Settings, folder: Path, port: int) -> int:
    from tui_dl.cli.screen import Screen  # noqa: PLC0415  # as above
    from tui_dl.demo.server import DemoServer  # noqa: PLC0415  # as above

    async with DemoServer(port) as server:

        async def feed(engine: AsyncDownloadEngine) -> None:
            await engine.add_many([new_task(url, str(folder), "", TaskOptions()) for url in server.urls()])

        screen = Screen(settings, folder / JOURNAL_FOLDER / "journal.sqlite3", str(folder))
        return await screen.show(feed)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--dir {display_text(str(folder))}: cannot be made: {error.strerror}") from None
    return folder
