"""`tui-dl get`: downloads in the foreground without the screen."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_dl.cli.batch import Block
from tui_dl.cli.compose import open_engine, run_loop
from tui_dl.cli.daemon_calls import in_daemon
from tui_dl.cli.exits import DONE, INTERRUPTED, SOME_FAILED
from tui_dl.cli.getting import get_files
from tui_dl.cli.hooking import hook_options
from tui_dl.cli.list_orders import agreed
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options, setting_options, task_options
from tui_dl.cli.order import read_order
from tui_dl.cli.people import explain
from tui_dl.cli.shards import shard_options
from tui_dl.cli.stopping import Stopped, Stopping
from tui_dl.cli.terminal import shown_on
from tui_dl.cli.wishes import read_wishes, wish_options
from tui_dl.core.errors import TuiDlError, UsageError
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui_dl.cli.order import Order


@click.command(cls=PlainCommand)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@task_options
@setting_options
@shard_options
@hook_options
@wish_options
@log_options
def get(**given: Any) -> int:
    """Download in the foreground without the screen, then exit.

    What has arrived is kept whatever happens: the same command again goes on where it was.
    """
    locations = find_locations(os.environ)
    order = read_order(given, locations=locations, environment=os.environ, folder=Path.cwd())
    if not order.news and not order.lists:
        raise UsageError("nothing to get; give an address, or a list with --input")
    order = replace(order, notes=(*order.notes, *agreed(order.lists.globs, is_agreed=given["is_agreed"])))
    wishes = read_wishes(given, order)
    with logging_to(given["log_file"], given["verbose"]):
        if order.is_to_stdout:
            return run_loop(get_to_stdout(order, is_quiet=wishes.is_quiet))
        return run_loop(get_files(order, blocks_of(order), locations, wishes))


async def get_to_stdout(order: Order, *, is_quiet: bool) -> int:
    """Write one file to standard output, in order and of one version, and return the exit code."""
    stopping = Stopping(_keep_silent)
    task = order.news[0]
    descriptor = sys.stdout.fileno()

    async def work() -> None:
        async with open_engine(order.effective.settings, None, is_get=True) as opened:
            async for chunk in opened.engine.stream(
                task.url, headers=dict(task.options.headers), checksum=task.options.checksum
            ):
                await in_daemon(partial(write_all, descriptor, chunk))

    try:
        await stopping.run(work())
    except (Stopped, BrokenPipeError):
        return INTERRUPTED
    except TuiDlError as error:
        if not is_quiet:
            for line in explain(task.url, error.reason, error.message):
                click.echo(shown_on(sys.stderr)(line), err=True)
        return SOME_FAILED
    return DONE


async def blocks_of(order: Order) -> AsyncIterator[Block]:
    """Yield the tasks of an order, those of a list as it is read; raises `UsageError`."""
    await order.lists.check()
    if order.news:
        yield Block(order.news)
    async for block in order.lists.blocks():
        yield Block(order.listed_tasks(block.lines, block.name), block.name)


def write_all(descriptor: int, chunk: bytes) -> None:
    """Write every byte of a chunk, however slowly the reader takes them."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _keep_silent(_text: str) -> None:
    """Say nothing: nobody wants to hear."""
