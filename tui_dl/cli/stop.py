"""`tui-dl stop`: end the background session once everything is durable."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from tui_dl._version import __version__
from tui_dl.cli.exits import CANNOT_START, DONE
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options
from tui_dl.core.display_text import display_text
from tui_dl.disk.locations import find_locations
from tui_dl.session.paths import lock_file_in
from tui_dl.session.reaching import reach
from tui_dl.session.stopping import stop_session

NONE: Final = "No session is running."


@click.command(cls=PlainCommand)
@log_options
def stop(**given: Any) -> int:
    """End the background session; downloads pause and go on at the next start.

    It returns when everything that arrived is safely on the disk.
    """
    locations = find_locations(os.environ)
    with logging_to(given["log_file"], given["verbose"]):
        lock_file = lock_file_in(locations.data)
        line = reach(lock_file)
        if line is None:
            click.echo(NONE, err=True)
            return DONE
        lines = stop_session(line, lock_file, version=__version__)
    for one in lines:
        click.echo(display_text(one), err=True)
    return DONE if lines else CANNOT_START
