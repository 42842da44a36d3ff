"""`tui-dl get`: downloads in the foreground without the screen."""

from __future__ import annotations

import os
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from tui_dl.cli.batch import Reporters, Tally, run_batch
from tui_dl.cli.compose import open_engine, run_loop
from tui_dl.cli.exits import DONE, INTERRUPTED, SOME_FAILED, WRONG_USAGE
from tui_dl.cli.json_lines import JsonReporter
from tui_dl.cli.lists import in_daemon, read_lines
from tui_dl.cli.log import logging_to
from tui_dl.cli.options import PlainCommand, log_options, setting_options, task_options
from tui_dl.cli.order import read_order
from tui_dl.cli.people import PeopleReporter, explain
from tui_dl.cli.printer import Printer
from tui_dl.cli.stopping import Stopped, Stopping, is_terminal
from tui_dl.core.display_text import ascii_text, display_text
from tui_dl.core.errors import TuiDlError, UsageError
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tui_dl.cli.order import Order
    from tui_dl.core.task import DownloadResult, NewTask
    from tui_dl.core.url_list import BadLine
    from tui_dl.disk.locations import Locations


@click.command(cls=PlainCommand)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@task_options
@setting_options
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line on standard output.")
@click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Nothing on standard error but refusals.")
@log_options
def get(**given: Any) -> int:
    """Download in the foreground without the screen, then exit.

    What has arrived is kept whatever happens: the same command again goes on where it was.
    """
    locations = find_locations(os.environ)
    order = read_order(given, locations=locations, environment=os.environ, folder=Path.cwd())
    if not order.news and not order.input_file:
        raise UsageError("nothing to get; give an address, or a list with --input")
    with logging_to(given["log_file"], given["verbose"]):
        if order.is_to_stdout:
            return run_loop(get_to_stdout(order, is_quiet=given["is_quiet"]))
        return run_loop(get_files(order, locations, is_json=given["is_json"], is_quiet=given["is_quiet"]))


async def get_files(order: Order, locations: Locations, *, is_json: bool, is_quiet: bool) -> int:
    """Download into files and return the exit code."""
    async with AsyncExitStack() as stack:
        errors = None if is_quiet else await stack.enter_async_context(Printer(sys.stderr))
        stopping = Stopping(errors.line if errors else _keep_silent)
        output = await stack.enter_async_context(Printer(sys.stdout, stopping.stop)) if is_json else None
        units = order.effective.settings.units
        people = _people(errors, units) if errors else None
        json_lines = JsonReporter(output) if output else None
        tally = Tally(time.time())
        reporter = Reporters(*(one for one in (people, json_lines) if one))
        if people and order.input_file and "concurrent_downloads" not in order.effective.origins:
            people.note(f"{order.effective.settings.concurrent_downloads} at once; --preset production uses 50")

        if people:
            for note in order.notes:
                people.note(note)

        async def work() -> None:
            async with open_engine(order.effective.settings, locations.journal_file, is_get=True) as opened:
                blocks, owner = blocks_of(order), opened.instance_id
                await run_batch(opened.engine, blocks, reporter, tally, name="get", owner=owner, clock=time.time)

        code = None
        try:
            await stopping.run(work())
        except Stopped:
            code = INTERRUPTED
        finally:
            # Also where it could not start: whoever reads the lines waits for the last one.
            result = tally.result(time.time())
            if json_lines:
                json_lines.summary(result, time.time())
        if people:
            people.closing(tally, result)
        return exit_code(result, tally) if code is None else code


def _people(printer: Printer, units: str) -> PeopleReporter:
    return PeopleReporter(printer, is_terminal=is_terminal(sys.stderr), units=units, shown=shown_on(sys.stderr))


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


async def blocks_of(order: Order) -> AsyncIterator[Sequence[NewTask | BadLine]]:
    """Yield the tasks of an order, those of a list as it is read."""
    if order.news:
        yield order.news
    if order.input_file:
        async for lines in read_lines(order.input_file):
            yield order.listed_tasks(lines)


def write_all(descriptor: int, chunk: bytes) -> None:
    """Write every byte of a chunk, however slowly the reader takes them."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def shown_on(stream: TextIO) -> Callable[[str], str]:
    """Return what makes text harmless on this stream: ASCII alone where it is not UTF-8."""
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    return display_text if encoding == "utf8" else ascii_text


def _keep_silent(_text: str) -> None:
    """Say nothing: nobody wants to hear."""


def exit_code(result: DownloadResult, tally: Tally) -> int:
    """Return the exit code of a batch that ran to its end."""
    if result.total and tally.bad_lines == result.total:
        return WRONG_USAGE
    return SOME_FAILED if result.failed or result.cancelled else DONE
