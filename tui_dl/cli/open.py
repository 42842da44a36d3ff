"""`tui-dl [URL ...]`: open the screen, adding the addresses."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_dl.cli import curl
from tui_dl.cli.catalogue import COMMANDS, SCREEN
from tui_dl.cli.completed_words import complete_first_word
from tui_dl.cli.feeding import Feed
from tui_dl.cli.interrupts import leave_interrupts_to_loop
from tui_dl.cli.list_orders import agreed
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options, setting_options, task_options
from tui_dl.cli.order import STANDARD, read_order
from tui_dl.cli.session_adding import travelling
from tui_dl.cli.streams import is_piped
from tui_dl.core.display_text import display_text
from tui_dl.core.errors import UsageError
from tui_dl.disk.locations import find_locations
from tui_dl.session.paths import lock_file_in

if TYPE_CHECKING:
    from tui_dl.cli.order import Order
    from tui_dl.disk.locations import Locations


class ScreenCommand(PlainCommand):
    """The command without a name; its help is that of the whole program."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's shape
        """Write how the program is called."""
        formatter.write_usage("tui-dl", "[OPTIONS] [URL]... | COMMAND [ARGS]...")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's shape
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(SCREEN, cls=ScreenCommand)
@click.argument("urls", nargs=-1, shell_complete=complete_first_word)
@task_options
@setting_options
@click.option("--foreground", is_flag=True, help="Engine and screen in this process, and no downloads after it.")
@log_options
def open_screen(**given: Any) -> int:
    """Open the screen, adding the addresses; or run a command.

    The queue of the last time goes on by itself. Addresses can also be piped in, or pasted on the screen (key a).
    """
    locations = find_locations(os.environ)
    _check_addresses(given["urls"])
    if given["output"] == STANDARD:
        raise UsageError("--output - writes to standard output, which the screen needs; use `tui-dl get -o -`")
    if not given["input_files"] and curl.STANDARD not in given["curl"] and is_piped():
        given["input_files"] = (STANDARD,)
    order = read_order(given, locations=locations, environment=os.environ, folder=Path.cwd())
    agreed(order.lists.globs, is_agreed=given["is_agreed"])
    with logging_to(given["log_file"], given["verbose"], fallback=locations.log_file):
        if given["foreground"] or not _has_background(order, locations):
            return open_in_foreground(order, locations)
        return open_in_session(order, locations, given["verbose"])


def _has_background(order: Order, locations: Locations) -> bool:
    """Whether there is to be a session, or lives one whatever the settings say."""
    if sys.platform == "win32":
        return False
    from tui_dl.session.lock import held_by  # noqa: PLC0415  # no such thing on Windows

    return order.effective.settings.background != "false" or held_by(lock_file_in(locations.data)) is not False


def open_in_session(order: Order, locations: Locations, verbose: int) -> int:
    """Show the screen of the background session here, its queue fed from here; say afterwards what goes on."""
    from tui_dl.cli.open_session import open_session  # noqa: PLC0415  # `--help` must not pay for it

    if not order.news and not order.lists:
        return open_session(order, None, locations, verbose)
    feed = Feed(travelling(order))
    try:
        # Whoever writes into the pipe may talk to the terminal itself: it is heard out before the screen takes over.
        leave_interrupts_to_loop()
        asyncio.run(feed.prepare())
        code = open_session(order, feed, locations, verbose)
    finally:
        feed.close()
    _tell_bad_lines(feed)
    return code


def open_in_foreground(order: Order, locations: Locations) -> int:
    """Show the screen on the person's own queue, engine and all in this process; say afterwards what is left."""
    from tui_dl.cli.screen import Screen, run_screen_loop  # noqa: PLC0415  # `--help` must not pay for it
    from tui_dl.cli.screen_lists import ScreenLists  # noqa: PLC0415  # as above

    screen = Screen(order.effective.settings, locations.journal_file, order.dir)
    screen.lists = ScreenLists(order, lambda: screen.engine)
    feed = Feed(order)
    code = run_screen_loop(_show(screen, feed))
    _tell_bad_lines(feed)
    if screen.unfinished:
        click.echo(f"{screen.unfinished} unfinished; `tui-dl` goes on with them.", err=True)
    return code


def _tell_bad_lines(feed: Feed) -> None:
    for line in feed.bad_lines:
        click.echo(display_text(line.message), err=True)
    if more := feed.bad_count - len(feed.bad_lines):
        click.echo(f"... and {more} more lines without an address", err=True)


async def _show(screen: Any, feed: Feed) -> int:
    # Whoever writes into the pipe may talk to the terminal itself: it is heard out before the screen takes over.
    await feed.prepare()
    try:
        code: int = await screen.show(feed.add_to)
    finally:
        feed.close()
    return code


def _check_addresses(urls: tuple[str, ...]) -> None:
    for url in urls:
        if url in COMMANDS:
            raise UsageError(f"{url!r} is a command; put it first: tui-dl {url} ...")
